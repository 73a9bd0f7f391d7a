"""Suppliers' electronic invoices read: Factur-X (a PDF), CII or UBL, in the terms of EN 16931."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from django.utils.translation import gettext as _
from lxml import etree

from purchasing.models import SupplierInvoice
from sphinx.core.errors import InputError
from sphinx.core.exchange import EURO
from sphinx.core.money import ZERO, plain, spread, to_cents
from sphinx.core.texts import clean, fold, said

Kind = SupplierInvoice.Kind
# Type codes (BT-3, UNTDID 1001) of what takes back.
_CREDITS = frozenset({"261", "262", "381", "396", "502", "503"})
# Reasons of charges (BT-105, UNTDID 7161): delivery, freight, shipping and handling.
_CARRIAGE = frozenset({"DL", "FC", "SAA"})
_CARRIAGE_WORDS = re.compile(
    r"\b(port|transport|livraison|expedition|fret|acheminement|freight|shipping|delivery|carriage)\b"
)


class Read(NamedTuple):
    """What an electronic invoice says; amounts in its currency, `tax_eur` where it says it too.

    `total` is what it comes to with its rounding (BT-112 + BT-114), `prepaid` what of that was
    paid before (BT-113).
    """

    kind: str
    number: str
    issued_on: date
    due_on: date | None
    order_reference: str
    seller: Mapping[str, str]
    buyer: Mapping[str, str]
    lines: list[dict[str, str]]
    carriage: Decimal
    tax: Decimal
    tax_eur: Decimal | None
    currency: str
    total: Decimal
    rounding: Decimal = ZERO
    prepaid: Decimal = ZERO


def read_einvoice(name: str, data: bytes) -> Read:
    """Read an invoice out of its file.

    Amounts are those that it states: a line's is BT-131, whatever its price and the quantity that
    the price is for (BT-149) would make. An invoice below zero is a credit note, and the reverse.

    Raises:
        InputError: it holds none, isn't valid, or doesn't add up.
    """
    xml = _xml_of_pdf(name, data) if data.startswith(b"%PDF") else data
    terms = _terms(name, xml)
    lines, carriage = _lines(terms)
    rounding = to_cents(_decimal(terms.get("BT-114", "0")))
    found = Read(
        kind=Kind.CREDIT_NOTE if terms["BT-3"] in _CREDITS else Kind.INVOICE,
        number=clean(terms["BT-1"], 60),
        issued_on=terms["BT-2"],
        due_on=terms.get("BT-9"),
        order_reference=clean(terms.get("BT-13", ""), 80),
        seller=terms["BG-4"],
        buyer=terms.get("BG-7", {}),
        lines=lines,
        carriage=carriage,
        tax=to_cents(_decimal(terms.get("BT-110", "0"))),
        tax_eur=_tax_in_euros(terms),
        currency=terms["BT-5"],
        total=to_cents(_decimal(terms["BT-112"])) + rounding,
        rounding=rounding,
        prepaid=to_cents(_decimal(terms.get("BT-113", "0"))),
    )
    _check_sums(name, found, due=terms.get("BT-115"))
    return _turned(found) if found.total < 0 else found


def _check_sums(name: str, found: Read, due: str | None) -> None:
    """Raises InputError: lines and VAT aren't the total, or the total less what was paid isn't
    what is due (BT-115)."""
    net = sum((Decimal(line["amount"]) for line in found.lines), ZERO)
    made = net + found.carriage + found.tax + found.rounding
    if made != found.total:
        raise InputError(
            _("%(name)s : lignes, port et TVA font %(sum)s, le total dit %(total)s.")
            % said({"name": name, "sum": made, "total": found.total}),
            code="einvoice.total",
        )
    left = found.total - found.prepaid
    if due is not None and to_cents(_decimal(due)) != left:
        raise InputError(
            _("%(name)s : total, arrondi et acompte laissent %(left)s à payer, elle dit %(due)s.")
            % said({"name": name, "left": left, "due": to_cents(_decimal(due))}),
            code="einvoice.total",
        )


def _turned(found: Read) -> Read:
    """The same the other way round: what is below zero is owed by the supplier."""
    turned = {"amount", "tax"}
    return found._replace(
        kind=Kind.INVOICE if found.kind == Kind.CREDIT_NOTE else Kind.CREDIT_NOTE,
        lines=[
            {key: str(-Decimal(v)) if key in turned else v for key, v in line.items()}
            | {"quantity": plain(-Decimal(line["quantity"]))}
            for line in found.lines
        ],
        carriage=-found.carriage,
        tax=-found.tax,
        tax_eur=None if found.tax_eur is None else -found.tax_eur,
        total=-found.total,
        rounding=-found.rounding,
        prepaid=-found.prepaid,
    )


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
        _spell_booleans(tree)
        return parse_ubl_cii_xml(tree, level="en16931" if _is_comfort(tree) else "autodetect")
    except Exception as error:
        raise _refused(name, str(error)) from error


def _spell_booleans(tree: Any) -> None:
    """0 and 1 are false and true in XML's schemas, but not to facturx."""
    for indicator in tree.iter("{*}ChargeIndicator", "{*}Indicator"):
        text = (indicator.text or "").strip()
        indicator.text = {"0": "false", "1": "true"}.get(text, indicator.text)


def _is_comfort(tree: Any) -> bool:
    """Whether it calls the level of EN 16931 what it was called before the norm: comfort."""
    named = tree.iterfind(".//{*}GuidelineSpecifiedDocumentContextParameter/{*}ID")
    return any((found.text or "").strip().endswith(":comfort") for found in named)


def _refused(name: str, reason: str) -> InputError:
    return InputError(
        _("%(name)s n'est pas une facture électronique valide (%(reason)s).")
        % {"name": name, "reason": clean(reason, 160)},
        code="einvoice.invalid",
    )


def _decimal(text: str) -> Decimal:
    return Decimal(str(text))


class _Item(NamedTuple):
    """An amount of the invoice (excl. tax), the VAT it is under, and the rest of its line."""

    amount: Decimal
    category: str
    rate: str
    row: dict[str, str]

    @property
    def vat(self) -> tuple[str, Decimal]:
        return self.category, _decimal(self.rate or "0")


def _lines(terms: Mapping[str, Any]) -> tuple[list[dict[str, str]], Decimal]:
    """Lines, each with its part of the VAT, and carriage.

    The document's own discounts (BG-20) are taken off the lines under the same VAT, in proportion;
    its charges (BG-21) are carriage, or lines of their own.
    """
    items = [_line(row) for row in terms.get("BG-25", ())]
    carriage: list[_Item] = []
    for charge in terms.get("BG-21", ()):
        item = _of_document(charge)
        (carriage if _is_carriage(charge) else items).append(item)
    for allowance in terms.get("BG-20", ()):
        items = _taken_off(items, _of_document(allowance))
    items = [item for item in items if item.amount or _decimal(item.row["quantity"])]
    taxes = _taxes([*items, *carriage], terms.get("BG-23", ()))
    lines = [
        item.row | {"amount": str(item.amount), "rate": item.rate, "tax": str(tax)}
        for item, tax in zip(items, taxes, strict=False)
    ]
    return lines, sum((item.amount for item in carriage), ZERO)


def _line(row: Mapping[str, Any]) -> _Item:
    kept = {
        "label": clean(row.get("BT-153", ""), 200),
        "reference": clean(row.get("BT-155", ""), 80),
        "sku": clean(row.get("BT-156", ""), 80),
        "barcode": clean(row.get("BT-157", ""), 14),
        "quantity": plain(_decimal(row["BT-129"])),
        "unit": clean(row.get("BT-130", ""), 3),
    }
    amount = to_cents(_decimal(row["BT-131"]))
    return _Item(amount, row.get("BT-151", ""), row.get("BT-152", ""), kept)


def _of_document(found: Mapping[str, Any]) -> _Item:
    """A charge or an allowance of the whole document, as a line that is no goods."""
    reason = clean(found.get("reason", ""), 200) or _("Frais de la facture")
    row = {
        "label": reason, "reference": "", "sku": "", "barcode": "", "quantity": "1", "unit": "",
    }  # fmt: skip
    amount = to_cents(_decimal(found["amount"]))
    return _Item(amount, found.get("vat_category_code", ""), found.get("vat_rate", ""), row)


def _is_carriage(charge: Mapping[str, Any]) -> bool:
    """By its code (UNTDID 7161), else by its words; a charge that says nothing is."""
    code, reason = charge.get("reason_code", ""), fold(charge.get("reason", ""))
    if not code and not reason:
        return True
    return code in _CARRIAGE or _CARRIAGE_WORDS.search(reason) is not None


def _taken_off(items: Sequence[_Item], off: _Item) -> list[_Item]:
    """A discount of the document off what is above zero under its VAT, else a line of its own."""
    same = [item if item.vat == off.vat else item._replace(amount=ZERO) for item in items]
    weights = [max(item.amount, ZERO) for item in same]
    if not sum(weights, ZERO):
        return [*items, off._replace(amount=-off.amount)] if off.amount else list(items)
    shares = spread(off.amount, weights)
    return [
        item._replace(amount=item.amount - share) for item, share in zip(items, shares, strict=True)
    ]


def _taxes(items: Sequence[_Item], breakdown: Sequence[Mapping[str, Any]]) -> list[Decimal]:
    """Each item's part of the VAT that the document states for its category and rate (BG-23)."""
    stated: dict[tuple[str, Decimal], Decimal] = {}
    for part in breakdown:
        key = part.get("BT-118", ""), _decimal(part.get("BT-119", "0"))
        stated[key] = stated.get(key, ZERO) + to_cents(_decimal(part["BT-117"]))
    taxes = [ZERO] * len(items)
    for key, tax in stated.items():
        group = [i for i, item in enumerate(items) if item.vat == key]
        weights = [items[i].amount for i in group]
        if sum(weights, ZERO):
            for i, share in zip(group, spread(tax, weights), strict=True):
                taxes[i] = share
    return taxes
