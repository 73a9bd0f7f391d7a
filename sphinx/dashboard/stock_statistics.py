"""The stock's figures as the page shows them, from what was measured last (stock_health.py)."""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from django.db.models import Count, Min, QuerySet, Sum
from django.urls import reverse
from django.utils.translation import gettext as _

from inventory.models import StockMove
from sphinx.core.clock import business_date
from sphinx.core.money import ZERO
from sphinx.dashboard.models import ProductHealth, StockHealth
from sphinx.dashboard.periods import Period
from sphinx.dashboard.statistics import EUROS, PERCENT, PIECES, Figure
from sphinx.dashboard.stock_health import QUARTER, YEAR, value_by_day

WEEK = 7
SHOWN = 15
_CLASSES = ("A", "B", "C", "")
_REGULARITY = ("X", "Y", "Z", "")


class Cell(NamedTuple):
    """Products of a class in ABC and in XYZ, and their stock's value (EUR excl. tax)."""

    products: int
    value: Decimal


def stock_figures(now: StockHealth, before: StockHealth | None) -> list[Figure]:
    """Every figure of the stock, beside that of some time before."""
    values, then = _values(now), _values(before) if before else {}
    days, turns = _("jours"), _("fois l'an")
    value_url = f"{reverse('inventory:value')}?au={now.measured_on:%Y-%m-%d}"
    positions = reverse("admin:inventory_stockposition_changelist")
    notes = reverse("admin:sales_deliverynote_changelist")
    table = [
        ("value", _("Valeur du stock HT"), EUROS, value_url,
         _("Pièces en stock au coût unitaire moyen pondéré (CUMP).")),
        ("pieces", _("Pièces en stock"), PIECES, positions,
         _("Tous dépôts ensemble.")),
        ("cover", _("Couverture"), days, positions,
         _("Valeur du stock divisée par le coût de ce qui part en un jour (90 derniers jours).")),
        ("turns", _("Rotation"), turns, value_url,
         _("Coût de ce qui est parti en douze mois, divisé par la valeur moyenne du stock.")),
        ("out_rate", _("Taux de rupture"), PERCENT, "#ruptures",
         _("Jours finis sans une pièce, sur 90 jours, des articles stockés et demandés, "
           "rapportés à tous les jours suivis.")),
        ("lost", _("Ventes perdues HT"), EUROS, "#ruptures",
         _("Estimation sur 90 jours : demande d'un jour en stock × jours de rupture, moins ce qui "
           "fut commandé malgré tout, au prix moyen vendu.")),
        ("dead", _("Stock dormant HT"), EUROS, "#dormants",
         _("Valeur des articles en stock dont rien n'est parti depuis 180 jours.")),
        ("dead_products", _("Articles dormants"), PIECES, "#dormants",
         _("Articles en stock dont rien n'est parti depuis 180 jours.")),
        ("fill_rate", _("Lignes complètes"), PERCENT, notes,
         _("Lignes de commande parties entières dès le premier colis, sur 90 jours.")),
        ("days_to_ship", _("Délai d'expédition"), days, notes,
         _("De la commande au départ du colis, sur 90 jours : la moitié part plus vite.")),
        ("days_to_ship_most", _("Délai de 95 % des colis"), days, notes,
         _("De la commande au départ, sur 90 jours : 95 colis sur 100 partent plus vite.")),
    ]  # fmt: skip
    return [
        Figure(name, label, definition, values[name], then.get(name), unit, url)
        for name, label, unit, url, definition in table
    ]


def _values(health: StockHealth) -> dict[str, Decimal | None]:
    return {
        "value": health.value_excl_tax,
        "pieces": health.pieces,
        "cover": _ratio(health.value_excl_tax * QUARTER, health.cost_of_quarter),
        "turns": _ratio(health.cost_of_year, health.average_value),
        "out_rate": _ratio(Decimal(health.days_out * 100), Decimal(health.days_watched)),
        "lost": health.lost_excl_tax,
        "dead": health.dead_value,
        "dead_products": Decimal(health.dead_products),
        "fill_rate": _ratio(Decimal(health.lines_complete * 100), Decimal(health.lines_shipped)),
        "days_to_ship": _days(health.hours_median),
        "days_to_ship_most": _days(health.hours_most),
    }


def _days(hours: Decimal | None) -> Decimal | None:
    return None if hours is None else (hours / 24).quantize(Decimal("0.1"))


def _ratio(part: Decimal, whole: Decimal) -> Decimal | None:
    """One decimal; None of nothing."""
    return (part / whole).quantize(Decimal("0.1")) if whole > 0 else None


def last_measured() -> tuple[StockHealth | None, StockHealth | None]:
    """What was measured last, and the measure a month or more before it."""
    now = StockHealth.objects.last()
    if now is None:
        return None, None
    month_ago = now.measured_on - timedelta(days=30)
    return now, StockHealth.objects.filter(measured_on__lte=month_ago).last()


def value_by_week(now: StockHealth) -> list[tuple[date, Decimal]]:
    """The stock's value over a year, EUR excl. tax, at the end of each week."""
    year = Period(now.measured_on - timedelta(days=YEAR - 1), now.measured_on)
    began = StockMove.objects.aggregate(first=Min("at"))["first"]
    days = value_by_day(now.value_excl_tax, year)[::-1][::WEEK][::-1]
    return [(day, value) for day, value in days if began and day >= business_date(began)]


def classes() -> list[tuple[str, list[Cell]]]:
    """Products by what they bring (A first) and how regularly they are asked for (X first)."""
    rows = (
        ProductHealth.objects.values("abc", "xyz")
        .order_by()
        .annotate(products=Count("pk"), value=Sum("value_excl_tax"))
    )
    found = {(row["abc"], row["xyz"]): Cell(row["products"], row["value"]) for row in rows}
    return [
        (abc or _("Sans vente"), [found.get((abc, xyz), Cell(0, ZERO)) for xyz in _REGULARITY])
        for abc in _CLASSES
    ]


def dead() -> QuerySet[ProductHealth]:
    """Products that sleep, the most expensive first."""
    return _of(["-value_excl_tax"]).filter(is_dead=True)


def most_missed() -> QuerySet[ProductHealth]:
    """Products whose ruptures cost most."""
    return _of(["-lost_excl_tax", "-days_out"]).filter(days_out__gt=0)


def _of(order: Iterable[str]) -> QuerySet[ProductHealth]:
    return ProductHealth.objects.select_related("product").order_by(*order, "pk")


def by_sku() -> QuerySet[ProductHealth]:
    """Every product measured."""
    return _of(["product__sku"])
