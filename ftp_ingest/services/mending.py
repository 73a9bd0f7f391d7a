"""Orders set aside, mended one by one: read again alone, corrected, or their cause decided."""

import csv
import io
from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings
from django.utils.translation import gettext as _

from ftp_ingest.models import FeedRun, QuarantinedRow, ReceivedFile
from ftp_ingest.reading.drafts import OrderFile, order_drafts, rows_of_order, survey
from ftp_ingest.reading.recognition import FileFormat, recognise
from ftp_ingest.selectors import states_said, waiting_rows
from ftp_ingest.services.applying import Counts, apply_orders
from ftp_ingest.services.archive import archive_path, incoming, keep
from ftp_ingest.services.ingest import Incoming, IngestReport, read_files, reread
from ftp_ingest.services.mappings import own_dialects
from ftp_ingest.services.runs import beat, finish, start_run
from inventory.models import Product, ProductCategory
from inventory.services import map_sku, product_rates, set_tax_rate
from sales.drafts import OrderDraft
from sales.errors import TaxUndecided
from sphinx.core import clock
from sphinx.core.errors import BusinessRuleError, SphinxError
from sphinx.core.models import Shop
from sphinx.core.services import record
from sphinx.core.texts import sku_key


class Good(NamedTuple):
    """What an order that was set aside sells."""

    sku: str
    key: str
    label: str


class OrderText(NamedTuple):
    """An order as its file has it: column names, and its rows with their lines."""

    columns: list[str]
    lines: list[int]
    rows: list[list[str]]


def _format_of(file: ReceivedFile) -> tuple[Path, FileFormat]:
    path = archive_path(file.sha256)
    return path, recognise(path, file.dialect or "auto", own_dialects(file.shop))


def keys_of(row: QuarantinedRow) -> set[str]:
    """What its order is known by in its file."""
    return {key for key in (row.external_id, row.number) if key}


def order_text(row: QuarantinedRow) -> OrderText:
    """The rows of the order that was set aside, as received.

    Raises:
        BusinessRuleError: the row belongs to no order.
    """
    if row.kind != "orders" or not keys_of(row):
        raise BusinessRuleError(
            _("Cette ligne n'appartient à aucune commande : corrigez le fichier à la boutique."),
            code="quarantine.no_order",
        )
    path, found = _format_of(row.file)
    seen = survey(path, found)
    rows = [r for key in sorted(keys_of(row)) for r in rows_of_order(path, found, seen, key)]
    width = len(found.header.names)
    cells = [[*r.cells[:width], *[""] * (width - len(r.cells))] for r in rows]
    return OrderText(found.header.names, [r.line for r in rows], cells)


def waiting_drafts(file: ReceivedFile, keys: set[str]) -> list[OrderDraft]:
    """The orders of some keys of a received file that can be read."""
    path, found = _format_of(file)
    states = states_said(file.shop)
    drafts = order_drafts(path, found, survey(path, found), only=keys, states=states)
    return [draft for draft in drafts if isinstance(draft, OrderDraft)]


def order_goods(row: QuarantinedRow) -> list[Good]:
    """The goods of an order that was read but not applied."""
    goods = {
        line.sku: Good(line.sku, sku_key(line.sku), line.label)
        for draft in waiting_drafts(row.file, keys_of(row))
        for line in draft.lines
        if line.sku
    }
    return list(goods.values())


class Article(NamedTuple):
    """An article that orders wait for the VAT rate of; `sku` is blank for lines that name none."""

    sku: str
    label: str
    orders: int


def untaxed_articles(shop: Shop) -> list[Article]:
    """What a shop's orders sell whose VAT nobody knows, the most frequent first.

    Each file that they wait in is read once. Articles whose rate is known are left out.
    """
    waiting: dict[int, tuple[ReceivedFile, set[str]]] = {}
    rows = waiting_rows(shop).filter(code=TaxUndecided.code).select_related("file__shop")
    for row in rows.order_by("file_id"):
        waiting.setdefault(row.file_id, (row.file, set()))[1].update(keys_of(row))
    found: dict[str, Article] = {}
    for file, keys in waiting.values():
        for draft in _readable_drafts(file, keys):
            lines = {sku_key(x.sku): x for x in draft.lines if x.tax_rate is None}
            for key, line in lines.items():
                article = found.get(key) or Article(line.sku, line.label, 0)
                found[key] = article._replace(orders=article.orders + 1)
    rates = product_rates(key for key in found if key)
    unknown = [article for key, article in found.items() if rates.get(key) is None]
    return sorted(unknown, key=lambda article: (-article.orders, article.sku))


def untaxed_categories(articles: Iterable[Article]) -> list[ProductCategory]:
    """The categories of `articles` whose rate would answer for them, by name."""
    keys = [sku_key(article.sku) for article in articles if article.sku]
    products = Product.objects.filter(sku_key__in=keys, tax_rate=None)
    return list(ProductCategory.objects.filter(pk__in=products.values("category"), tax_rate=None))


def _readable_drafts(file: ReceivedFile, keys: set[str]) -> list[OrderDraft]:
    """None of a file that can't be read any more."""
    try:
        return waiting_drafts(file, keys)
    except (SphinxError, OSError):
        return []


def replay_row(*, row_id: int, actor: Any = None) -> QuarantinedRow:
    """Read what was set aside again from the archive, alone: what is now right is applied.

    For a cause that lay here (a product's missing VAT rate). A refused file is read whole.
    """
    row = QuarantinedRow.objects.select_related("file__shop").get(pk=row_id)
    if row.kind == "orders" and keys_of(row):
        apply_alone(row.file, keys_of(row))
    else:
        reread(row.file)
    row.refresh_from_db()
    record("quarantine.replayed", [row], actor=actor, status=row.status)
    return row


def apply_alone(file: ReceivedFile, keys: set[str]) -> None:
    """Apply the orders of some keys of a received file."""
    path, found = _format_of(file)
    run = start_run(shop=file.shop, feed=None)
    report = IngestReport(counts=Counts())
    orders = OrderFile(path, found, survey(path, found), states_said(file.shop))
    try:
        apply_orders(
            file, orders, report.counts, at=clock.now(), beat=lambda _line: beat(run), only=keys
        )
    except BaseException as error:
        finish(run, FeedRun.Status.FAILED, error=str(error) or type(error).__name__)
        raise
    finish(
        run,
        FeedRun.Status.DONE_WITH_PROBLEMS if report.has_refusals else FeedRun.Status.DONE,
        counts=report.as_kept(),
    )


def correct_row(*, row_id: int, rows: Sequence[Sequence[str]], actor: Any = None) -> QuarantinedRow:
    """Apply an order with its rows corrected by hand.

    The correction is a small file of its own in the archive, received like any other: the
    order traces back to it, and the shop's file stays as it came.

    Raises:
        BusinessRuleError: the row is no order's, or is settled already.
    """
    row = QuarantinedRow.objects.select_related("file__shop").get(pk=row_id)
    if row.status != QuarantinedRow.Status.OPEN:
        raise BusinessRuleError(
            _("Cette ligne est déjà réglée (%(how)s).") % {"how": row.get_status_display()},
            code="quarantine.settled",
        )
    columns = order_text(row).columns
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";")
    writer.writerow(columns)
    writer.writerows([str(cell)[: settings.MAX_CELL_CHARS] for cell in cells] for cells in rows)
    with incoming() as path:
        path.write_text(text.getvalue(), encoding="utf-8")
        archived = keep(path)
    run = start_run(shop=row.file.shop, feed=None)
    report = IngestReport()
    name = f"{row.file.name[:200]} (corrigé : {row.number or row.external_id})"
    try:
        read_files(run, [Incoming(name, archived)], row.file.dialect or "auto", report)
    except BaseException as error:
        finish(run, FeedRun.Status.FAILED, error=str(error) or type(error).__name__)
        raise
    finish(
        run,
        FeedRun.Status.DONE_WITH_PROBLEMS if report.has_refusals else FeedRun.Status.DONE,
        counts=report.as_kept(),
    )
    row.refresh_from_db()
    record("quarantine.corrected", [row], actor=actor, file=name, sha256=archived.sha256)
    return row


def decide_rates(*, row_id: int, rates: dict[str, Decimal], actor: Any = None) -> QuarantinedRow:
    """Give products (by SKU) their VAT rates, then read the order again."""
    for sku, rate in sorted(rates.items()):
        product = set_tax_rate(sku=sku, rate=rate)
        record("product.rate_decided", [product], actor=actor, rate=str(rate))
    return replay_row(row_id=row_id, actor=actor)


def decide_product(*, row_id: int, sku: str, product_id: int, actor: Any = None) -> QuarantinedRow:
    """Say which product an unknown SKU is, then read the order again.

    Raises:
        BusinessRuleError: the SKU is a product of its own.
    """
    alias = map_sku(sku=sku, product_id=product_id)
    record("product.sku_mapped", [alias.product], actor=actor, sku=sku)
    return replay_row(row_id=row_id, actor=actor)
