"""A process without threads that forks many buyers at once: each orders, then ships what it can.

Given their number, prints one exit status a buyer; what went wrong goes to standard error.
"""

import multiprocessing
import os
import sys
import traceback

import django


def main(buyers: int) -> None:
    django.setup()
    start = multiprocessing.get_context("fork").Event()
    children = []
    for rank in range(buyers):
        child = os.fork()
        if child == 0:
            status = 1
            try:
                start.wait(30)
                buy_and_ship(rank)
                status = 0
            except BaseException:
                os.write(2, traceback.format_exc().encode())
            finally:
                os._exit(status)
        children.append(child)
    start.set()
    print(*(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children))


def buy_and_ship(rank: int) -> None:
    """Every other buyer names the products the other way round."""
    from sales.models import DeliveryNote
    from sales.selectors import orders_ready_to_deliver
    from sales.services import prepare_deliveries, ship_delivery_notes, upsert_orders
    from tests.factories import NOON, SOURCE, ShopFactory, draft, line

    skus = ("A", "B", "BOX") if rank % 2 else ("BOX", "B", "A")
    upsert_orders(
        shop=ShopFactory(code=f"s{rank % 5}"),
        drafts=[draft(f"{rank}", *(line(sku) for sku in skus))],
        source=SOURCE,
        at=NOON,
    )
    ready = list(orders_ready_to_deliver().values_list("pk", flat=True))
    prepare_deliveries(order_ids=ready, at=NOON)
    drafts = DeliveryNote.objects.filter(status="draft").values_list("pk", flat=True)
    ship_delivery_notes(note_ids=list(drafts), at=NOON)


if __name__ == "__main__":
    main(int(sys.argv[1]))
