"""Days, months and years closed: totals that can be shown later and never move.

Sources: CGI art. 286, I-3° bis; BOI-TVA-DECLA-30-10-30 (closings with period totals and a
perpetual total, daily, monthly, yearly).
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Max, Min, Sum

from invoicing.chain import GENESIS, closing_form, link
from invoicing.models import Closing, Invoice, Payment, TaxBreakdown
from sphinx.core.clock import business_date, start_of
from sphinx.core.money import ZERO, to_cents
from sphinx.core.sealing import heads, positions, seal_book, seal_books
from sphinx.core.services import allocate_numbers, company, record

Kind = Closing.Kind


class _Period(NamedTuple):
    kind: str
    first: date
    last: date


def close_periods(*, at: datetime) -> list[Closing]:
    """Close every day, month and year that has ended, in order; a missed one is made late.

    From the first issued document on. Twice closes nothing twice.
    """
    # What a closing counts is sealed before, so that it names the seals.
    seal_books(with_late=True)
    start = Invoice.objects.aggregate(first=Min("issued_on"))["first"]
    if start is None:
        return []
    last = Closing.objects.filter(kind=Kind.DAY).aggregate(last=Max("last_on"))["last"]
    day = last + timedelta(days=1) if last else start
    made = []
    while day < business_date(at):
        made += _close_day(day, at)
        day += timedelta(days=1)
    if made:
        seal_book("closings")
    return made


@transaction.atomic
def _close_day(day: date, at: datetime) -> list[Closing]:
    """The day, and the month and year that end with it."""
    # Whoever issues holds this counter: nothing is issued between sums and closing.
    allocate_numbers(series="CHAIN", on=day, count=0, yearly=False)
    if Closing.objects.filter(kind=Kind.DAY, first_on=day).exists():
        return []
    made = [_close(period, at) for period in _ending_with(day)]
    record("books.closed", made)
    return made


def _ending_with(day: date) -> Iterator[_Period]:
    yield _Period(Kind.DAY, day, day)
    following = day + timedelta(days=1)
    if following.day != 1:
        return
    yield _Period(Kind.MONTH, day.replace(day=1), day)
    if day.month == company().fiscal_year_end_month:
        yield _Period(Kind.YEAR, following.replace(year=following.year - 1), day)


def _close(period: _Period, at: datetime) -> Closing:
    documents = Invoice.objects.filter(issued_on__range=(period.first, period.last))
    last = Invoice.objects.filter(issued_on__lte=period.last).order_by("-chain_index").first()
    before = Closing.objects.order_by("-position").first()
    totals = _by_kind(documents)
    turnover = totals[Invoice.Kind.INVOICE] - totals[Invoice.Kind.CREDIT_NOTE]
    # Only days add up; a month or a year ends with the day just closed.
    day = Closing.objects.filter(kind=Kind.DAY).order_by("-position").first()
    ever = day.perpetual_incl_tax if day else ZERO
    closing = Closing(
        kind=period.kind,
        first_on=period.first,
        last_on=period.last,
        closed_at=at,
        documents=documents.count(),
        chain_index=last.chain_index if last else 0,
        chain_hash=last.hash if last else GENESIS,
        details=_details(period),
        invoiced_incl_tax=totals[Invoice.Kind.INVOICE],
        credited_incl_tax=totals[Invoice.Kind.CREDIT_NOTE],
        perpetual_incl_tax=ever + turnover if period.kind == Kind.DAY else ever,
        position=before.position + 1 if before else 1,
        previous_hash=before.hash if before else GENESIS,
    )
    closing.hash = link(closing.previous_hash, closing_form(closing))
    closing.save(force_insert=True)
    return closing


def _by_kind(documents: Any) -> dict[str, Decimal]:
    sums = dict(documents.order_by().values_list("kind").annotate(total=Sum("total_incl_tax")))
    return {kind: to_cents(sums.get(kind) or ZERO) for kind in Invoice.Kind.values}


def _details(period: _Period) -> dict[str, Any]:
    """Numbers by series, net and VAT by rate (credit notes taken off), payments by means."""
    inside = {"issued_on__range": (period.first, period.last)}
    series = (
        Invoice.objects.filter(**inside)
        .order_by("kind")
        .values_list("kind")
        .annotate(first=Min("number"), last=Max("number"))
    )
    rates: dict[str, list[Decimal]] = {}
    for kind, rate, base, tax in (
        TaxBreakdown.objects.filter(invoice__issued_on__range=(period.first, period.last))
        .order_by("tax_rate")
        .values_list("invoice__kind", "tax_rate")
        .annotate(base=Sum("base_excl_tax"), vat=Sum("tax"))
    ):
        sign = -1 if kind == Invoice.Kind.CREDIT_NOTE else 1
        sums = rates.setdefault(f"{rate:.2f}", [ZERO, ZERO])
        sums[0] += sign * to_cents(base)
        sums[1] += sign * to_cents(tax)
    named = heads()
    return {
        "numbers": {kind: [first, last] for kind, first, last in series},
        "rates": {rate: [f"{base:.2f}", f"{tax:.2f}"] for rate, (base, tax) in rates.items()},
        "payments": _payments(period, named),
        "seals": named,
    }


def _payments(period: _Period, named: dict[str, list[Any]]) -> dict[str, str]:
    """Money by means, of the payments that the seals named cover: what verify can count again."""
    end = start_of(period.last + timedelta(days=1))
    rows = list(
        Payment.objects.filter(
            kind=Payment.Kind.MONEY, paid_at__gte=start_of(period.first), paid_at__lt=end
        )
        .order_by("method")
        .values_list("pk", "method", "amount")
    )
    if not rows or "payments" not in named:
        return {}
    sealed = positions("payments", from_id=min(pk for pk, _method, _amount in rows))
    last = named["payments"][0]
    paid: dict[str, Decimal] = {}
    for pk, method, amount in rows:
        if sealed.get(pk, last + 1) <= last:
            paid[method] = paid.get(method, ZERO) + amount
    return {method: f"{total:.2f}" for method, total in paid.items()}
