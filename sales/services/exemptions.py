"""Why an order bears no VAT, where neither its destination nor a number says it: somebody answers.

An invoice without VAT names the article that exempts it (CGI, ann. II, art. 242 nonies A, I-12°);
until then none is issued. Where the shop was wrong, VAT is taken out of what the customer paid.
"""

from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from customers.models import Customer
from sales.errors import ExemptionRefused
from sales.locks import lock_orders
from sales.models import Order, OrderLine
from sales.selectors import orders_without_tax_reason
from sphinx.core.money import ZERO, tax_included
from sphinx.core.services import record
from sphinx.core.texts import clean
from sphinx.core.validators import compact_vat_number, is_vat_number
from sphinx.core.vat import FRENCH_RATES

Exemption = Order.Exemption
SENTENCE_LENGTH = 200


@transaction.atomic
def explain_no_tax(
    *,
    order_id: int,
    exemption: str,
    vat_number: str = "",
    sentence: str = "",
    actor: Any = None,
) -> Order:
    """Say why an order bears no VAT; its invoice carries the article, and may be issued.

    Within the Union the customer's VAT number is asked for (CGI, art. 262 ter I, 1°), for any
    other reason the sentence to print.

    Raises:
        ExemptionRefused: nothing is to be said of the order, or the answer lacks its proof.
    """
    order = _asked(order_id)
    number, said = compact_vat_number(vat_number), clean(sentence)
    if exemption == Exemption.EU_BUSINESS:
        _check_number(order, number or order.vat_number)
    if exemption == Exemption.OTHER and not said:
        raise ExemptionRefused(
            _("Écrivez la phrase qui exonère, avec son article : elle sera sur la facture.")
        )
    if exemption not in Exemption.values:
        raise ExemptionRefused(_("Choisissez une raison."))
    order.exemption = exemption
    order.exemption_sentence = said[:SENTENCE_LENGTH] if exemption == Exemption.OTHER else ""
    if exemption == Exemption.EU_BUSINESS and number:
        order.vat_number = number
    order.save(update_fields=["exemption", "exemption_sentence", "vat_number"])
    record("order.exemption_said", [order], actor=actor, exemption=exemption,
           vat_number=order.vat_number, sentence=order.exemption_sentence)  # fmt: skip
    return order


@transaction.atomic
def charge_tax_within(*, order_id: int, rate: Decimal, actor: Any = None) -> Order:
    """Take VAT at `rate` (percent) out of an order that its shop charged without: what the
    customer paid stays, the firm bears the tax (CGI, art. 283: who sells owes it).

    Raises:
        ExemptionRefused: nothing is to be said of the order, or France knows no such rate.
    """
    order = _asked(order_id)
    if rate not in FRENCH_RATES or not rate:
        raise ExemptionRefused(_("Choisissez un taux de TVA en vigueur en France."))
    taxed = OrderLine.objects.filter(order=order, kind__in=TAXED)
    taxed.update(tax_rate=rate)
    order.shipping_tax_rate = rate
    order.taxes = _taxes(order, rate)
    order.total_tax = sum((Decimal(t["tax"]) for t in order.taxes), ZERO)
    order.save(update_fields=["shipping_tax_rate", "taxes", "total_tax"])
    record("order.tax_within", [order], actor=actor, rate=str(rate), tax=str(order.total_tax))
    return order


# What bears VAT when the shop should have charged it; gift cards, tips and duties never do.
TAXED = (OrderLine.Kind.GOODS, OrderLine.Kind.FEE)


def _taxes(order: Order, rate: Decimal) -> list[dict[str, str]]:
    """VAT by rate: of what bears it, and of what never does."""
    others = OrderLine.objects.filter(order=order).exclude(kind__in=TAXED)
    out_of_scope = sum((n.total_incl_tax - n.order_discount_incl_tax for n in others), ZERO)
    within = order.total_incl_tax - out_of_scope
    rows = [(rate, within, tax_included(within, rate)), (ZERO, out_of_scope, ZERO)]
    return [
        {"rate": str(r), "total_incl_tax": str(total), "tax": str(tax)}
        for r, total, tax in rows
        if total
    ]


def _asked(order_id: int) -> Order:
    order = lock_orders([order_id]).get()
    if not orders_without_tax_reason().filter(pk=order_id).exists():
        raise ExemptionRefused(
            _("Commande %s : il n'y a rien à dire de sa TVA, ou quelqu'un vient de répondre.")
            % order.number
        )
    return order


def _check_number(order: Order, number: str) -> None:
    if not is_vat_number(number):
        raise ExemptionRefused(
            _("« %s » n'est pas un n° de TVA d'un État de l'Union.") % (number or "")
        )
    if order.customer.kind != Customer.Kind.COMPANY:
        raise ExemptionRefused(
            _("%s est un particulier : dites d'abord sur sa fiche que c'est une société.")
            % order.customer.name
        )
