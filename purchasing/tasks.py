"""Tasks of purchasing."""

from smtplib import SMTPException
from typing import Any

from celery import shared_task

from purchasing.services import mail_order, orders_to_mail, propose_orders, replay_past
from sphinx.core import clock


@shared_task
def propose_purchase_orders(**_: Any) -> None:
    """Refresh the proposals."""
    propose_orders(on=clock.today())


@shared_task(
    autoretry_for=(OSError, SMTPException), retry_backoff=30, retry_jitter=True, max_retries=5
)
def mail_purchase_order(*, order_id: int, **_: Any) -> None:
    """Send an order to its supplier."""
    mail_order(order_id=order_id, at=clock.now())


@shared_task
def mail_waiting_orders(**_: Any) -> None:
    """Sweep: orders whose e-mail was asked for and never left."""
    for order_id in orders_to_mail():
        mail_purchase_order.delay(order_id=order_id)


@shared_task
def replay_year(*, backtest_id: int, **_: Any) -> None:
    """Work a started back-test out."""
    replay_past(backtest_id=backtest_id)
