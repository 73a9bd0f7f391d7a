"""Suppliers' price lists: received, looked at, taken over on their day."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _

from sphinx.core.clock import business_date
from sphinx.core.errors import InputError
from sphinx.core.money import plain
from sphinx.core.services import record
from sphinx.core.tables import TableRow, read_table
from suppliers.errors import PriceListClosed
from suppliers.models import PriceList, Supplier, SupplierPrice, SupplierProduct
from suppliers.reading import ROLES, Columns, Reading, find_columns, read_prices
from suppliers.selectors import Change, Comparison, compare

Status = PriceList.Status
OPEN = (Status.DRAFT, Status.ACCEPTED)
MAX_BYTES = 20 * 1024 * 1024
_CONDITIONS = [
    "supplier_sku",
    "minimum_quantity",
    "pack_size",
    "unit_name",
    "unit_size",
    "lead_time_days",
]


class Preview(NamedTuple):
    """A list as it would be taken over now."""

    columns: Columns
    reading: Reading
    comparison: Comparison


@transaction.atomic
def receive_price_list(
    *,
    supplier: Supplier,
    name: str,
    data: bytes,
    applies_on: date,
    at: datetime,
    actor: Any = None,
) -> PriceList:
    """Keep a list to be looked at; nothing changes yet. The same file again is the same list.

    Columns are guessed, or those that were chosen for the supplier's last list of this shape.

    Raises:
        InputError: the file isn't a table, is too big, or holds nothing.
    """
    if len(data) > MAX_BYTES:
        raise InputError(
            _("%(name)s dépasse %(limit)s Mo.") % {"name": name, "limit": MAX_BYTES // 1024**2},
            code="price_list.too_big",
        )
    rows = list(read_table(name, data))
    columns = find_columns(rows)
    Supplier.objects.select_for_update(no_key=True).get(pk=supplier.pk)
    found, is_new = PriceList.objects.get_or_create(
        supplier=supplier,
        sha256=hashlib.sha256(data).hexdigest(),
        status__in=OPEN,
        defaults={
            "status": Status.DRAFT,
            "name": name[:200],
            "data": data,
            "currency": supplier.currency,
            "columns": _remembered(supplier, columns) or _kept(columns),
            "applies_on": applies_on,
            "received_at": at,
        },
    )
    if is_new:
        record("price_list.received", [found], actor=actor, sha256=found.sha256)
    return found


def _kept(columns: Columns) -> dict[str, Any]:
    return {"header": list(columns.header), "places": dict(columns.places)}


def _remembered(supplier: Supplier, columns: Columns) -> dict[str, Any] | None:
    """The columns of the last list taken over, when its header was the same."""
    last = (
        PriceList.objects.filter(supplier=supplier, status=Status.APPLIED)
        .values_list("columns", flat=True)
        .first()
    )
    return last if last and last["header"] == list(columns.header) else None


def preview_price_list(price_list: PriceList) -> Preview:
    """Read the list again and compare it with what is known now; nothing is written.

    A list whose columns don't name an article and a price compares as empty.
    """
    rows = list(read_table(price_list.name, bytes(price_list.data)))
    columns = _columns(price_list, rows)
    if not columns.is_enough:
        return Preview(columns, Reading(), Comparison())
    reading = read_prices(rows, columns, price_list.currency)
    return Preview(
        columns, reading, compare(price_list.supplier, reading.items, price_list.currency)
    )


def _columns(price_list: PriceList, rows: Sequence[TableRow]) -> Columns:
    return find_columns(rows).chosen(price_list.columns["places"])


@transaction.atomic
def choose_columns(
    *, price_list_id: int, places: Mapping[str, int], actor: Any = None
) -> PriceList:
    """Correct which column holds what: role (of `ROLES`) → place in the header.

    Raises:
        PriceListClosed: it was applied or put aside.
        InputError: two roles for one column.
    """
    price_list = _locked(price_list_id)
    chosen = {role: place for role, place in places.items() if role in ROLES}
    if len(set(chosen.values())) < len(chosen):
        raise InputError(
            _("Une colonne ne peut servir qu'une fois : corrigez les choix."),
            code="price_list.column_twice",
        )
    price_list.columns = {**price_list.columns, "places": chosen}
    price_list.save(update_fields=["columns"])
    record("price_list.columns", [price_list], actor=actor, places=chosen)
    return price_list


def _locked(price_list_id: int) -> PriceList:
    """The list, locked after its supplier.

    Raises:
        PriceListClosed: it was applied or put aside.
    """
    known = PriceList.objects.only("supplier_id").get(pk=price_list_id)
    Supplier.objects.select_for_update(no_key=True).get(pk=known.supplier_id)
    price_list = (
        PriceList.objects.select_for_update(of=("self",), no_key=True)
        .select_related("supplier")
        .get(pk=price_list_id)
    )
    if price_list.status not in OPEN:
        raise PriceListClosed(
            _("Le tarif « %(name)s » est déjà classé (%(status)s).")
            % {"name": price_list.name, "status": price_list.get_status_display()}
        )
    return price_list


@transaction.atomic
def accept_price_list(*, price_list_id: int, at: datetime, actor: Any = None) -> PriceList:
    """Take the list over: at once, or on its day when that is still to come.

    Raises:
        PriceListClosed: it was applied or put aside.
        InputError: no price can be read in it.
    """
    price_list = _locked(price_list_id)
    preview = _readable(price_list)
    price_list.status, price_list.accepted_by = Status.ACCEPTED, actor
    price_list.save(update_fields=["status", "accepted_by"])
    if price_list.applies_on > business_date(at):
        record("price_list.accepted", [price_list], actor=actor)
        return price_list
    return _apply(price_list, preview, at, actor)


def _readable(price_list: PriceList) -> Preview:
    preview = preview_price_list(price_list)
    if not preview.reading.items:
        raise InputError(
            _("Aucun prix n'est lisible dans « %s » : vérifiez les colonnes.") % price_list.name,
            code="price_list.nothing",
        )
    return preview


@transaction.atomic
def discard_price_list(*, price_list_id: int, actor: Any = None) -> PriceList:
    """Put the list aside: it changes nothing.

    Raises:
        PriceListClosed: it was applied or put aside.
    """
    price_list = _locked(price_list_id)
    price_list.status = Status.DISCARDED
    price_list.save(update_fields=["status"])
    record("price_list.discarded", [price_list], actor=actor)
    return price_list


def apply_due_price_lists(*, at: datetime) -> int:
    """Sweep: accepted lists whose day has come, the oldest first; returns how many were."""
    due = PriceList.objects.filter(status=Status.ACCEPTED, applies_on__lte=business_date(at))
    ids = list(due.order_by("applies_on", "pk").values_list("pk", flat=True))
    for pk in ids:
        with transaction.atomic():
            price_list = _locked(pk)
            if price_list.status == Status.ACCEPTED:
                _apply(price_list, _readable(price_list), at, price_list.accepted_by)
    return len(ids)


def _apply(price_list: PriceList, preview: Preview, at: datetime, actor: Any) -> PriceList:
    changes = [c for c in preview.comparison.changes if c.kind != "same"]
    _write_items(price_list.supplier, changes)
    _write_prices(price_list, changes)
    price_list.status, price_list.applied_at = Status.APPLIED, at
    price_list.outcome = {
        "unchanged": preview.comparison.count("same"),
        "unknown": len(preview.comparison.unknown),
        "unsized": len(preview.comparison.unsized),
        "refused": len(preview.reading.faults),
        "changes": [_as_text(change) for change in changes],
    }
    price_list.save(update_fields=["status", "applied_at", "outcome"])
    record("price_list.applied", [price_list], actor=actor, changed=len(changes))
    return price_list


def _as_text(change: Change) -> dict[str, Any]:
    return {
        "line": change.priced.line,
        "sku": change.product.sku,
        "kind": change.kind,
        "before": [[plain(start), plain(price)] for start, price in change.before],
        "after": [[plain(start), plain(price)] for start, price in change.after],
    }


def _write_items(supplier: Supplier, changes: Sequence[Change]) -> None:
    """Conditions that the list gives, and the articles that the supplier sells from now on."""
    known: list[SupplierProduct] = []
    fresh: list[SupplierProduct] = []
    for change in changes:
        item = change.item or SupplierProduct(supplier=supplier, product=change.product)
        for name, (_before, after) in change.conditions.items():
            setattr(item, name, after)
        if change.item is None:
            fresh.append(item)
        elif change.conditions:
            known.append(item)
    SupplierProduct.objects.bulk_create(fresh, batch_size=1000)
    SupplierProduct.objects.bulk_update(known, _CONDITIONS, batch_size=200)


def _write_prices(price_list: PriceList, changes: Sequence[Change]) -> None:
    """The tiers of the list in place of those before."""
    by_product: dict[int, tuple[tuple[Decimal, Decimal], ...]] = {
        c.product.pk: c.after for c in changes if c.before != c.after
    }
    items = dict(
        SupplierProduct.objects.filter(
            supplier=price_list.supplier, product_id__in=by_product.keys()
        ).values_list("product_id", "pk")
    )
    SupplierPrice.objects.filter(item_id__in=items.values()).delete()
    SupplierPrice.objects.bulk_create(
        (
            SupplierPrice(
                item_id=items[pk],
                from_quantity=start,
                unit_price_excl_tax=price,
                currency=price_list.currency,
            )
            for pk, tiers in by_product.items()
            for start, price in tiers
        ),
        batch_size=2000,
    )
