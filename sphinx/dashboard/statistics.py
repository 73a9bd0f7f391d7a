"""Figures that steer the firm, each with its definition and the documents behind it.

EUR, civil days in Europe/Paris. What the home page shows too comes from the same place
(figures.py), so that a figure is the same wherever it stands.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import zip_longest
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.db.models import Count, F, Q, Sum
from django.db.models.functions import TruncMonth
from django.urls import reverse
from django.utils.translation import gettext as _
from django_countries import countries

from invoicing.models import Invoice
from invoicing.receivables import open_invoices
from sales.models import Order
from sphinx.core.models import Shop
from sphinx.core.money import ZERO, to_cents
from sphinx.dashboard.buyers import buyers_in
from sphinx.dashboard.figures import (
    Chosen,
    of_orders,
    percent_change,
    products_in,
    sales_of,
    sold_in,
)
from sphinx.dashboard.periods import Period, bounds

EUROS, PERCENT, PIECES = "€", "%", ""
# Longer periods are drawn by months.
MOST_DAYS = 62
# Of interest where shops sold before their first day here.
_OF_HISTORY = {"history", "sold", "history_orders", "history_pieces"}


class Figure(NamedTuple):
    """A figure, what it was before, what it means and where its documents are ("" for none)."""

    name: str
    label: str
    definition: str
    value: Decimal | None
    before: Decimal | None
    unit: str
    url: str

    @property
    def change(self) -> int | None:
        """Percent since before; None when there was nothing."""
        if self.value is None or self.before is None:
            return None
        return percent_change(self.value, self.before)

    @property
    def earlier(self) -> "Figure":
        """The same figure as it was before."""
        return self._replace(value=self.before, before=None)


class Bar(NamedTuple):
    """Net sales of a day or month, and of the one it is compared with (EUR excl. tax).

    `history` is what was sold before the first day here, beside the turnover.
    """

    day: date
    value: Decimal
    before: Decimal
    history: Decimal
    history_before: Decimal


class Part(NamedTuple):
    """A part of the turnover (EUR excl. tax) and its share in percent.

    `counted` are documents; of certain products, pieces. `history` was sold before the first day
    here, and is no part of the turnover.
    """

    label: str
    value: Decimal
    counted: Decimal
    share: int
    history: Decimal


def figures_of(period: Period, before: Period, chosen: Chosen) -> list[Figure]:
    """Every figure of a period beside that of another; of certain products, what they have."""
    if chosen.is_of_products:
        return _of_products(period, before, chosen)
    now, then = _values(period, chosen), _values(before, chosen)
    documents, orders = _documents_url(period, chosen), _orders_url(period, chosen)
    notes = f"{documents}&kind__exact={Invoice.Kind.CREDIT_NOTE}"
    history = f"{orders}&reprise=vendu"
    table = [
        ("turnover", _("Chiffre d'affaires HT"), EUROS, documents,
         _("Factures moins avoirs, hors taxes, par date d'émission.")),
        ("invoiced", _("Facturé TTC"), EUROS, documents,
         _("Factures moins avoirs, TVA comprise, par date d'émission.")),
        ("tax", _("TVA facturée"), EUROS, documents,
         _("TVA des factures moins celle des avoirs, par date d'émission.")),
        ("margin", _("Marge brute"), EUROS, "",
         _("Chiffre d'affaires HT moins le coût (CUMP au départ) de ce qui a été expédié.")),
        ("margin_rate", _("Taux de marge"), PERCENT, "",
         _("Marge brute divisée par le chiffre d'affaires HT.")),
        ("history", _("Repris HT"), EUROS, history,
         _("Vendu avant le premier jour ici et facturé ailleurs : commandes hors taxes, "
           "remboursements déduits, par date de commande, annulées et en attente exclues. "
           "Hors du chiffre d'affaires.")),
        ("sold", _("Facturé et repris HT"), EUROS, "", _("Chiffre d'affaires HT plus repris HT.")),
        ("orders", _("Commandes"), PIECES, orders,
         _("Par date de commande, annulées exclues.")),
        ("history_orders", _("dont reprises"), PIECES, history,
         _("Commandes d'avant le premier jour ici, annulées et en attente exclues.")),
        ("ordered", _("Commandé TTC"), EUROS, orders,
         _("Total des commandes par date de commande, annulées exclues.")),
        ("basket", _("Panier moyen TTC"), EUROS, orders,
         _("Total des commandes divisé par leur nombre.")),
        ("new", _("Nouveaux clients"), PIECES, "",
         _("Clients dont la toute première commande est de la période.")),
        ("returning", _("Clients fidèles"), PIECES, "",
         _("Clients qui ont commandé dans la période et déjà avant elle.")),
        ("credited", _("Avoirs HT"), EUROS, notes,
         _("Avoirs par date d'émission, hors taxes.")),
        ("refund_rate", _("Taux de remboursement"), PERCENT, notes,
         _("Avoirs divisés par le chiffre d'affaires HT de la période.")),
    ]  # fmt: skip
    return _shown(now, then, table)


def _of_products(period: Period, before: Period, chosen: Chosen) -> list[Figure]:
    now, then = _product_values(period, chosen), _product_values(before, chosen)
    products = _products_url(chosen)
    table = [
        ("turnover", _("Chiffre d'affaires HT"), EUROS, products,
         _("Leurs lignes de factures moins celles d'avoirs, hors taxes, par date d'émission.")),
        ("margin", _("Marge brute"), EUROS, "",
         _("Chiffre d'affaires HT moins le coût (CUMP au départ) de ce qui a été expédié.")),
        ("margin_rate", _("Taux de marge"), PERCENT, "",
         _("Marge brute divisée par le chiffre d'affaires HT.")),
        ("pieces", _("Pièces vendues"), PIECES, products,
         _("Pièces facturées, avoirs déduits.")),
        ("references", _("Références vendues"), PIECES, products,
         _("Références dont au moins une pièce a été facturée.")),
        ("history", _("Repris HT"), EUROS, "",
         _("Leurs lignes de commandes d'avant le premier jour ici, facturées ailleurs, hors taxes, "
           "remboursements déduits, par date de commande. Hors du chiffre d'affaires.")),
        ("sold", _("Facturé et repris HT"), EUROS, "", _("Chiffre d'affaires HT plus repris HT.")),
        ("history_pieces", _("Pièces reprises"), PIECES, "",
         _("Pièces vendues avant le premier jour ici, celles remboursées déduites.")),
    ]  # fmt: skip
    return _shown(now, then, table)


def _shown(
    now: dict[str, Decimal | None],
    then: dict[str, Decimal | None],
    table: Sequence[tuple[str, str, str, str, str]],
) -> list[Figure]:
    """The figures of a table; those of before the first day only where there are some."""
    has_history = any(
        values[name]
        for values in (now, then)
        for name in _OF_HISTORY & now.keys()
        if name != "sold"
    )
    return [
        Figure(name, label, definition, now[name], then[name], unit, url)
        for name, label, unit, url, definition in table
        if has_history or name not in _OF_HISTORY
    ]


def _product_values(period: Period, chosen: Chosen) -> dict[str, Decimal | None]:
    sums = products_in(period, chosen).aggregate(
        net=Sum("net_excl_tax"),
        cost=Sum("cost_excl_tax"),
        sold=Sum("pieces"),
        references=Count("sku", distinct=True, filter=Q(pieces__gt=0)),
        history=Sum("history_excl_tax"),
        history_pieces=Sum("history_pieces"),
    )
    history = to_cents(sums["history"] or ZERO)
    turnover, cost = to_cents(sums["net"] or ZERO), to_cents(sums["cost"] or ZERO)
    return {
        "turnover": turnover,
        "margin": turnover - cost,
        "margin_rate": _percent(turnover - cost, turnover),
        "pieces": sums["sold"] or ZERO,
        "references": Decimal(sums["references"]),
        "history": history,
        "sold": turnover + history,
        "history_pieces": sums["history_pieces"] or ZERO,
    }


def _values(period: Period, chosen: Chosen) -> dict[str, Decimal | None]:
    sales = sales_of(period, chosen)
    sums = sold_in(period, chosen).aggregate(
        tax=Sum("tax"),
        credited=Sum("credited_excl_tax"),
        cost=Sum("cost_excl_tax"),
        history=Sum("history_excl_tax"),
        history_orders=Sum("history_orders"),
    )
    tax, credited, cost, history = (
        to_cents(sums[name] or ZERO) for name in ("tax", "credited", "cost", "history")
    )
    turnover = sales.turnover_excl_tax
    margin = turnover - cost
    new, returning = buyers_in(period, chosen)
    return {
        "turnover": turnover,
        "invoiced": turnover + tax,
        "tax": tax,
        "margin": margin,
        "margin_rate": _percent(margin, turnover),
        "history": history,
        "sold": turnover + history,
        "orders": Decimal(sales.orders),
        "history_orders": Decimal(sums["history_orders"] or 0),
        "ordered": sales.ordered_incl_tax,
        "basket": sales.average_basket,
        "new": Decimal(new),
        "returning": Decimal(returning),
        "credited": credited,
        "refund_rate": _percent(credited, turnover),
    }


def _percent(part: Decimal, whole: Decimal) -> Decimal | None:
    """One decimal; None of nothing."""
    return (part * 100 / whole).quantize(Decimal("0.1")) if whole else None


def standing(today: date) -> list[Figure]:
    """What customers owe today, whatever the period: no past to be set beside."""
    owed = open_invoices().filter(balance__gt=0)
    late = owed.filter(due_on__lt=today)
    url = reverse("invoicing:receivables")
    table = [
        ("owed", _("Encaissements attendus"), owed,
         _("Solde TTC des factures ouvertes, avoirs et règlements déduits.")),
        ("late", _("dont en retard"), late,
         _("La part de ces soldes dont l'échéance est passée.")),
    ]  # fmt: skip
    return [
        Figure(
            name,
            label,
            definition,
            to_cents(rows.order_by().aggregate(total=Sum("balance"))["total"] or ZERO),
            None,
            EUROS,
            url,
        )
        for name, label, rows, definition in table
    ]


# --- Over time -----------------------------------------------------------------------------------


def bars(period: Period, before: Period, chosen: Chosen) -> list[Bar]:
    """Net sales by day, or by month over long periods, each beside its counterpart's."""
    by_month = period.days > MOST_DAYS
    now, then = _by_time(period, chosen, by_month), _by_time(before, chosen, by_month)
    steps = zip_longest(_steps(period, by_month), _steps(before, by_month))
    found = []
    for day, counterpart in steps:
        if day is None:
            break
        value, history = now.get(day, _NOTHING)
        value_before, history_before = then.get(counterpart, _NOTHING)
        found.append(Bar(day, value, value_before, history, history_before))
    return found


_NOTHING = (ZERO, ZERO)


def _by_time(
    period: Period, chosen: Chosen, by_month: bool
) -> dict[date | None, tuple[Decimal, Decimal]]:
    """Turnover, and what was sold before the first day here."""
    step = TruncMonth("day") if by_month else F("day")
    rows = (
        sold_in(period, chosen)
        .annotate(step=step)
        .values("step")
        .annotate(total=Sum("net_excl_tax"), history=Sum("history_excl_tax"))
    )
    return {row["step"]: (to_cents(row["total"]), to_cents(row["history"])) for row in rows}


def _steps(period: Period, by_month: bool) -> Iterator[date]:
    day = period.start.replace(day=1) if by_month else period.start
    while day <= period.end:
        yield day
        day = (day + timedelta(days=32)).replace(day=1) if by_month else day + timedelta(days=1)


# --- Parts of the turnover -----------------------------------------------------------------------


def parts(period: Period, chosen: Chosen) -> dict[str, list[Part]]:
    """The turnover by shop, country and kind of customer; each list adds up to it."""
    shops = dict(Shop.objects.values_list("pk", "name"))
    kinds = {True: _("Professionnels"), False: _("Particuliers")}
    return {
        _("Par boutique"): _split(period, chosen, "shop", shops),
        _("Par pays de livraison"): _split(period, chosen, "country", dict(countries)),
        _("Par clientèle"): _split(period, chosen, "is_business", kinds),
    }


def _split(period: Period, chosen: Chosen, field: str, names: dict[Any, str]) -> list[Part]:
    counted = "pieces" if chosen.is_of_products else "documents"
    rows = list(
        sold_in(period, chosen)
        .values(field)
        .annotate(total=Sum("net_excl_tax"), count=Sum(counted), history=Sum("history_excl_tax"))
        .filter(Q(count__gt=0) | Q(history__gt=0))
        .order_by("-total", "-history")
    )
    whole = sum((row["total"] for row in rows), ZERO)
    return [
        Part(
            str(names.get(row[field], row[field])),
            to_cents(row["total"]),
            Decimal(row["count"]),
            _share(row["total"], whole),
            to_cents(row["history"]),
        )
        for row in rows
    ]


def _share(part: Decimal, whole: Decimal) -> int:
    return int(part * 100 / whole) if whole > 0 else 0


# --- Documents behind ----------------------------------------------------------------------------


def _documents_url(period: Period, chosen: Chosen) -> str:
    query: dict[str, Any] = {"issued_on__gte": period.start, "issued_on__lte": period.end}
    if chosen.shop_id:
        query["shop__id__exact"] = chosen.shop_id
    if chosen.country:
        query["country__exact"] = chosen.country
    if chosen.is_business is not None:
        query["is_business__exact"] = int(chosen.is_business)
    return f"{reverse('admin:invoicing_invoice_changelist')}?{urlencode(query)}"


def _orders_url(period: Period, chosen: Chosen) -> str:
    start, end = bounds(period)
    query: dict[str, Any] = {
        "placed_at__gte": start.isoformat(),
        "placed_at__lt": end.isoformat(),
        "status__in": ",".join(s for s in Order.Status.values if s != Order.Status.CANCELLED),
        **of_orders(chosen),
    }
    return f"{reverse('admin:sales_order_changelist')}?{urlencode(query)}"


def _products_url(chosen: Chosen) -> str:
    """The products of a category; else the supplier, whose page lists what it sells."""
    if chosen.category_id:
        products = reverse("admin:inventory_product_changelist")
        return f"{products}?category__id__exact={chosen.category_id}"
    return reverse("admin:suppliers_supplier_change", args=[chosen.supplier_id])
