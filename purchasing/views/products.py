"""A product's page: past and future, levels and why."""

import json
from decimal import Decimal
from typing import Any

from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from inventory.models import Product, StockPosition
from inventory.services import default_warehouse
from purchasing.courses import as_chart, course_of
from purchasing.models import (
    Decision,
    PurchaseOrderLine,
    StockPolicy,
)
from purchasing.reasons import explain
from sphinx.core import clock
from sphinx.core.money import plain
from sphinx.core.pages import back_office_page
from sphinx.core.typed import key_of


def _labels(*, has_special: bool) -> dict[str, str]:
    unseen = _("semaine avec des jours sans stock ni commande")
    if has_special:
        unseen = _("semaine avec des jours sans stock ni commande, ou dits exceptionnels")
    return {
        "asked": _("Demandé par semaine"),
        "stock": _("En stock"),
        "without": _("Prévu sans commande"),
        "with": _("Prévu avec la commande"),
        "point": _("Point de commande"),
        "foretold": _("Prévu par semaine"),
        "computed": _("tel que calculé"),
        "unseen": unseen,
    }


@login_required
@permission_required("inventory.view_product", raise_exception=True)
def product(request: HttpRequest, product_id: int) -> HttpResponse:
    """A product's past and future: asked, stock, levels and why; the effect of a proposed line."""
    found = get_object_or_404(Product.objects.select_related("style"), pk=product_id)
    warehouse = default_warehouse()
    line = None
    if key := key_of(request.GET.get("ligne")):
        line = (
            PurchaseOrderLine.objects.select_related("purchase_order")
            .filter(pk=key, product=found)
            .first()
        )
    policy = StockPolicy.objects.filter(product=found, warehouse=warehouse).first()
    today = clock.today()
    days = 0
    if line is not None and line.purchase_order.expected_on:
        days = max((line.purchase_order.expected_on - today).days, 0)
    course = course_of(
        found,
        warehouse,
        on=today,
        levels=(policy.reorder_point, policy.order_up_to) if policy else (Decimal(0), Decimal(0)),
        buying=line.quantity if line else Decimal(0),
        arrives_in_days=days,
    )
    labels = _labels(has_special=course.has_special)
    return back_office_page(
        request,
        "purchasing/product.html",
        title=str(found),
        product=found,
        positions=found.positions.select_related("warehouse"),
        policy=policy,
        line=line,
        told=explain(line.reason) if line else _explain_policy(policy),
        chart=json.dumps(as_chart(course, labels)),
        weeks=course.weeks,
        left_out=course.left_out,
        has_left_out=any(week.left_out for week in course.weeks),
        is_changed=course.is_changed,
        has_special=course.has_special,
        has_unseen=any(week.unseen for week in course.weeks),
        labels=labels,
        decisions=Decision.objects.filter(product=found).select_related("decided_by")[:10],
    )


def _explain_policy(policy: StockPolicy | None) -> list[Any]:
    """The levels of a product that isn't proposed now."""
    if policy is None or not policy.figures.get("method"):
        return []
    known = StockPosition.objects.filter(
        product_id=policy.product_id, warehouse_id=policy.warehouse_id
    ).first()
    position = {
        name: plain(getattr(known, name, Decimal(0))) if known else "0"
        for name in ("on_hand", "reserved", "incoming", "backordered")
    }
    position["unsellable"] = f"{known.expired.normalize():f}" if known else "0"
    forecast = (
        known.available + known.incoming - known.backordered if known else Decimal(0)
    ).normalize()
    reason = {
        **policy.figures,
        **position,
        "policy": policy.policy,
        "forecast": f"{forecast:f}",
        "reorder_point": f"{policy.reorder_point.normalize():f}",
        "order_up_to": f"{policy.order_up_to.normalize():f}",
        "needed": "0",
    }
    return [step for step in explain(reason) if step.title != _("Besoin")]
