"""What is wrong with stock today: each alert a list, with what can be done about it in a click."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.conf import settings
from django.core.mail import send_mail
from django.db.models import (
    DecimalField,
    Exists,
    ExpressionWrapper,
    F,
    FloatField,
    Min,
    OuterRef,
    QuerySet,
    Subquery,
    Sum,
)
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Coalesce
from django.urls import reverse
from django.utils.translation import gettext as _

from inventory.models import LotPosition, StockMove, StockPosition
from purchasing.models import PurchaseOrderLine, StockPolicy
from sales.models import Order, OrderLine
from sales.selectors import lines_waiting_for_stock, notes_short_of_stock
from sphinx.core import clock
from sphinx.core.models import AuditEvent
from sphinx.core.money import HUNDRED, to_cents
from sphinx.core.services import company, record
from sphinx.core.templatetags.numbers import bare, local

SHOWN = 20
DEAD_DAYS = 180
EXPIRES_DAYS = 15
MARGIN_DAYS = 30


class Click(NamedTuple):
    """Something to do: a page to open, or (`verb`, `pk`) to post."""

    label: str
    url: str = ""
    verb: str = ""
    pk: int = 0


class Row(NamedTuple):
    """One thing that is wrong: what, the figures, what to do."""

    title: str
    url: str
    text: str
    clicks: Sequence[Click] = ()


class Alert(NamedTuple):
    """One kind of trouble; `total` in all, of which the first rows are shown."""

    code: str
    title: str
    tone: str
    explanation: str
    total: int
    rows: list[Row]


def stock_alerts() -> list[Alert]:
    """Every alert with something in it, the gravest first. A fixed number of statements."""
    found = [find() for find in _ALERTS]
    return [alert for alert in found if alert.total]


def _product_url(product_id: int) -> str:
    return reverse("purchasing:product", args=[product_id])


def _alert(
    code: str,
    title: str,
    tone: str,
    explanation: str,
    rows: QuerySet[Any],
    shown: Callable[[Any], Row],
) -> Alert:
    return Alert(code, title, tone, explanation, rows.count(), [shown(row) for row in rows[:SHOWN]])


def _policies() -> QuerySet[Any]:
    """Levels with the position of the same place, what is in view, days of cover."""
    here = StockPosition.objects.filter(
        product=OuterRef("product"), warehouse=OuterRef("warehouse")
    )
    quantity = DecimalField(max_digits=14, decimal_places=3)

    def level(expression: Any) -> Subquery:
        wanted = here.annotate(level=ExpressionWrapper(expression, output_field=quantity))
        return Subquery(wanted.values("level")[:1], output_field=quantity)

    free = F("on_hand") - F("expired") - F("reserved")
    proposed = PurchaseOrderLine.objects.filter(
        product=OuterRef("product"),
        purchase_order__warehouse=OuterRef("warehouse"),
        purchase_order__status="proposed",
    )
    return (
        StockPolicy.objects.filter(product__is_active=True)
        .select_related("product", "warehouse")
        .annotate(
            free=level(free),
            view=level(free + F("incoming") - F("backordered")),
            proposal=Subquery(proposed.values("purchase_order_id")[:1]),
        )
    )


def _buying(policy: Any) -> list[Click]:
    clicks = [Click(_("Stock et prévision"), _product_url(policy.product_id))]
    if policy.proposal:
        clicks.insert(
            0,
            Click(_("Voir la proposition"), reverse("purchasing:proposal", args=[policy.proposal])),
        )
    return clicks


def _out_of_stock() -> Alert:
    rows = (
        _policies()
        .filter(demand_per_day__gt=0, free__lte=0)
        .exclude(policy="just_in_time")
        .order_by("-demand_per_day", "product__sku")
    )
    return _alert(
        "out_of_stock",
        _("En rupture"),
        "danger",
        _("Plus rien de disponible, alors que l'article se vend."),
        rows,
        lambda p: Row(
            str(p.product),
            _product_url(p.product_id),
            _("%(view)s en vue, %(demand)s demandées par jour")
            % {"view": bare(p.view), "demand": bare(round(p.demand_per_day, 2))},
            _buying(p),
        ),
    )


def _under_reorder_point() -> Alert:
    rows = (
        _policies()
        .filter(view__lte=F("reorder_point"), order_up_to__gt=F("reorder_point"), free__gt=0)
        .exclude(policy__in=("just_in_time", "backorders"))
        .order_by("product__sku")
    )
    return _alert(
        "under_reorder_point",
        _("Sous le point de commande"),
        "warning",
        _("Ce qui est en vue ne couvre plus le délai du fournisseur."),
        rows,
        lambda p: Row(
            str(p.product),
            _product_url(p.product_id),
            _("%(view)s en vue, point de commande %(point)s")
            % {"view": bare(p.view), "point": bare(p.reorder_point)},
            _buying(p),
        ),
    )


# By the supplier's order days and closures, where there are any.
_DELAYS = ("figures__days_to_arrival", "figures__lead_time_days")


def _short_cover() -> Alert:
    days = ExpressionWrapper(
        Cast(F("free"), FloatField()) / Cast(F("demand_per_day"), FloatField()),
        output_field=FloatField(),
    )
    rows = (
        _policies()
        .filter(demand_per_day__gt=0, free__gt=0)
        .annotate(cover=days)
        .filter(cover__lt=Cast(Coalesce(*map(KT, _DELAYS)), FloatField()))
        .exclude(policy="just_in_time")
        .order_by("cover", "product__sku")
    )
    return _alert(
        "short_cover",
        _("Couverture trop courte"),
        "warning",
        _("Le disponible sera vendu avant qu'une commande passée aujourd'hui n'arrive."),
        rows,
        lambda p: Row(
            str(p.product),
            _product_url(p.product_id),
            _("%(cover)s jours de couverture, délai de %(days)s jours")
            % {
                "cover": bare(Decimal(repr(round(p.cover, 1)))),
                "days": local(p.figures.get("days_to_arrival") or p.figures["lead_time_days"]),
            },
            _buying(p),
        ),
    )


def _oversold() -> Alert:
    waiting = lines_waiting_for_stock().values("order_id")
    orders = (
        Order.objects.filter(pk__in=waiting)
        .annotate(priority=Min("lines__reservation__priority"))
        .order_by("placed_at", "pk")
    )
    return _alert(
        "oversold",
        _("Commandes en attente de stock"),
        "danger",
        _("Vendu au-delà du stock : servies d'elles-mêmes, la plus ancienne d'abord."),
        orders,
        lambda o: Row(
            _("Commande %s") % o.number,
            reverse("admin:sales_order_change", args=[o.pk]),
            _("du %(day)s, %(total)s € TTC")
            % {
                "day": f"{clock.business_date(o.placed_at):%d/%m/%Y}",
                "total": bare(o.total_incl_tax, 2),
            },
            [Click(_("Servir en premier"), verb="first", pk=o.pk)],
        ),
    )


def _notes_short() -> Alert:
    return _alert(
        "notes_short",
        _("Bons préparés dont le stock a disparu"),
        "danger",
        _("Un inventaire, une perte ou une priorité a repris leurs pièces : annulez-les."),
        notes_short_of_stock().select_related("order").order_by("pk"),
        lambda n: Row(
            n.number,
            reverse("admin:sales_deliverynote_change", args=[n.pk]),
            _("Commande %s") % n.order.number,
            [Click(_("Annuler le bon"), verb="cancel-note", pk=n.pk)],
        ),
    )


def _expiring() -> Alert:
    today = clock.today()
    lots = (
        LotPosition.objects.filter(
            on_hand__gt=0, lot__best_before__lt=today + timedelta(days=EXPIRES_DAYS)
        )
        .select_related("lot__product", "warehouse")
        .order_by("lot__best_before", "pk")
    )

    def shown(found: LotPosition) -> Row:
        limit = found.lot.best_before
        expired = limit is not None and limit < today
        return Row(
            f"{found.lot.product} – {found.lot}",
            _product_url(found.lot.product_id),
            (_("périmé depuis le %s") if expired else _("à vendre avant le %s"))
            % f"{limit:%d/%m/%Y}"
            + f", {bare(found.on_hand)}",
            [Click(_("Sortir du stock"), verb="scrap", pk=found.pk)] if expired else (),
        )

    return _alert(
        "expiring",
        _("Lots périmés ou bientôt"),
        "danger",
        _("Un lot périmé n'est ni promis ni expédié ; il reste compté jusqu'à sa sortie."),
        lots,
        shown,
    )


def _net_prices() -> dict[int, Decimal]:
    """What a piece of each product brought lately (EUR, VAT taken out of what was paid)."""
    sums = (
        OrderLine.objects.filter(
            product__isnull=False,
            order__placed_at__gte=clock.now() - timedelta(days=MARGIN_DAYS),
        )
        .exclude(order__status=Order.Status.CANCELLED)
        .order_by()
        .values_list("product_id", "tax_rate")
        .annotate(
            paid=Sum(F("total_incl_tax") - F("order_discount_incl_tax")), pieces=Sum("quantity")
        )
    )
    net: dict[int, Decimal] = {}
    pieces: dict[int, Decimal] = {}
    for product_id, rate, paid, count in sums:
        before_tax = paid * HUNDRED / (HUNDRED + (rate or 0))
        net[product_id] = net.get(product_id, Decimal(0)) + before_tax
        pieces[product_id] = pieces.get(product_id, Decimal(0)) + count
    return {pk: amount / pieces[pk] for pk, amount in net.items() if pieces[pk]}


def _negative_margin() -> Alert:
    """Sold lately under what a piece costs."""
    prices = _net_prices()
    costly = [
        pk
        for pk, product_id, cost in StockPosition.objects.filter(
            product_id__in=prices, average_cost__gt=0
        ).values_list("pk", "product_id", "average_cost")
        if prices[product_id] < cost
    ]
    return _alert(
        "negative_margin",
        _("Vendu à perte"),
        "danger",
        _("Le prix net moyen des trente derniers jours est sous le coût moyen."),
        StockPosition.objects.filter(pk__in=costly)
        .select_related("product", "warehouse")
        .order_by("product__sku"),
        lambda p: Row(
            str(p.product),
            _product_url(p.product_id),
            _("vendu %(price)s € HT, coûte %(cost)s €")
            % {
                "price": bare(to_cents(prices[p.product_id]), 2),
                "cost": bare(to_cents(p.average_cost), 2),
            },
        ),
    )


def _dead_stock() -> Alert:
    since = clock.now() - timedelta(days=DEAD_DAYS)
    moves = StockMove.objects.filter(product=OuterRef("product"), warehouse=OuterRef("warehouse"))
    sold = moves.filter(kind=StockMove.Kind.SALE, at__gte=since)
    old = moves.filter(at__lt=since)
    rows = (
        StockPosition.objects.filter(Exists(old), ~Exists(sold), on_hand__gt=0, reserved=0)
        .annotate(
            worth=ExpressionWrapper(
                F("on_hand") * F("average_cost"),
                output_field=DecimalField(max_digits=24, decimal_places=9),
            )
        )
        .select_related("product", "warehouse")
        .order_by("-worth", "product__sku")
    )
    return _alert(
        "dead_stock",
        _("Stock dormant"),
        "info",
        _("Rien de sorti depuis six mois ; le plus cher d'abord."),
        rows,
        lambda p: Row(
            str(p.product),
            _product_url(p.product_id),
            _("%(pieces)s pièces, %(worth)s € HT")
            % {"pieces": bare(p.on_hand), "worth": bare(to_cents(Decimal(p.worth)), 2)},
        ),
    )


_ALERTS = (
    _oversold,
    _out_of_stock,
    _notes_short,
    _expiring,
    _under_reorder_point,
    _short_cover,
    _negative_margin,
    _dead_stock,
)


def alerts_text(alerts: Sequence[Alert]) -> str:
    """The same as a plain text, for the daily e-mail."""
    parts = []
    for alert in alerts:
        lines = [f"{alert.title} : {alert.total}"]
        lines += [f"  - {row.title} : {row.text}" for row in alert.rows[:10]]
        if alert.total > len(lines) - 1:
            lines.append("  …")
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def mail_alerts_once() -> bool:
    """True when an e-mail went: somebody asked for it, there is something to say, and today's
    has not gone yet."""
    firm = company()
    emails = [part.strip() for part in firm.stock_alert_emails.split(",") if part.strip()]
    today = clock.today().isoformat()
    if not emails or AuditEvent.objects.filter(kind="stock.alerted", details__day=today).exists():
        return False
    alerts = stock_alerts()
    if not alerts:
        return False
    count = sum(alert.total for alert in alerts)
    send_mail(
        _("Stock : %s choses à regarder") % count,
        alerts_text(alerts),
        settings.DEFAULT_FROM_EMAIL,
        emails,
    )
    record("stock.alerted", [firm], day=today, alerts={a.code: a.total for a in alerts})
    return True
