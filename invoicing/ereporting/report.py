"""The e-reporting file of sales: consumers' by day, category and rate; firms' abroad one by one.

Source: DGFiP, Spécifications externes v3.2 (30 April 2026), annex 6 (flux 10.1 and 10.3; TT and TG
numbers) and annex 7 (rules G). Payments (10.2, 10.4) concern services only and are left out:
the tax on goods is due at delivery (CGI art. 269, 2, a).
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from lxml import etree

from sphinx.core.clock import PARIS
from sphinx.core.money import ZERO
from sphinx.core.territories import EU_COUNTRIES

Terms = Mapping[str, Any]
# ICD codes of identifiers (G2.19): SIREN, VAT number of another member state, outside the Union.
_SIREN, _EU, _OUTSIDE, _PLATFORM = "0002", "0223", "0227", "0238"
_PROFILE = "urn.cpro.gouv.fr:1p0:ereporting"
_CREDIT = "381"


class Category:
    """Kinds of sales (G1.68)."""

    TAXED_GOODS = "TLB1"
    # Distance sales at another state's rate, exports, exempt small firms.
    NOT_TAXED_HERE = "TNT1"


class Header(NamedTuple):
    """Who reports which days, through which platform."""

    identifier: str
    created_at: datetime
    is_correction: bool
    platform_id: str
    platform_name: str
    siren: str
    name: str
    first_on: date
    last_on: date


class DaySales(NamedTuple):
    """A day's documents of a category, credit notes taken off: rate → (net, VAT) in EUR."""

    day: date
    category: str
    documents: int
    rates: Mapping[Decimal, tuple[Decimal, Decimal]]


def report_xml(header: Header, days: Iterable[DaySales], invoices: Iterable[Terms]) -> bytes:
    """The file; `invoices` are documents in the terms of EN 16931."""
    root = etree.Element("Report")
    _document(root, header)
    sales = etree.SubElement(root, "TransactionsReport")
    _texts(sales, "ReportPeriod", StartDate=_day(header.first_on), EndDate=_day(header.last_on))
    for terms in invoices:
        _invoice(sales, terms)
    for day in days:
        _transactions(sales, day)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def report_faults(xml: bytes) -> list[str]:
    """Where a file departs from the administration's schema; none when it is valid."""
    schema = _schema()
    schema.validate(etree.fromstring(xml))
    return [f"{error.line} : {error.message}" for error in schema.error_log]


@lru_cache(maxsize=1)
def _schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(Path(__file__).parent / "xsd" / "ereporting.xsd"))


def _document(root: Any, header: Header) -> None:
    document = etree.SubElement(root, "ReportDocument")
    _text(document, "Id", header.identifier)
    moment = header.created_at.astimezone(PARIS).strftime("%Y%m%d%H%M%S")
    _texts(document, "IssueDateTime", DateTimeString=moment)
    _text(document, "TypeCode", "RE" if header.is_correction else "IN")
    for tag, scheme, identifier, name, role in (
        ("Sender", _PLATFORM, header.platform_id, header.platform_name, "WK"),
        ("Issuer", _SIREN, header.siren, header.name, "SE"),
    ):
        party = etree.SubElement(document, tag)
        _text(party, "Id", identifier, schemeId=scheme)
        _text(party, "Name", name[:150])
        _text(party, "RoleCode", role)


def _transactions(sales: Any, day: DaySales) -> None:
    """A day's group (TG-31); its totals are those of its rates, to the cent (G1.53)."""
    node = etree.SubElement(sales, "Transactions")
    _text(node, "Date", _day(day.day))
    _text(node, "TransactionsCurrency", "EUR")
    _text(node, "CategoryCode", day.category)
    _text(node, "TaxExclusiveAmount", _sum(net for net, _tax in day.rates.values()))
    _text(node, "TaxTotal", _sum(tax for _net, tax in day.rates.values()))
    _text(node, "TransactionsCount", str(day.documents))
    for rate, (net, tax) in sorted(day.rates.items(), reverse=True):
        _texts(
            node,
            "TaxSubtotal",
            TaxPercent=f"{rate:.2f}",
            TaxableAmount=f"{net:.2f}",
            TaxTotal=f"{tax:.2f}",
        )


def _invoice(sales: Any, terms: Terms) -> None:
    """A document of a firm abroad (TG-8)."""
    node = etree.SubElement(sales, "Invoice")
    _text(node, "ID", terms["BT-1"])
    _text(node, "IssueDate", _day(terms["BT-2"]))
    _text(node, "TypeCode", terms["BT-3"])
    _text(node, "CurrencyCode", terms["BT-5"])
    _text(node, "DueDate", _day(terms["BT-9"]))
    for note in terms["BG-1"]:
        if note.get("BT-21") == "AAB" and terms["BT-3"] != _CREDIT:
            _texts(node, "IncludedNote", Subject="AAB", Content=note["BT-22"][:1024])
    _texts(node, "BusinessProcess", ID=terms["BT-23"], TypeID=_PROFILE)
    for before in terms.get("BG-3", ()):
        _texts(node, "ReferencedDocument", ID=before["BT-25"], IssueDate=_day(before["BT-26"]))
    seller, buyer = terms["BG-4"], terms["BG-7"]
    _party(node, "Seller", (_SIREN, seller["legal_identifier"]), seller)
    _party(node, "Buyer", _buyer_id(buyer), buyer)
    _delivery(node, terms)
    total = etree.SubElement(node, "MonetaryTotal")
    _text(total, "TaxExclusiveAmount", terms["BT-109"])
    _text(total, "TaxAmount", terms["BT-110"], CurrencyCode=terms["BT-5"])
    for tax in terms["BG-23"]:
        _tax(node, tax)
    for line in terms["BG-25"]:
        _line(node, line)


def _buyer_id(buyer: Terms) -> tuple[str, str]:
    """Its VAT number in the Union, else its country and the start of its name (G2.19)."""
    country = buyer["country_code"]
    if country in EU_COUNTRIES and "vat_identifier" in buyer:
        return _EU, buyer["vat_identifier"][:18]
    return _OUTSIDE, f"{country}{buyer['name'][:16]}"


def _party(node: Any, tag: str, identity: tuple[str, str], party: Terms) -> None:
    scheme, identifier = identity
    found = etree.SubElement(node, tag)
    _text(found, "CompanyId", identifier, schemeId=scheme)
    if scheme in (_SIREN, _EU) and "vat_identifier" in party:
        _text(found, "TaxRegistrationId", party["vat_identifier"], qualifyingId="VAT")
    _texts(found, "PostalAddress", CountryId=party["country_code"])


def _delivery(node: Any, terms: Terms) -> None:
    place, found = terms["BG-13"], etree.SubElement(node, "Delivery")
    if "BT-72" in terms:
        _text(found, "Date", _day(terms["BT-72"]))
    where = {
        "LineOne": place.get("addr_l1"),
        "LineTwo": place.get("addr_l2"),
        "CityName": place.get("city"),
        "PostalZone": place.get("postcode"),
        "CountryId": place["country_code"],
    }
    _texts(found, "Location", **{tag: text for tag, text in where.items() if text})


def _tax(node: Any, tax: Terms) -> None:
    found = etree.SubElement(node, "TaxSubTotal")
    _text(found, "TaxableAmount", tax["BT-116"])
    _text(found, "TaxAmount", tax["BT-117"])
    category = {"Code": tax["BT-118"], "Percent": tax["BT-119"]}
    if "BT-120" in tax:
        category["TaxExemptionReason"] = tax["BT-120"]
    if "BT-121" in tax:
        category["TaxExemptionReasonCode"] = tax["BT-121"]
    _texts(found, "TaxCategory", **category)


def _line(node: Any, line: Terms) -> None:
    found = etree.SubElement(node, "Line")
    _text(found, "BilledQuantity", line["BT-129"], UnitCode=line["BT-130"])
    for allowance in line.get("BG-27", ()):
        off = etree.SubElement(found, "AllowanceCharge", ChargeIndicator="false")
        _text(off, "Amount", allowance["amount"])
    _texts(found, "Price", PriceAmount=line["BT-146"])
    _texts(found, "Product", Name=line["BT-153"][:255])


def _text(node: Any, tag: str, text: str, **attributes: str) -> None:
    etree.SubElement(node, tag, **attributes).text = text


def _texts(node: Any, group: str, **texts: str) -> None:
    found = etree.SubElement(node, group)
    for tag, text in texts.items():
        _text(found, tag, text)


def _day(day: date) -> str:
    return day.strftime("%Y%m%d")


def _sum(amounts: Iterable[Decimal]) -> str:
    return f"{sum(amounts, ZERO):.2f}"
