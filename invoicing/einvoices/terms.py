"""An issued document in the terms of EN 16931 (BT and BG numbers): what is printed, structured.

Sources: EN 16931-1:2017; French rules BR-FR of the continuous transaction controls (AFNOR XP
Z12-012); codes of UNTDID 1001 (type), 5189 and 7161 (reasons), VATEX (exemptions). Everything
comes from what was frozen at issue.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from invoicing.models import Invoice, InvoiceLine, TaxBreakdown
from sphinx.core.money import ZERO, plain
from sphinx.core.vat import FRENCH_COUNTRIES, TaxRegime

Terms = dict[str, Any]
# Electronic addresses: the French directory's (SIREN), else e-mail.
FRENCH_DIRECTORY, EMAIL = "0225", "EM"
SIREN = "0002"
PIECE = "C62"
# Category and exemption code by regime, where no VAT is charged (VATEX code list).
_EXEMPT = {
    TaxRegime.EU_BUSINESS: ("K", "VATEX-EU-IC"),
    TaxRegime.EXPORT: ("G", "VATEX-EU-G"),
    TaxRegime.EXEMPT: ("E", "VATEX-FR-FRANCHISE"),
}
_VOUCHER = "Bon à usages multiples, hors du champ de la TVA (CGI, art. 256 ter)"
_NO_TAX = "Hors du champ de la TVA"
_TERMS_CODES = ("PMD", "PMT", "AAB")


def can_be_structured(invoice: Invoice) -> bool:
    """Whether what was frozen suffices: the seller's SIREN, and parties kept in parts."""
    parties = invoice.mentions.get("parties")
    return bool(parties and parties["seller"]["siren"])


def treatment_of(invoice: Invoice) -> str:
    """What the platform does of it (note BAR): B2B, B2BINT, B2C, B2CINT; blank when a French
    professional's SIREN is missing, so that nobody could be addressed."""
    buyer = invoice.mentions["parties"]["buyer"]
    is_french = buyer["country"] in FRENCH_COUNTRIES
    if not invoice.is_business:
        return "B2C" if is_french else "B2CINT"
    if not is_french:
        return "B2BINT"
    return "B2B" if buyer["siren"] else ""


def terms_of(
    invoice: Invoice, lines: Sequence[InvoiceLine], taxes: Sequence[TaxBreakdown]
) -> Terms:
    """The document's terms; amounts as strings of two decimals, EUR unless its currency says
    otherwise."""
    original = invoice.credited_invoice
    deposits = invoice.mentions.get("deposits", [])
    is_paid = invoice.sign > 0 and invoice.paid_incl_tax == invoice.total_incl_tax
    terms: Terms = {
        "BT-1": invoice.number,
        "BT-2": invoice.issued_on,
        "BT-3": _type_of(invoice),
        "BT-5": invoice.currency,
        "BT-9": invoice.due_on,
        "BT-13": invoice.order_number[:50],
        # Goods: the rest after a down payment, paid already, or to be paid.
        "BT-23": "B4" if deposits else "B2" if is_paid else "B1",
        "BG-1": _notes(invoice),
        "BG-4": _seller(invoice),
        "BG-7": _buyer(invoice),
        "BG-13": _delivery(invoice),
        "BG-25": [_line(invoice, line) for line in lines],
        "BG-23": _breakdown(invoice, lines, taxes),
        **_payment(invoice, is_paid=is_paid),
        **_totals(invoice, lines),
    }
    delivered = invoice.delivered_on or (original.delivered_on if original else None)
    if delivered:
        terms["BT-72"] = delivered
    shipped = [n["shipped_on"] for n in invoice.mentions.get("notes", ()) if n["shipped_on"]]
    if shipped and invoice.sign > 0:
        # The period of the deliveries (BG-14).
        terms["BT-73"] = date.fromisoformat(min(shipped))
        terms["BT-74"] = date.fromisoformat(max(shipped))
    if invoice.mentions["delivery_note"]:
        terms["BT-16"] = invoice.mentions["delivery_note"]
    if invoice.corrected:
        number, issued_on = invoice.corrected
        terms["BG-3"] = [{"BT-25": number, "BT-26": issued_on}]
    elif deposits:
        terms["BG-3"] = [
            {"BT-25": d["number"], "BT-26": date.fromisoformat(d["issued_on"])} for d in deposits
        ]
    return terms


def _type_of(invoice: Invoice) -> str:
    """UNTDID 1001: invoice, down-payment invoice, credit note."""
    if invoice.sign < 0:
        return "381"
    return "386" if invoice.is_down_payment else "380"


def _notes(invoice: Invoice) -> list[Terms]:
    mentions = invoice.mentions
    notes = [{"BT-22": text} for text in [mentions["operation"], *mentions["sentences"]]]
    if invoice.sign < 0 and invoice.reason:
        notes.append({"BT-22": invoice.reason})
    treatment = treatment_of(invoice)
    if treatment:
        notes.append({"BT-21": "BAR", "BT-22": treatment})
    texts = mentions["terms"] or ["Sans objet : client particulier."] * len(_TERMS_CODES)
    notes += [
        {"BT-21": code, "BT-22": text} for code, text in zip(_TERMS_CODES, texts, strict=True)
    ]
    return notes


def _address(party: Terms) -> Terms:
    found = {
        "name": party["name"],
        "addr_l1": party["address1"],
        "addr_l2": party["address2"],
        "postcode": party["postcode"],
        "city": party["city"],
        "country_code": party["country"] or "FR",
    }
    return {key: value for key, value in found.items() if value}


def _seller(invoice: Invoice) -> Terms:
    seller = invoice.mentions["parties"]["seller"]
    party = _address(seller) | {
        "legal_identifier": seller["siren"],
        "legal_identifier_schemeid": SIREN,
        "einvoicing_addr": seller["siren"],
        "einvoicing_addr_schemeid": FRENCH_DIRECTORY,
    }
    if seller["vat_number"]:
        party["vat_identifier"] = seller["vat_number"]
    else:
        party["tax_identifier"] = seller["siren"]
    if invoice.mentions["seller"]["legal"]:
        party["legal_info"] = invoice.mentions["seller"]["legal"]
    return party


def _buyer(invoice: Invoice) -> Terms:
    buyer = invoice.mentions["parties"]["buyer"]
    party = _address(buyer)
    if buyer["siren"]:
        party |= {
            "legal_identifier": buyer["siren"],
            "legal_identifier_schemeid": SIREN,
            "einvoicing_addr": buyer["siren"],
            "einvoicing_addr_schemeid": FRENCH_DIRECTORY,
        }
    else:
        party |= {
            "einvoicing_addr": buyer["email"] or f"{invoice.customer_code}@invalid",
            "einvoicing_addr_schemeid": EMAIL,
        }
    if buyer["vat_number"]:
        party["vat_identifier"] = buyer["vat_number"]
    return party


def _delivery(invoice: Invoice) -> Terms:
    parties = invoice.mentions["parties"]
    return _address(parties["delivery"] or parties["buyer"])


def _category(invoice: Invoice, line: InvoiceLine) -> tuple[str, str, str]:
    """Category, exemption code and reason of a line (BT-151, BT-121, BT-120)."""
    if line.tax_rate:
        return "S", "", ""
    if invoice.tax_regime in _EXEMPT:
        category, code = _EXEMPT[TaxRegime(invoice.tax_regime)]
        return category, code, next(iter(invoice.mentions["sentences"]), "")
    if line.kind == InvoiceLine.Kind.GIFT_CARD:
        return "E", "", _VOUCHER
    if line.kind in (InvoiceLine.Kind.TIP, InvoiceLine.Kind.DUTIES):
        return "E", "", _NO_TAX
    if said := invoice.mentions.get("exemption"):
        return "E", "", said
    return "Z", "", ""


def _line(invoice: Invoice, line: InvoiceLine) -> Terms:
    category, _code, _reason = _category(invoice, line)
    price = line.amount_excl_tax / line.quantity
    terms: Terms = {
        "BT-126": str(line.position),
        "BT-129": plain(line.quantity),
        "BT-130": PIECE,
        "BT-131": f"{line.total_excl_tax:.2f}",
        # The decimals that make quantity × price the amount, to the cent.
        "BT-146": f"{price:.6f}",
        "BT-151": category,
        "BT-152": f"{line.tax_rate:.2f}",
        "BT-153": line.label or line.sku or str(line.position),
    }
    if line.sku:
        terms["BT-155"] = line.sku
    if line.discount_excl_tax:
        terms["BG-27"] = [
            {
                "amount": f"{line.discount_excl_tax:.2f}",
                "reason": "Remise",
                "reason_code": "95",
            }
        ]
    return terms


def _breakdown(
    invoice: Invoice, lines: Sequence[InvoiceLine], taxes: Iterable[TaxBreakdown]
) -> list[Terms]:
    """VAT by category and rate; without VAT the lines tell why, category by category."""
    found = [
        {
            "BT-116": f"{tax.base_excl_tax:.2f}",
            "BT-117": f"{tax.tax:.2f}",
            "BT-118": "S",
            "BT-119": f"{tax.tax_rate:.2f}",
        }
        for tax in taxes
        if tax.tax_rate
    ]
    untaxed: dict[tuple[str, str, str], Decimal] = {}
    for line in lines:
        if not line.tax_rate:
            key = _category(invoice, line)
            untaxed[key] = untaxed.get(key, ZERO) + line.total_excl_tax
    for (category, code, reason), base in untaxed.items():
        entry = {
            "BT-116": f"{base:.2f}",
            "BT-117": "0.00",
            "BT-118": category,
            "BT-119": "0.00",
        }
        if reason:
            entry["BT-120"] = reason
        if code:
            entry["BT-121"] = code
        found.append(entry)
    return found


def _payment(invoice: Invoice, *, is_paid: bool) -> Terms:
    iban = invoice.mentions["seller"]["iban"].replace(" ", "")
    if iban and not is_paid:
        return {"BT-81": "30", "BT-84": iban}
    terms: Terms = {"BT-81": "1"}
    if invoice.mentions["payment_method"]:
        terms["BT-82"] = invoice.mentions["payment_method"][:100]
    return terms


def _totals(invoice: Invoice, lines: Iterable[InvoiceLine]) -> Terms:
    net = sum((line.total_excl_tax for line in lines), ZERO)
    return {
        "BT-106": f"{net:.2f}",
        "BT-109": f"{invoice.total_excl_tax:.2f}",
        "BT-110": f"{invoice.total_tax:.2f}",
        "BT-112": f"{invoice.total_incl_tax:.2f}",
        "BT-113": f"{invoice.paid_incl_tax:.2f}",
        "BT-115": f"{invoice.total_incl_tax - invoice.paid_incl_tax:.2f}",
    }
