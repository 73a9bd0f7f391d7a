"""Suppliers' electronic invoices read: Factur-X (a PDF), CII or UBL, in the terms of EN 16931."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from django.utils.translation import gettext as _
from lxml import etree

from purchasing.models import SupplierInvoice
from sphinx.core.errors import InputError
from sphinx.core.exchange import EURO
from sphinx.core.money import ZERO, plain, spread, to_cents
from sphinx.core.texts import clean, said

Kind = SupplierInvoice.Kind
# Type codes (BT-3, UNTDID 1001) of what takes back.
_CREDITS = frozenset({"261", "262", "381", "396", "502", "503"})


class Read(NamedTuple):
    """What an electronic invoice says; amounts in its currency, `tax_eur` where it says it too."""

    kind: str
    number: str
    issued_on: date
    due_on: date | None
    order_reference: str
    seller: Mapping[str, str]
    lines: list[dict[str, str]]
    carriage: Decimal
    tax: Decimal
    tax_eur: Decimal | None
    currency: str
    total: Decimal


def read_einvoice(name: str, data: bytes) -> Read:
    """Read an invoice out of its file.

    Raises:
        InputError: it holds none, isn't valid, or doesn't add up.
    """
    xml = _xml_of_pdf(name, data) if data.startswith(b"%PDF") else data
    terms = _terms(name, xml)
    carriage = sum((_decimal(c["amount"]) for c in terms.get("BG-21", ())), ZERO)
    found = Read(
        kind=Kind.CREDIT_NOTE if terms["BT-3"] in _CREDITS else Kind.INVOICE,
        number=clean(terms["BT-1"], 60),
        issued_on=terms["BT-2"],
        due_on=terms.get("BT-9"),
        order_reference=clean(terms.get("BT-13", ""), 80),
        seller=terms["BG-4"],
        lines=_lines(terms),
        carriage=to_cents(carriage),
        tax=to_cents(_decimal(terms.get("BT-110", "0"))),
        tax_eur=_tax_in_euros(terms),
        currency=terms["BT-5"],
        total=to_cents(_decimal(terms["BT-112"])),
    )
    if any(Decimal(line["quantity"]) <= 0 for line in found.lines):
        raise _refused(name, _("quantité nulle ou négative"))
    goods = sum((Decimal(line["amount"]) for line in found.lines), ZERO)
    if goods + found.carriage + found.tax != found.total:
        raise InputError(
            _("%(name)s : lignes, port et TVA font %(sum)s, le total dit %(total)s.")
            % said({"name": name, "sum": goods + found.carriage + found.tax, "total": found.total}),
            code="einvoice.total",
        )
    return found


def _tax_in_euros(terms: Mapping[str, Any]) -> Decimal | None:
    """The VAT in euros (BT-111, its currency being BT-6) of an invoice in another currency."""
    if terms["BT-5"] == EURO or terms.get("BT-6") != EURO or not terms.get("BT-111"):
        return None
    return to_cents(_decimal(terms["BT-111"]))


def _xml_of_pdf(name: str, data: bytes) -> bytes:
    from facturx import get_xml_from_pdf

    try:
        _file, xml = get_xml_from_pdf(data, check_xsd=False)
    except Exception as error:
        raise _refused(name, str(error)) from error
    if not xml:
        raise InputError(
            _("%s est un PDF sans données : saisissez cette facture à la main.") % name,
            code="einvoice.plain_pdf",
        )
    return bytes(xml)


def _terms(name: str, xml: bytes) -> Any:
    from facturx import parse_ubl_cii_xml

    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    try:
        tree = etree.fromstring(xml, parser)
        if tree.getroottree().docinfo.doctype:
            raise ValueError("DOCTYPE")
        return parse_ubl_cii_xml(tree)
    except Exception as error:
        raise _refused(name, str(error)) from error


def _refused(name: str, reason: str) -> InputError:
    return InputError(
        _("%(name)s n'est pas une facture électronique valide (%(reason)s).")
        % {"name": name, "reason": clean(reason, 160)},
        code="einvoice.invalid",
    )


def _decimal(text: str) -> Decimal:
    return Decimal(str(text))


def _lines(terms: Mapping[str, Any]) -> list[dict[str, str]]:
    """Lines with the document's own discounts (BG-20) taken off them, in proportion."""
    rows = terms.get("BG-25", ())
    amounts = [to_cents(_decimal(row["BT-131"])) for row in rows]
    off = sum((to_cents(_decimal(a["amount"])) for a in terms.get("BG-20", ())), ZERO)
    shares = spread(off, amounts) if off and sum(amounts, ZERO) else [ZERO] * len(amounts)
    return [
        {
            "label": clean(row.get("BT-153", ""), 200),
            "reference": clean(row.get("BT-155", ""), 80),
            "sku": clean(row.get("BT-156", ""), 80),
            "barcode": clean(row.get("BT-157", ""), 14),
            "quantity": plain(_decimal(row["BT-129"])),
            "unit": clean(row.get("BT-130", ""), 3),
            "amount": str(amount - share),
        }
        for row, amount, share in zip(rows, amounts, shares, strict=True)
    ]
