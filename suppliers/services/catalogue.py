"""The catalogue of one table: products, suppliers, price list, reorder rules, opening stock.

Loading the same file again changes nothing; a blank cell leaves what is there.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _
from stdnum import ean

from inventory.models import MOST_OPTIONS, Product, ProductCategory, ReorderRule, Style
from inventory.options import name_of
from inventory.services import StyleDraft, default_warehouse, make_styles, open_stock
from sphinx.core import cells
from sphinx.core.clock import business_date
from sphinx.core.errors import InputError
from sphinx.core.exchange import indicative_units
from sphinx.core.money import to_unit_price
from sphinx.core.tables import TableRow, read_table
from sphinx.core.texts import fold, is_spoilt, sku_key
from suppliers.models import Supplier, SupplierPrice, SupplierProduct
from suppliers.units import Unit, pieces_named

COLUMNS = (
    "sku label tax_rate supply_mode cost on_hand supplier supplier_sku purchase_price "
    "lead_time_days minimum_quantity pack_size reorder_minimum reorder_maximum barcode category "
    "released_on purchase_unit pieces_per_unit weight length_cm width_cm height_cm "
    "origin_country customs_code model model_label option1_name option1 option2_name option2 "
    "option3_name option3"
).split()
# Said, but nothing was refused.
NOTES = frozenset({"catalogue.on_hand_ignored", "catalogue.twice"})


@dataclass
class _Tally:
    created: int = 0
    updated: int = 0
    unchanged: int = 0


@dataclass
class CatalogueReport:
    """What loading did; `counted` is the number of products whose stock was opened."""

    products: _Tally = field(default_factory=_Tally)
    suppliers: _Tally = field(default_factory=_Tally)
    counted: int = 0
    issues: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The contract's document."""
        return {
            "products": vars(self.products),
            "suppliers": vars(self.suppliers),
            "counted": self.counted,
            "issues": self.issues,
        }


@dataclass
class _Item:
    """A row of the catalogue; None is a blank cell."""

    line: int
    sku: str
    label: str
    tax_rate: Decimal | None
    supply_mode: str
    cost: Decimal | None
    on_hand: Decimal | None
    supplier: str
    supplier_sku: str
    purchase_price: Decimal | None
    lead_time_days: int | None
    minimum_quantity: Decimal | None
    pack_size: Decimal | None
    reorder_minimum: Decimal | None
    reorder_maximum: Decimal | None
    barcode: str
    category: str
    released_on: date | None
    purchase_unit: str
    pieces_per_unit: Decimal | None
    weight: Decimal | None
    length_cm: Decimal | None
    width_cm: Decimal | None
    height_cm: Decimal | None
    origin_country: str
    customs_code: str
    model: str
    model_label: str
    option_names: tuple[str, ...]
    options: tuple[str, ...]

    @property
    def purchased_in(self) -> Unit:
        """What purchase price, minimum and pack are in."""
        size = self.pieces_per_unit or pieces_named(self.purchase_unit) or Decimal(1)
        return Unit(self.purchase_unit, size)

    def pieces(self, count: Decimal | None) -> Decimal | None:
        """A quantity of the row in pieces; None when blank."""
        return None if count is None else self.purchased_in.in_pieces(count)

    @property
    def piece_price(self) -> Decimal | None:
        """The purchase price a piece; None when blank."""
        price = self.purchase_price
        return None if price is None else self.purchased_in.piece_price(price)


def load_catalogue(*, path: Path, at: datetime) -> CatalogueReport:
    """Load a catalogue; bad rows are reported and the others go on.

    Raises:
        InputError: the file can't be read at all, or has no `sku` column.
    """
    report = CatalogueReport()
    items = _read(path, report)
    with transaction.atomic():
        categories = _categories(items)
        products = _products(items, categories, report)
        suppliers = _suppliers(items, report)
        _styles(items, products, report)
        _offers(items, products, suppliers)
        _reorder_rules(items, products)
        _open(items, products, suppliers, at, report)
    return report


# --- Reading ------------------------------------------------------------------------------


def _read(path: Path, report: CatalogueReport) -> list[_Item]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(
            _("« %(path)s » ne peut pas être lu : %(reason)s.")
            % {"path": path, "reason": error.strerror},
            code="file.not_found",
        ) from error
    rows = read_table(path.name, data)
    header = [fold(name).replace(" ", "_") for name in next(rows, TableRow(1, [])).cells]
    if "sku" not in header:
        raise InputError(
            _("%(name)s, ligne 1 : la colonne « sku » manque. Colonnes possibles : %(columns)s.")
            % {"name": path.name, "columns": ", ".join(COLUMNS)},
            code="catalogue.no_sku",
            line=1,
            column="sku",
        )
    items: dict[str, _Item] = {}
    for row in rows:
        values = dict(zip(header, row.cells, strict=False))
        try:
            item = _item(values, row.line)
        except InputError as error:
            _report(report, path.name, error.line, error.column, error.code, error.message)
            continue
        if sku_key(item.sku) in items:
            message = _("Ligne %(line)s : « %(sku)s » figure deux fois, la dernière l'emporte.")
            message %= {"line": item.line, "sku": item.sku}
            _report(report, path.name, item.line, "sku", "catalogue.twice", message)
        items[sku_key(item.sku)] = item
    return list(items.values())


def _report(
    report: CatalogueReport, file: str, line: int, column: str, code: str, message: str
) -> None:
    report.issues.append(
        {"file": file, "line": line, "column": column, "code": code, "message": message}
    )


def _item(values: Mapping[str, str], line: int) -> _Item:
    def text(name: str, limit: int = 200) -> str:
        return cells.clean(values.get(name, ""))[:limit]

    def number(name: str) -> Decimal | None:
        return cells.price(text(name), line, name) if text(name) else None

    if not text("sku"):
        raise InputError(
            _("Ligne %(line)s : la référence (sku) manque.") % {"line": line},
            code="catalogue.blank_sku",
            line=line,
            column="sku",
        )
    if is_spoilt(text("sku")):
        raise InputError(
            _(
                "Ligne %(line)s, colonne sku : la référence « %(text)s » a été abîmée par Excel. "
                "Reprenez le fichier d'origine."
            )
            % {"line": line, "text": text("sku")},
            code="catalogue.spoilt_sku",
            line=line,
            column="sku",
        )
    days = number("lead_time_days")
    return _Item(
        line=line,
        sku=cells.unquoted(values["sku"])[:80],
        label=text("label"),
        tax_rate=cells.rate(text("tax_rate"), line, "tax_rate"),
        supply_mode=_supply_mode(text("supply_mode"), line),
        cost=number("cost"),
        on_hand=number("on_hand"),
        supplier=text("supplier", 120),
        supplier_sku=text("supplier_sku", 80),
        purchase_price=number("purchase_price"),
        lead_time_days=None if days is None else int(days),
        minimum_quantity=number("minimum_quantity"),
        pack_size=number("pack_size"),
        reorder_minimum=number("reorder_minimum"),
        reorder_maximum=number("reorder_maximum"),
        barcode=_barcode(text("barcode", 14), line),
        category=text("category", 80),
        released_on=_day(text("released_on"), line),
        purchase_unit=text("purchase_unit", 30),
        pieces_per_unit=number("pieces_per_unit"),
        weight=number("weight"),
        length_cm=number("length_cm"),
        width_cm=number("width_cm"),
        height_cm=number("height_cm"),
        origin_country=_valid(text("origin_country", 2).upper(), "origin_country", line),
        customs_code=_valid(text("customs_code", 20).replace(" ", ""), "customs_code", line),
        model=text("model", 80),
        model_label=text("model_label"),
        option_names=tuple(text(f"option{n + 1}_name", 40) for n in range(MOST_OPTIONS)),
        options=_options(
            [text(f"option{n}", 60) for n in range(1, MOST_OPTIONS + 1)], values, line
        ),
    )


def _options(given: Sequence[str], values: Mapping[str, str], line: int) -> tuple[str, ...]:
    """A variant's values, without the blank ones behind; none where the row names no model."""
    told = list(given)
    while told and not told[-1]:
        told.pop()
    if not cells.clean(values.get("model", "")):
        return ()
    if not told or not all(told):
        raise InputError(
            _("Ligne %(line)s : un modèle demande option1, puis option2 et option3 s'il les a.")
            % {"line": line},
            code="catalogue.option_missing",
            line=line,
            column="option1",
        )
    return tuple(told)


def _valid(text: str, column: str, line: int) -> str:
    """A text as the product's field of that name takes it."""
    if text:
        try:
            Product._meta.get_field(column).run_validators(text)  # type: ignore[union-attr]
        except ValidationError as error:
            raise InputError(
                _("Ligne %(line)s, colonne %(column)s : « %(text)s » est refusé. %(reason)s")
                % {
                    "line": line,
                    "column": column,
                    "text": text[:40],
                    "reason": " ".join(error.messages),
                },
                code=f"catalogue.bad_{column}",
                line=line,
                column=column,
            ) from error
    return text


def _supply_mode(text: str, line: int) -> str:
    mode = text.casefold()
    if mode and mode not in Product.SupplyMode.values:
        raise InputError(
            _(
                "Ligne %(line)s, colonne supply_mode : « %(mode)s » est inconnu. "
                "Attendu : %(known)s."
            )
            % {"line": line, "mode": text[:40], "known": ", ".join(Product.SupplyMode.values)},
            code="catalogue.bad_supply_mode",
            line=line,
            column="supply_mode",
        )
    return mode


def _day(text: str, line: int) -> date | None:
    return cells.moment(text, line, "released_on").date() if text else None


def _barcode(text: str, line: int) -> str:
    if text and not ean.is_valid(text):
        raise InputError(
            _("Ligne %(line)s, colonne barcode : « %(text)s » n'est pas un code EAN valide.")
            % {"line": line, "text": text},
            code="catalogue.bad_barcode",
            line=line,
            column="barcode",
        )
    return text


# --- Writing ------------------------------------------------------------------------------


def _assign(row: models.Model, values: Mapping[str, Any]) -> bool:
    """Set what is given and differs; True when something did."""
    changed = False
    for name, value in values.items():
        if value not in (None, "") and getattr(row, name) != value:
            setattr(row, name, value)
            changed = True
    return changed


def _categories(items: Sequence[_Item]) -> dict[str, ProductCategory]:
    names = {item.category for item in items if item.category}
    ProductCategory.objects.bulk_create(
        (ProductCategory(name=name) for name in sorted(names)), ignore_conflicts=True
    )
    return {c.name: c for c in ProductCategory.objects.filter(name__in=names)}


def _products(
    items: Sequence[_Item], categories: Mapping[str, ProductCategory], report: CatalogueReport
) -> dict[str, Product]:
    keys = [sku_key(item.sku) for item in items]
    known = {p.sku_key: p for p in Product.objects.filter(sku_key__in=keys)}
    fresh: list[Product] = []
    changed: list[Product] = []
    for key, item in zip(keys, items, strict=True):
        product = known.get(key) or Product(sku=item.sku, sku_key=key)
        values = {
            "label": item.label,
            "tax_rate": item.tax_rate,
            "supply_mode": item.supply_mode,
            "released_on": item.released_on,
            "unit_cost": item.cost,
            "barcode": item.barcode,
            "weight": item.weight or None,
            "length_cm": item.length_cm or None,
            "width_cm": item.width_cm or None,
            "height_cm": item.height_cm or None,
            "origin_country": item.origin_country,
            "customs_code": item.customs_code,
            "category_id": categories[item.category].pk if item.category else None,
        }
        differs = _assign(product, values)
        if product.pk is None:
            fresh.append(product)
        elif differs or product.is_incomplete:
            product.is_incomplete = False
            changed.append(product)
    Product.objects.bulk_create(fresh, batch_size=1000)
    Product.objects.bulk_update(
        changed,
        [
            "label",
            "tax_rate",
            "supply_mode",
            "released_on",
            "unit_cost",
            "barcode",
            "weight",
            "length_cm",
            "width_cm",
            "height_cm",
            "origin_country",
            "customs_code",
            "category",
            "is_incomplete",
        ],
        batch_size=200,
    )
    report.products = _Tally(len(fresh), len(changed), len(items) - len(fresh) - len(changed))
    return known | {p.sku_key: p for p in fresh}


def _styles(
    items: Sequence[_Item], products: Mapping[str, Product], report: CatalogueReport
) -> None:
    """Make the products that name a model its variants; a model that doesn't fit is reported."""
    rows: dict[str, list[_Item]] = defaultdict(list)
    for item in items:
        if item.model:
            rows[sku_key(item.model)].append(item)
    known = {style.code_key: style for style in Style.objects.filter(code_key__any_of=set(rows))}
    taken = _variants_of(known.values())
    drafts = []
    for key, those in rows.items():
        try:
            drafts.append(_style(those, products, known.get(key), taken))
        except InputError as error:
            _report(report, "", error.line, error.column, error.code, error.message)
    make_styles(drafts)


def _variants_of(styles: Iterable[Style]) -> dict[tuple[int, tuple[str, ...]], int]:
    """The products that are variants of styles already, by style and values."""
    return {
        (product.style_id or 0, _folded(product.options)): product.pk
        for product in Product.objects.filter(style__in=list(styles))
    }


def _folded(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(value.casefold() for value in values)


def _style(
    rows: Sequence[_Item],
    products: Mapping[str, Product],
    known: Style | None,
    taken: Mapping[tuple[int, tuple[str, ...]], int],
) -> StyleDraft:
    """The model of some rows.

    Raises:
        InputError: a row has another number of values, the values of another article, or belongs
            to another model.
    """
    first = rows[0]
    columns = list(zip(*(item.options for item in rows), strict=False))
    count = len(known.option_names) if known else len(first.options)
    names = [
        next((item.option_names[n] for item in rows if item.option_names[n]), "")
        or name_of(columns[n] if n < len(columns) else [], n + 1)
        for n in range(count)
    ]
    seen: dict[tuple[str, ...], int] = {}
    for item in rows:
        product, values = products[sku_key(item.sku)], _folded(item.options)
        style_id = known.pk if known else None
        owners = {seen.setdefault(values, product.pk), taken.get((style_id or 0, values))}
        if len({name.casefold() for name in names}) < len(names):
            reason = _("deux critères ont le même nom")
        elif len(values) != count:
            reason = _("il lui faut %s valeurs") % count
        elif product.style_id not in (None, style_id):
            reason = _("il est d'un autre modèle")
        elif owners - {product.pk, None}:
            reason = _("un autre article a ces valeurs")
        else:
            continue
        raise InputError(
            _(
                "Ligne %(line)s : « %(sku)s » n'entre pas dans le modèle « %(model)s », qui est "
                "laissé tel quel : %(reason)s."
            )
            % {"line": item.line, "sku": item.sku, "model": item.model, "reason": reason},
            code="catalogue.variant",
            line=item.line,
            column="model",
        )
    label = next((item.model_label for item in rows if item.model_label), first.model)
    variants = {products[sku_key(item.sku)].pk: item.options for item in rows}
    return StyleDraft(label, names, variants, first.model, known.pk if known else None)


def _suppliers(items: Sequence[_Item], report: CatalogueReport) -> dict[str, Supplier]:
    names = sorted({item.supplier for item in items if item.supplier})
    known = {s.name: s for s in Supplier.objects.filter(name__in=names)}
    last = Supplier.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    lead_times: dict[str, int] = {}
    for item in items:
        if item.lead_time_days is not None:
            lead_times.setdefault(item.supplier, item.lead_time_days)
    fresh = [
        Supplier(name=name, code=f"F{last + n:05d}", lead_time_days=lead_times.get(name, 7))
        for n, name in enumerate((n for n in names if n not in known), start=1)
    ]
    Supplier.objects.bulk_create(fresh)
    report.suppliers = _Tally(len(fresh), 0, len(known))
    return known | {s.name: s for s in fresh}


def _offers(
    items: Sequence[_Item], products: Mapping[str, Product], suppliers: Mapping[str, Supplier]
) -> None:
    offered = [item for item in items if item.supplier]
    known = {
        (o.supplier_id, o.product_id): o
        for o in SupplierProduct.objects.filter(supplier__in=suppliers.values())
    }
    fresh: list[SupplierProduct] = []
    changed: list[SupplierProduct] = []
    pairs: list[tuple[_Item, SupplierProduct]] = []
    for item in offered:
        supplier, product = suppliers[item.supplier], products[sku_key(item.sku)]
        offer = known.get((supplier.pk, product.pk)) or SupplierProduct(
            supplier=supplier, product=product
        )
        values = {
            "supplier_sku": item.supplier_sku,
            "minimum_quantity": item.pieces(item.minimum_quantity),
            "pack_size": item.pieces(item.pack_size or None),
            "unit_name": item.purchase_unit,
            "unit_size": item.purchased_in.pieces if item.purchase_unit else item.pieces_per_unit,
            "lead_time_days": item.lead_time_days,
        }
        differs = _assign(offer, values)
        if offer.pk is None:
            fresh.append(offer)
        elif differs:
            changed.append(offer)
        pairs.append((item, offer))
    SupplierProduct.objects.bulk_create(fresh, batch_size=1000)
    SupplierProduct.objects.bulk_update(
        changed,
        [
            "supplier_sku",
            "minimum_quantity",
            "pack_size",
            "unit_name",
            "unit_size",
            "lead_time_days",
        ],
        batch_size=200,
    )
    SupplierPrice.objects.bulk_create(
        (
            SupplierPrice(
                item=offer,
                from_quantity=Decimal(1),
                unit_price_excl_tax=price,
                currency=suppliers[item.supplier].currency,
            )
            for item, offer in pairs
            if (price := item.piece_price) is not None
        ),
        update_conflicts=True,
        unique_fields=["item", "from_quantity"],
        update_fields=["unit_price_excl_tax", "currency"],
        batch_size=1000,
    )


def _reorder_rules(items: Sequence[_Item], products: Mapping[str, Product]) -> None:
    warehouse = default_warehouse()
    ReorderRule.objects.bulk_create(
        (
            ReorderRule(
                product=products[sku_key(item.sku)],
                warehouse=warehouse,
                minimum=item.reorder_minimum,
                maximum=max(item.reorder_maximum or item.reorder_minimum, item.reorder_minimum),
            )
            for item in items
            if item.reorder_minimum is not None
        ),
        update_conflicts=True,
        unique_fields=["product", "warehouse"],
        update_fields=["minimum", "maximum"],
        batch_size=1000,
    )


def _open(
    items: Sequence[_Item],
    products: Mapping[str, Product],
    suppliers: Mapping[str, Supplier],
    at: datetime,
    report: CatalogueReport,
) -> None:
    """Open the stock of products without a move; of the others say that it was ignored.

    Without a cost at the purchase price, in euros by the last known rate.
    """
    units = indicative_units({s.currency for s in suppliers.values()}, business_date(at))
    opening = {
        products[sku_key(item.sku)].pk: (
            item.on_hand,
            item.cost or _price_eur(item, suppliers, units),
        )
        for item in items
        if item.on_hand is not None
    }
    opened = open_stock(opening=opening, warehouse=default_warehouse(), at=at)
    report.counted = len(opened)
    ignored = sum(1 for pk, (pieces, _cost) in opening.items() if pieces and pk not in opened)
    if ignored:
        message = _(
            "on_hand ignoré pour %(count)s articles qui ont déjà des mouvements : "
            "corrigez leur stock par un inventaire."
        ) % {"count": ignored}
        _report(report, "", 0, "on_hand", "catalogue.on_hand_ignored", message)


def _price_eur(
    item: _Item, suppliers: Mapping[str, Supplier], units: Mapping[str, Decimal]
) -> Decimal:
    """The purchase price a piece in euros; 0 without one, or without a rate."""
    if item.piece_price is None or item.supplier not in suppliers:
        return item.piece_price or Decimal(0)
    known = units.get(suppliers[item.supplier].currency)
    return to_unit_price(item.piece_price / known) if known else Decimal(0)
