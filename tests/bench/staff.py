"""What staff do all day, for locust: they look at orders."""

import os
import random

from locust import HttpUser, between, task

ORDERS = os.environ.get("BENCH_ORDERS", "").split(",")


class Staff(HttpUser):
    """Looks, reads for half a second, looks on."""

    wait_time = between(0.2, 0.6)

    def on_start(self) -> None:
        self.client.cookies.set("sessionid", os.environ["BENCH_SESSION"])

    def _look(self, url: str, name: str) -> None:
        with self.client.get(url, name=name, allow_redirects=False, catch_response=True) as answer:
            if answer.status_code != 200:
                # Without an answer the status is 0, and the error says why.
                answer.failure(f"{answer.status_code} {answer.error or ''}")

    @task(3)
    def list_of_orders(self) -> None:
        self._look("/admin/sales/order/", "list")

    @task(2)
    def orders_to_deliver(self) -> None:
        self._look("/admin/sales/order/?status__exact=confirmed", "filtered list")

    @task(3)
    def one_order(self) -> None:
        if ORDERS != [""]:
            self._look(f"/admin/sales/order/{random.choice(ORDERS)}/change/", "order")
