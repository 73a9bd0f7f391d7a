"""What of invoicing is submitted to a second person where the firm wants it: money given back."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from invoicing import services
from sphinx.core import clock
from sphinx.core.four_eyes import REFUNDS, submitted


@submitted("invoicing.give_back", _("Rendre de l'argent"), "invoicing.add_payment", REFUNDS)
def give_back(
    *,
    actor: Any,
    invoice_id: int,
    amount: str,
    method: str,
    reference: str,
    after_payments: int | None,
    paid_at: str,
) -> Any:
    """Note money given back to a customer; `amount` in EUR, below 0."""
    return services.enter_payment(
        invoice_id=invoice_id,
        amount=Decimal(amount),
        method=method,
        reference=reference,
        paid_at=datetime.fromisoformat(paid_at),
        after_payments=after_payments,
        actor=actor,
    )


@submitted("invoicing.give_back_advance", _("Rendre une avance"), "invoicing.add_payment", REFUNDS)
def give_back_advance(*, actor: Any, line_id: int, order_id: int) -> Any:
    """Match a line by which money left to the order whose advance it gives back."""
    return services.give_back_advance(line_id=line_id, order_id=order_id, actor=actor)


@submitted(
    "invoicing.match_line", _("Rapprocher de l'argent rendu"), "invoicing.add_payment", REFUNDS
)
def match_line(*, actor: Any, line_id: int, shares: list[list[Any]], difference: str) -> Any:
    """Match a line of the bank's statement by which money goes back: invoice id and EUR each."""
    return services.match_line(
        line_id=line_id,
        shares=[(int(pk), Decimal(amount)) for pk, amount in shares],
        difference=difference,
        actor=actor,
    )


@submitted("invoicing.set_off", _("Compenser un avoir"), "invoicing.add_payment", REFUNDS)
def set_off(*, actor: Any, credited_id: int, invoice_id: int) -> Any:
    """Use what is owed back on one invoice for another."""
    return services.set_off(
        credited_id=credited_id, invoice_id=invoice_id, at=clock.now(), actor=actor
    )


@submitted("invoicing.write_off", _("Solder un trop-perçu"), "invoicing.add_payment", REFUNDS)
def write_off(*, actor: Any, invoice_id: int, reason: str) -> Any:
    """Write off what little was paid too much."""
    return services.write_off(invoice_id=invoice_id, kind=reason, at=clock.now(), actor=actor)


@submitted("invoicing.credit_lines", _("Établir un avoir"), "invoicing.add_invoice", REFUNDS)
def credit_lines(
    *, actor: Any, invoice_id: int, quantities: dict[str, str], reason: str, after_credits: int
) -> Any:
    """Credit some pieces of an invoice: line id → pieces."""
    return services.credit_lines(
        invoice_id=invoice_id,
        quantities={int(line): Decimal(count) for line, count in quantities.items()},
        reason=reason,
        after_credits=after_credits,
        at=clock.now(),
        actor=actor,
    )


@submitted(
    "invoicing.credit_elsewhere",
    _("Établir un avoir sur une facture d'un autre logiciel"),
    "invoicing.add_invoice",
    REFUNDS,
)
def credit_elsewhere(
    *,
    actor: Any,
    order_id: int,
    number: str,
    issued_on: str,
    quantities: dict[str, str],
    with_shipping: bool,
    reason: str,
    after_credits: int,
) -> Any:
    """Credit pieces of an order that another system invoiced: line id → pieces."""
    return services.credit_elsewhere(
        order_id=order_id,
        number=number,
        issued_on=date.fromisoformat(issued_on),
        quantities={int(line): Decimal(count) for line, count in quantities.items()},
        with_shipping=with_shipping,
        reason=reason,
        after_credits=after_credits,
        at=clock.now(),
        actor=actor,
    )


@submitted("invoicing.credit", _("Annuler une facture"), "invoicing.add_invoice", REFUNDS)
def credit(*, actor: Any, invoice_id: int, reason: str) -> Any:
    """Credit all that is left of an invoice."""
    return services.credit_invoice(
        invoice_id=invoice_id, amount=None, reason=reason, at=clock.now(), actor=actor
    )
