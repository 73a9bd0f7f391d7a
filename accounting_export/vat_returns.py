"""What VAT returns ask of the books: the CA3, the one-stop shop, the list of sales to the Union.

All figures come from the journal's lines, so that they are the ones that the accountant has. Boxes
are those of form 3310-CA3-SD as public programs fill it (OCA's l10n_fr_account_vat_return, 2025).
The return is in whole euros, 0.50 counts as one: both are given. Sales without VAT under article
293 B are in no return.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Sum
from django.db.models.fields.json import KT
from django.utils.translation import gettext as _

from accounting_export.models import AccountRule, JournalLine
from invoicing.models import Invoice
from purchasing.expense_accounts import SERVICES
from sphinx.core.money import ZERO, to_cents
from sphinx.core.services import company
from sphinx.core.territories import EU_COUNTRIES
from sphinx.core.vat import NORMAL_RATE, TaxRegime
from sphinx.core.vat_rates import rate_periods

Nature = AccountRule.Nature
# Gift cards are no sale yet (CGI, art. 256 ter).
SALES = (
    Nature.GOODS, Nature.SHIPPING, Nature.FEE, Nature.DUTIES, Nature.TIP, Nature.DEPOSIT,
    Nature.DISCOUNT,
)  # fmt: skip
_PURCHASES = (Nature.PURCHASES, Nature.CARRIAGE, Nature.EXPENSE)
_OVERSEAS = "97"


class Sold(NamedTuple):
    """Sales at one rate to one country (EUR): base excl. tax and VAT."""

    regime: str
    country: str
    rate: Decimal
    base: Decimal
    tax: Decimal


class Box(NamedTuple):
    """A box of the CA3: its amount, and the sales behind it as a query of the documents' page."""

    code: str
    label: str
    base: Decimal | None
    tax: Decimal | None
    query: str = ""

    @property
    def rounded(self) -> tuple[Decimal | None, Decimal | None]:
        """In whole euros, as the form wants them."""
        return whole_euros(self.base), whole_euros(self.tax)


def whole_euros(amount: Decimal | None) -> Decimal | None:
    """Half up: 0.50 counts as one."""
    return None if amount is None else amount.quantize(Decimal(1), rounding=ROUND_HALF_UP)


def sales(first: date, last: date) -> list[Sold]:
    """Sales booked in the days from first to last, both included."""
    lines = JournalLine.objects.filter(
        entry__invoice__isnull=False,
        entry__entry_date__range=(first, last),
        nature__in=(*SALES, Nature.TAX),
    )
    sums: dict[tuple[str, str, Decimal], list[Decimal]] = defaultdict(lambda: [ZERO, ZERO])
    rows = (
        lines.order_by()
        .values("entry__invoice__tax_regime", "entry__invoice__country", "tax_rate", "nature")
        .annotate(amount=Sum(F("credit") - F("debit")))
    )
    for row in rows:
        key = (
            row["entry__invoice__tax_regime"],
            row["entry__invoice__country"],
            row["tax_rate"] or ZERO,
        )
        sums[key][row["nature"] == Nature.TAX] += to_cents(row["amount"])
    return [
        Sold(regime, country, rate, base, tax)
        for (regime, country, rate), (base, tax) in sorted(
            sums.items(), key=lambda item: (item[0][0], item[0][1], -item[0][2])
        )
        if base or tax
    ]


# --- CA3 --------------------------------------------------------------------------------------


# Rate → box of its base and VAT, in mainland France.
_RATE_BOXES = {
    "20.00": ("08", "Taux normal 20 %"),
    "5.50": ("09", "Taux réduit 5,5 %"),
    "10.00": ("9B", "Taux réduit 10 %"),
    "8.50": ("10", "DOM, taux normal 8,5 %"),
    "2.10": ("T6", "France continentale, taux 2,1 %"),
    "0.90": ("T5", "Corse, taux 0,9 %"),
}


def ca3(first: date, last: date) -> list[Box]:
    """The boxes of the CA3 that the books fill, empty ones left out.

    Goods from the Union are taxed by the buyer: their base is in B2 and in the box of their rate,
    their VAT in 17 too, and deducted in 20. So are services from abroad, whose base is in A3. Sales
    at Corsican rates other than 0.9 % stand with the mainland's.
    """
    sold = sales(first, last)
    services, on_services = _services_from_abroad(first, last)
    acquired = _acquisitions(first, last, on_services)
    deductible = _deductible(first, last)

    def base_of(*regimes: str, taxed: bool | None = None) -> Decimal:
        return sum(
            (
                s.base
                for s in sold
                if s.regime in regimes and (taxed is None or bool(s.rate) == taxed)
            ),
            ZERO,
        )

    gross: dict[Decimal, list[Decimal]] = defaultdict(lambda: [ZERO, ZERO])
    for s in sold:
        if s.regime == TaxRegime.DOMESTIC and s.rate:
            gross[s.rate][0] += s.base
            gross[s.rate][1] += s.tax
    for rate, (base, tax) in acquired.items():
        gross[rate][0] += base
        gross[rate][1] += tax
    if services:
        gross[NORMAL_RATE][0] += services
        gross[NORMAL_RATE][1] += on_services
    total = sum((tax for _base, tax in gross.values()), ZERO)
    on_acquisitions = sum((tax for _base, tax in acquired.values()), ZERO)
    boxes = [
        Box("A1", _("Ventes, prestations de services"), base_of("domestic", taxed=True), None,
            "regime=domestic&taxed=1"),
        Box("A3", _("Achats de prestations de services à un assujetti non établi en France"),
            services, None),
        Box("B2", _("Acquisitions intracommunautaires"),
            sum((base for base, _tax in acquired.values()), ZERO), None),
        Box("E1", _("Exportations hors UE"), base_of("export"), None, "regime=export"),
        Box("E2", _("Autres opérations non imposables"), base_of("domestic", taxed=False), None,
            "regime=domestic&taxed=0"),
        Box("E3", _("Ventes à distance taxables dans un autre État membre (B to C)"),
            base_of("oss"), None, "regime=oss"),
        Box("F2", _("Livraisons intracommunautaires (B to B)"), base_of("eu_business"), None,
            "regime=eu_business"),
        *_by_rate(gross),
        Box("16", _("TVA brute"), None, total),
        Box("17", _("dont TVA sur acquisitions intracommunautaires"), None, on_acquisitions),
        Box("20", _("TVA déductible, autres biens et services"), None, deductible),
        Box("28" if total >= deductible else "25", _("TVA nette due") if total >= deductible
            else _("Crédit de TVA"), None, abs(total - deductible)),
    ]  # fmt: skip
    return [box for box in boxes if box.base or box.tax]


def _by_rate(gross: dict[Decimal, list[Decimal]]) -> Iterator[Box]:
    overseas = company().postcode.startswith(_OVERSEAS)
    for rate in sorted(gross, reverse=True):
        code, label = _RATE_BOXES.get(f"{rate:.2f}", ("13", "Anciens taux"))
        if overseas and code == "T6":
            code, label = "11", "DOM, taux réduit 2,1 %"
        base, tax = gross[rate]
        yield Box(code, label, base, tax, f"regime=domestic&rate={rate:.2f}")


def _purchase_lines(first: date, last: date) -> QuerySet[JournalLine]:
    return JournalLine.objects.filter(
        entry__supplier_invoice__isnull=False, entry__entry_date__range=(first, last)
    )


def _service_lines(lines: QuerySet[JournalLine]) -> QuerySet[JournalLine]:
    """Services from abroad of which the buyer owes the VAT."""
    owed = JournalLine.objects.filter(entry=OuterRef("entry"), nature=Nature.SELF_TAX)
    is_service = Q(*(Q(account__startswith=root) for root in SERVICES), _connector=Q.OR)
    return lines.filter(is_service, Exists(owed), nature=Nature.EXPENSE)


def _services_from_abroad(first: date, last: date) -> tuple[Decimal, Decimal]:
    """Their base and VAT, all at the normal rate (CGI, art. 283, 2)."""
    base = _sum(_service_lines(_purchase_lines(first, last)), "debit", "credit")
    return base, to_cents(base * NORMAL_RATE / 100)


def _acquisitions(
    first: date, last: date, on_services: Decimal
) -> dict[Decimal, tuple[Decimal, Decimal]]:
    """Goods from the Union: base and VAT owed by rate. The base is shared as its VAT is.

    `on_services` is the part of the VAT owed at the normal rate that is on no goods.
    """
    lines = _purchase_lines(first, last)
    owed = {
        row["tax_rate"]: to_cents(row["amount"])
        for row in lines.filter(nature=Nature.SELF_TAX, tax_rate__isnull=False)
        .order_by()
        .values("tax_rate")
        .annotate(amount=Sum(F("credit") - F("debit")))
    }
    if on_services:
        owed[NORMAL_RATE] = owed.get(NORMAL_RATE, ZERO) - on_services
    found: dict[Decimal, tuple[Decimal, Decimal]] = {
        rate: (to_cents(tax * 100 / rate), tax) for rate, tax in owed.items() if rate and tax
    }
    if not found:
        return {}
    bought = _sum(
        lines.filter(
            nature__in=_PURCHASES, entry__supplier_invoice__supplier__country__in=EU_COUNTRIES
        )
        .exclude(entry__supplier_invoice__supplier__country="FR")
        .exclude(pk__in=_service_lines(lines).values("pk")),
        "debit", "credit",
    )  # fmt: skip
    # What rounding of VAT leaves goes to the largest.
    largest = max(found, key=lambda rate: found[rate][0])
    gap = bought - sum((base for base, _tax in found.values()), ZERO)
    found[largest] = (found[largest][0] + gap, found[largest][1])
    return found


def _deductible(first: date, last: date) -> Decimal:
    return _sum(_purchase_lines(first, last).filter(nature=Nature.INPUT_TAX), "debit", "credit")


def _sum(lines: QuerySet[JournalLine], plus: str, minus: str) -> Decimal:
    return to_cents(lines.aggregate(total=Sum(F(plus) - F(minus)))["total"] or ZERO)


# --- One-stop shop ------------------------------------------------------------------------------


class OssRow(NamedTuple):
    """Distance sales of the quarter to a country at a rate (EUR)."""

    country: str
    rate: Decimal
    is_standard: bool
    base: Decimal
    tax: Decimal


class OssCorrection(NamedTuple):
    """VAT of earlier quarters that credit notes of this one take back (EUR, below 0)."""

    country: str
    quarter: date
    tax: Decimal


def quarter_of(day: date) -> tuple[date, date]:
    """The first and the last day of the quarter of `day`."""
    first = date(day.year, 3 * ((day.month - 1) // 3) + 1, 1)
    after = (first + timedelta(days=95)).replace(day=1)
    return first, after - timedelta(days=1)


def oss(first: date, last: date) -> tuple[list[OssRow], list[OssCorrection]]:
    """The return of the quarter from first to last.

    A credit note on an invoice of an earlier quarter corrects that one, by country (directive
    2006/112, art. 369g, 4).
    """
    sums: dict[tuple[str, Decimal], list[Decimal]] = defaultdict(lambda: [ZERO, ZERO])
    corrections: dict[tuple[str, date], Decimal] = defaultdict(lambda: ZERO)
    lines = (
        JournalLine.objects.filter(
            entry__invoice__tax_regime=TaxRegime.OSS,
            entry__entry_date__range=(first, last),
            nature__in=(*SALES, Nature.TAX),
        )
        .order_by()
        .values(
            "entry__invoice__country",
            "entry__invoice__credited_invoice__issued_on",
            # Of a credit note on another system's invoice.
            "entry__invoice__mentions__credited__issued_on",
            "tax_rate",
            "nature",
        )
        .annotate(amount=Sum(F("credit") - F("debit")))
    )
    for line in lines:
        country, amount = line["entry__invoice__country"], to_cents(line["amount"])
        origin = line["entry__invoice__credited_invoice__issued_on"]
        elsewhere = line["entry__invoice__mentions__credited__issued_on"]
        if elsewhere:
            origin = date.fromisoformat(elsewhere)
        is_tax = line["nature"] == Nature.TAX
        if origin is None or origin >= first:
            sums[country, line["tax_rate"] or ZERO][is_tax] += amount
        elif is_tax:
            corrections[country, quarter_of(origin)[0]] += amount
    standard = standard_rates(last)
    rows = [
        OssRow(country, rate, rate == standard.get(country), base, tax)
        for (country, rate), (base, tax) in sorted(
            sums.items(), key=lambda item: (item[0][0], -item[0][1])
        )
    ]
    return rows, [
        OssCorrection(country, quarter, tax)
        for (country, quarter), tax in sorted(corrections.items())
        if tax
    ]


def standard_rates(on: date) -> dict[str, Decimal]:
    """The normal rate (percent) of each member state that day."""
    return {
        period.country: max(period.rates)
        for period in rate_periods()
        if period.start <= on and (period.end is None or on < period.end)
    }


# --- Sales to professionals of the Union ---------------------------------------------------------


class UnionSale(NamedTuple):
    """Exempt sales to a professional of another member state (EUR excl. tax).

    `code` is 21 for deliveries and 25 for what later takes some back, as customs code them.
    """

    vat_number: str
    name: str
    code: str
    amount: Decimal


def union_sales(first: date, last: date) -> list[UnionSale]:
    """The recapitulative statement of the days from first to last (CGI, art. 289 B)."""
    rows = (
        Invoice.objects.filter(
            tax_regime=TaxRegime.EU_BUSINESS, entry__entry_date__range=(first, last)
        )
        .order_by()
        .annotate(vat_number=KT("mentions__buyer__vat_number"))
        .values("vat_number", "customer_name", "kind")
        .annotate(amount=Sum("total_excl_tax"))
    )
    found = [
        UnionSale(
            row["vat_number"] or "",
            row["customer_name"],
            "25" if row["kind"] == Invoice.Kind.CREDIT_NOTE else "21",
            to_cents(row["amount"]),
        )
        for row in rows
    ]
    return sorted(found)


# --- The documents behind a figure ------------------------------------------------------


def documents_behind(
    first: date,
    last: date,
    *,
    regime: str,
    country: str = "",
    rate: Decimal | None = None,
    taxed: bool | None = None,
) -> QuerySet[Any]:
    """Documents booked in the period under a regime, with `base` and `tax` of that choice (EUR).

    Credit notes count below zero in the sums that they are behind.
    """
    chosen = Q(nature__in=(*SALES, Nature.TAX))
    if rate is not None:
        chosen &= Q(tax_rate=rate)
    if taxed is not None:
        chosen &= Q(tax_rate__gt=0) if taxed else (Q(tax_rate=0) | Q(tax_rate__isnull=True))
    lines = JournalLine.objects.filter(
        chosen, entry__invoice__tax_regime=regime, entry__entry_date__range=(first, last)
    )
    if country:
        lines = lines.filter(entry__invoice__country=country)
    amount = F("credit") - F("debit")
    return (
        lines.order_by()
        .values(
            "entry__invoice",
            "entry__invoice__number",
            "entry__invoice__issued_on",
            "entry__invoice__customer_name",
            "entry__invoice__country",
            "entry",
            "entry__number",
        )
        .annotate(
            base=Sum(amount, filter=~Q(nature=Nature.TAX)),
            tax=Sum(amount, filter=Q(nature=Nature.TAX)),
        )
        .order_by("entry")
    )
