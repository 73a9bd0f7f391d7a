"""Tasks of purchasing."""

from typing import Any

from celery import shared_task
from django.utils.translation import gettext_lazy as _

from purchasing.services import mail_order, orders_to_mail, propose_orders, replay_past
from sphinx.core import clock


@shared_task(label=_("Proposer les achats"))
def propose_purchase_orders(**_extra: Any) -> None:
    """Refresh the proposals."""
    propose_orders(on=clock.today())


@shared_task(label=_("Envoyer une commande au fournisseur"))
def mail_purchase_order(*, order_id: int, **_extra: Any) -> None:
    """Send an order to its supplier."""
    mail_order(order_id=order_id, at=clock.now())


@shared_task(label=_("Envoyer les commandes fournisseurs en attente"))
def mail_waiting_orders(**_extra: Any) -> None:
    """Sweep: orders whose e-mail was asked for and never left."""
    for order_id in orders_to_mail():
        mail_purchase_order.delay(order_id=order_id)


@shared_task(label=_("Comparer sur une année passée"))
def replay_year(*, backtest_id: int, **_extra: Any) -> None:
    """Work a started back-test out."""
    replay_past(backtest_id=backtest_id)
