"""How the administration learns of a document: as an e-invoice, one by one, or in a day's total.

Sources: CGI art. 289 bis (e-invoicing between firms in France), art. 290 (e-reporting). One abroad
without a VAT number of the Union counts as a consumer, and so does a French professional whose
SIREN nobody gave: the tax is told all the same, and the page says whom to ask.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Case, CharField, Count, Exists, OuterRef, Q, QuerySet, Sum, Value, When

from invoicing.einvoices import terms_of
from invoicing.ereporting import Category, DaySales
from invoicing.models import EInvoiceState, Invoice, InvoiceLine, TaxBreakdown
from sphinx.core.money import ZERO, to_cents
from sphinx.core.territories import EU_COUNTRIES
from sphinx.core.vat import FRENCH_COUNTRIES, TaxRegime

E_INVOICE, ABROAD, DAILY = "e_invoice", "abroad", "daily"
_BUYER = "mentions__parties__buyer__"
_IN_FRANCE = Q(**{f"{_BUYER}country__in": sorted(FRENCH_COUNTRIES)})
_NO_SIREN = Q(**{f"{_BUYER}siren": ""})
_NO_VAT_NUMBER = Q(**{f"{_BUYER}vat_number": ""})
_IN_UNION = Q(**{f"{_BUYER}country__in": sorted(EU_COUNTRIES)})
_Rates = dict[Decimal, tuple[Decimal, Decimal]]


def with_channel(documents: QuerySet[Invoice]) -> QuerySet[Any]:
    """Documents with their `channel`."""
    return documents.annotate(
        channel=Case(
            When(is_business=False, then=Value(DAILY)),
            # Issued without its parties in parts.
            When(mentions__parties__isnull=True, then=Value(DAILY)),
            When(_IN_FRANCE & _NO_SIREN, then=Value(DAILY)),
            When(_IN_FRANCE, then=Value(E_INVOICE)),
            When(_IN_UNION & _NO_VAT_NUMBER, then=Value(DAILY)),
            default=Value(ABROAD),
            output_field=CharField(),
        )
    )


def e_invoices(since: date) -> QuerySet[Any]:
    """Documents that the platform carries, issued since a day."""
    return with_channel(Invoice.objects.filter(issued_on__gte=since)).filter(channel=E_INVOICE)


def e_invoices_to_send(since: date) -> QuerySet[Any]:
    """Those that it wasn't given yet, in their order."""
    sent = EInvoiceState.objects.filter(invoice=OuterRef("pk"), state=EInvoiceState.State.SENT)
    # Issued without the seller's SIREN: plain PDFs, that no platform takes.
    plain = Q(mentions__parties__seller__siren="")
    return e_invoices(since).filter(~Exists(sent)).exclude(plain).order_by("chain_index")


def professionals_without_siren(since: date) -> Iterable[Any]:
    """French professionals whose documents no platform can address: how many, EUR incl. tax."""
    return (
        Invoice.objects.filter(_IN_FRANCE, _NO_SIREN, is_business=True, issued_on__gte=since)
        .order_by()
        .values("customer_id", "customer_name")
        .annotate(documents=Count("pk"), total=Sum("total_incl_tax"))
        .order_by("-total")
    )


def abroad_terms(first: date, last: date) -> Iterator[dict[str, Any]]:
    """Documents of firms abroad, in the terms of EN 16931."""
    documents = with_channel(Invoice.objects.filter(issued_on__range=(first, last)))
    for invoice in (
        documents.filter(channel=ABROAD)
        .select_related("credited_invoice")
        .prefetch_related("lines", "taxes")
        .order_by("chain_index")
        .iterator(chunk_size=500)
    ):
        yield terms_of(invoice, list(invoice.lines.all()), list(invoice.taxes.all()))


def daily_sales(first: date, last: date) -> list[DaySales]:
    """Consumers' sales by day and category, EUR; credit notes lessen the day they are dated.

    A gift card is sold outside VAT: it is told when it pays for goods (CGI art. 256 ter). What is
    taxed in another state (OSS) is told here without rate or tax.
    """
    documents = with_channel(Invoice.objects.filter(issued_on__range=(first, last)))
    daily = documents.filter(channel=DAILY)
    taxed = TaxBreakdown.objects.filter(invoice=OuterRef("pk"), tax_rate__gt=0)
    untaxed = InvoiceLine.objects.filter(invoice=OuterRef("pk"), tax_rate=0).exclude(
        kind=InvoiceLine.Kind.GIFT_CARD
    )
    is_oss = Q(tax_regime=TaxRegime.OSS)
    counts = {
        Category.TAXED_GOODS: _count(daily.filter(~is_oss & Exists(taxed))),
        Category.NOT_TAXED_HERE: _count(daily.filter((is_oss & Exists(taxed)) | Exists(untaxed))),
    }
    groups: dict[tuple[date, str], _Rates] = defaultdict(lambda: defaultdict(lambda: (ZERO, ZERO)))
    for row in _taxed_amounts(daily):
        is_here = row["invoice__tax_regime"] != TaxRegime.OSS
        category = Category.TAXED_GOODS if is_here else Category.NOT_TAXED_HERE
        rate = row["tax_rate"] if is_here else ZERO
        _add(groups[row["invoice__issued_on"], category], row, rate, row["tax"] if is_here else 0)
    for row in _untaxed_amounts(daily):
        _add(groups[row["invoice__issued_on"], Category.NOT_TAXED_HERE], row, ZERO, 0)
    return [
        DaySales(day, category, counts[category].get(day, 0), dict(rates))
        for (day, category), rates in sorted(groups.items())
    ]


def _count(documents: QuerySet[Any]) -> dict[date, int]:
    rows = documents.order_by().values("issued_on").annotate(count=Count("pk"))
    return {row["issued_on"]: row["count"] for row in rows}


def _taxed_amounts(daily: QuerySet[Any]) -> Iterable[Any]:
    return (
        TaxBreakdown.objects.filter(invoice__in=daily.values("pk"), tax_rate__gt=0)
        .order_by()
        .values("invoice__issued_on", "invoice__tax_regime", "invoice__kind", "tax_rate")
        .annotate(net=Sum("base_excl_tax"), tax=Sum("tax"))
    )


def _untaxed_amounts(daily: QuerySet[Any]) -> Iterable[Any]:
    return (
        InvoiceLine.objects.filter(invoice__in=daily.values("pk"), tax_rate=0)
        .exclude(kind=InvoiceLine.Kind.GIFT_CARD)
        .order_by()
        .values("invoice__issued_on", "invoice__kind")
        .annotate(net=Sum("total_excl_tax"))
    )


def _add(rates: _Rates, row: dict[str, Any], rate: Decimal, tax: Decimal | int) -> None:
    sign = -1 if row["invoice__kind"] == Invoice.Kind.CREDIT_NOTE else 1
    net, before = rates[rate]
    rates[rate] = (net + sign * to_cents(row["net"]), before + sign * to_cents(Decimal(tax)))
