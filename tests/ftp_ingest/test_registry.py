"""The dialects are found, not listed, and each file is one dialect's."""

import csv
import sys
from collections.abc import Iterator
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest

import ftp_ingest.dialects
from ftp_ingest.dialects import Header, base, dialects, find_dialect, load_dialects
from ftp_ingest.models import FeedRun, ReceivedFile
from ftp_ingest.reading.recognition import recognise
from ftp_ingest.services import tell_shipments
from ftp_ingest.services.pushing import write_stock
from sphinx.core import clock
from sphinx.core.models import Shop
from tests.factories import NOON, FeedFactory, ProductFactory, shipped

PACKAGE = Path(ftp_ingest.dialects.__file__).parent
DATA = Path(__file__).parent.parent / "data"
FILES = sorted(
    str(path.relative_to(DATA))
    for dialect in dialects()
    for path in (DATA / dialect.code).iterdir()
)


def test_every_module_with_a_dialect_is_registered() -> None:
    codes = {dialect.code for dialect in dialects()}

    for module in iter_modules([str(PACKAGE)]):
        path = PACKAGE / f"{module.name}.py"
        source = path if path.exists() else PACKAGE / module.name / "__init__.py"
        if "\n@register\n" in source.read_text("utf-8"):
            import_module(f"ftp_ingest.dialects.{module.name}")
            assert module.name in codes


def test_the_package_names_no_dialect() -> None:
    source = (PACKAGE / "__init__.py").read_text("utf-8")

    assert [d.code for d in dialects() if d.code in source] == []


def test_dialects_come_in_one_order() -> None:
    codes = [dialect.code for dialect in dialects()]

    assert codes == sorted(codes)


def test_every_dialect_has_files_of_its_own_and_a_page_a_language() -> None:
    guide = Path(__file__).parents[2] / "docs/guide"
    for dialect in dialects():
        assert any((DATA / dialect.code).iterdir())
        for language in ("fr", "en"):
            assert (guide / language / "shops" / f"{dialect.code}.md").is_file(), dialect.code


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_recognised_whatever_the_order_of_the_dialects(name: str) -> None:
    """No two dialects are as sure as each other of one header."""
    path = DATA / name
    text = path.read_bytes().decode("utf-8-sig", "replace")
    strengths = [
        strength
        for delimiter in ";,\t"
        for header in [Header(next(csv.reader(text.strip().splitlines(), delimiter=delimiter)))]
        for dialect in dialects()
        if (strength := dialect.recognise(header)[1])
    ]
    assert strengths
    assert strengths.count(max(strengths)) == 1


@pytest.mark.parametrize("name", [n for n in FILES if "grid" not in n and "analytics" not in n])
def test_a_dialects_files_are_recognised_as_its_own(name: str) -> None:
    found = recognise(DATA / name)

    assert found.dialect is not None
    assert found.dialect.code == name.partition("/")[0]


NEW = """
from ftp_ingest.dialects.base import ORDERS, Dialect, StockFormat, register
from ftp_ingest.dialects.shipments import ShipmentFormat


@register
class Ruche(Dialect):
    code = "ruche"
    label = "La Ruche"
    stock_format = StockFormat("|", "miel", "pots")
    shipment_format = ShipmentFormat(
        "|", ["commande", "colis"], lambda shipment: [[shipment.order_number, "parti"]]
    )

    def recognise(self, header):
        return (ORDERS, 9) if header.has("reine", "alveole") else ("", 0)

    def check_header(self, header, kind): ...

    def orders(self, header): ...

    def customers(self, header): ...
"""


@pytest.fixture
def ruche(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A dialect of which nothing but its module says that it exists."""
    (tmp_path / "ruche.py").write_text(NEW, "utf-8")
    monkeypatch.setattr(ftp_ingest.dialects, "__path__", [str(PACKAGE), str(tmp_path)])
    monkeypatch.setattr(base._registry, "_items", dict(base._registry._items))
    load_dialects()
    yield
    del sys.modules["ftp_ingest.dialects.ruche"]
    del ftp_ingest.dialects.ruche


@pytest.mark.usefixtures("ruche")
def test_a_new_module_is_a_dialect_with_its_label_and_its_files(tmp_path: Path) -> None:
    file = tmp_path / "export.csv"
    file.write_text("Reine;Alvéole\n1;2\n", "utf-8")

    found = recognise(file)

    assert found.dialect is find_dialect("ruche")
    assert found.dialect.label == "La Ruche"


@pytest.mark.django_db
@pytest.mark.usefixtures("ruche")
def test_a_new_dialect_says_itself_how_its_shops_read_their_stock(
    shop: Shop, tmp_path: Path
) -> None:
    run = FeedRun.objects.create(shop=shop, started_at=clock.now(), heartbeat_at=clock.now())
    ReceivedFile.objects.create(
        shop=shop, run=run, size=1, received_at=run.started_at, kind="orders", dialect="ruche"
    )
    ProductFactory(sku="ACACIA", on_hand=2)

    write_stock(shop, tmp_path / "stock.csv")

    assert (tmp_path / "stock.csv").read_text("utf-8").splitlines() == ["miel|pots", "ACACIA|2"]


@pytest.mark.django_db
@pytest.mark.usefixtures("ruche")
def test_a_new_dialect_says_itself_how_its_shops_read_shipments(shop: Shop, tmp_path: Path) -> None:
    run = FeedRun.objects.create(shop=shop, started_at=clock.now(), heartbeat_at=clock.now())
    ReceivedFile.objects.create(
        shop=shop, run=run, size=1, received_at=run.started_at, kind="orders", dialect="ruche"
    )
    shipped("1001")
    feed = FeedFactory(
        directory=str(tmp_path), shipment_file="colis.csv", shipments_since=NOON - timedelta(1)
    )

    file = tell_shipments(feed_id=feed.pk, at=NOON)

    assert file
    assert (tmp_path / file.name).read_text("utf-8").splitlines() == [
        "commande|colis",
        "1001|parti",
    ]
