"""What an invoice must say besides its lines, frozen at issue.

Sources: CGI, ann. II, art. 242 nonies A (decree 2022-1299 included); C. com. L441-9, L441-10,
D441-5. The 40 EUR indemnity concerns professionals only.
"""

from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _

from customers.models import Customer
from sales.models import DeliveryNote, Order
from sphinx.core.clock import business_date
from sphinx.core.letterhead import address_lines, language_for, payment_sentences, seller_of
from sphinx.core.models import Company
from sphinx.core.vat import legal_sentence


def language_of(order: Order) -> str:
    """The language of an order's documents, by where they are sent."""
    return language_for(order.billing_country or order.shipping_country)


def mentions_of(
    firm: Company, order: Order, customer: Customer, note: DeliveryNote | None
) -> dict[str, Any]:
    """Seller, buyer, delivery, sentences: plain values, nothing is looked up when printing."""
    language = language_of(order)
    with translation.override(language):
        return {"language": language, **_mentions(firm, order, customer, note)}


def _mentions(
    firm: Company, order: Order, customer: Customer, note: DeliveryNote | None
) -> dict[str, Any]:
    billing = address_lines(order, "billing")
    shipping = address_lines(order, "shipping")
    is_business = customer.kind == Customer.Kind.COMPANY
    sentences = [
        legal_sentence(
            order.invoiced_regime,
            order.shipping_country or order.billing_country,
            order.shipping_postcode or order.billing_postcode,
        ),
        order.exemption_sentence,
        _("Option pour le paiement de la taxe d'après les débits") if firm.taxes_on_debits else "",
    ]
    return {
        "seller": seller_of(firm),
        "buyer": {
            "lines": billing or [customer.name],
            "siren": customer.siren if is_business else "",
            "vat_number": order.vat_number or customer.vat_number if is_business else "",
        },
        "delivery": shipping if shipping and shipping != billing else [],
        "parties": parties_of(firm, order, customer),
        "operation": _("Livraison de biens"),
        "payment_method": order.payment_method,
        "ordered_on": business_date(order.placed_at).isoformat(),
        "delivery_note": note.number if note else "",
        "sentences": [s for s in sentences if s],
        "terms": payment_sentences(firm) if is_business else [],
        **({"exemption": order.exemption_sentence} if order.exemption_sentence else {}),
    }


def parties_of(firm: Company, order: Order, customer: Customer) -> dict[str, Any]:
    """Seller, buyer and place of delivery in parts, as a structured invoice wants them."""
    is_business = customer.kind == Customer.Kind.COMPANY
    billing = _parts(order, "billing", customer.name)
    shipping = _parts(order, "shipping", customer.name)
    return {
        "seller": {
            "name": firm.name,
            "address1": firm.address1,
            "address2": firm.address2,
            "postcode": firm.postcode,
            "city": firm.city,
            "country": firm.country,
            "siren": firm.siren,
            "vat_number": firm.vat_number,
        },
        "buyer": {
            **billing,
            "country": billing["country"] or shipping["country"] or firm.country,
            "email": customer.email,
            "siren": customer.siren if is_business else "",
            "vat_number": order.vat_number or customer.vat_number if is_business else "",
        },
        "delivery": shipping if shipping["country"] else None,
    }


def _parts(order: Order, prefix: str, name: str) -> dict[str, str]:
    def part(field: str) -> str:
        return str(getattr(order, f"{prefix}_{field}"))

    found = {p: part(p) for p in ("address1", "address2", "postcode", "city", "country")}
    return {"name": part("company") or part("name") or name, **found}
