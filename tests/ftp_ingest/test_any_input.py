"""Whatever a file holds, reading it ends in orders, customers or clear faults."""

import csv
import io
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.drafts import CustomerDraft
from ftp_ingest.errors import FileRefused
from ftp_ingest.reading.drafts import Fault, customer_drafts, order_drafts, survey
from ftp_ingest.reading.recognition import recognise
from sales.drafts import OrderDraft
from sales.services import price_order
from sphinx.core.errors import InputError

DATA = Path(__file__).parent.parent / "data"
FILES = sorted(
    path.relative_to(DATA).as_posix()
    for path in (*DATA.glob("*/*.csv"), *DATA.glob("amazon/*.txt"))
    if not path.name.startswith(("grid", "analytics"))
)
NASTY = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        [
            "", "0", "-1", "1e9", "999999999999", "NaN", "Infinity", "1,2,3", "1.234,56", "٣",
            "=1+1", "@x", "+33", "-", "'", '"', ";", "a\nb", "\x00", "\ud83d", "😀", "\u202e",
            "32/13/2026", "0000-00-00", "2026-02-30 25:61", "99999-01-01", "²", "½", "1٫5",
            "name:|sku:|quantity:-1|total:x", "name:a|quantity:1e999|total:1", "[{]", '[{"a":[]}]',
            "id:1|name:x;id:2|name:y", "x" * 5000, "%", "20 %", "101", "FR", "Atlantide",
        ]
    ),
)  # fmt: skip


def read_all(path: Path) -> None:
    """Read as an ingest does; anything but a draft or a fault is a failure."""
    try:
        found = recognise(path)
    except FileRefused:
        return
    if found.kind == "orders":
        for item in order_drafts(path, found, survey(path, found)):
            assert isinstance(item, (OrderDraft, Fault))
            if isinstance(item, Fault):
                assert item.message
                assert item.line > 0
                continue
            with suppress(InputError):
                price_order(item, {})
    elif found.kind == "customers":
        for entry in customer_drafts(path, found, survey(path, found)):
            assert isinstance(entry, (CustomerDraft, Fault))


@pytest.mark.parametrize("name", FILES)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_no_cell_breaks_the_reading(name: str, tmp_path: Path, data: st.DataObject) -> None:
    raw = (DATA / name).read_bytes()
    text = (
        raw.decode("utf-8", "replace") if not name.endswith("cp1252.csv") else raw.decode("cp1252")
    )
    delimiter = max(",;\t", key=text.splitlines()[0].count)
    rows = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    for _change in range(data.draw(st.integers(1, 4))):
        row = data.draw(st.integers(1, len(rows) - 1))
        column = data.draw(st.integers(0, len(rows[row]) - 1))
        rows[row][column] = data.draw(NASTY)
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(rows)
    path = tmp_path / "f.csv"
    path.write_bytes(out.getvalue().encode("utf-8", "surrogatepass"))

    read_all(path)


@pytest.mark.parametrize("name", FILES)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_no_byte_breaks_the_reading(name: str, tmp_path: Path, data: st.DataObject) -> None:
    raw = bytearray((DATA / name).read_bytes())
    for _change in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(raw) - 1))
        kind = data.draw(st.sampled_from(("replace", "insert", "cut")))
        if kind == "replace":
            raw[place] = data.draw(st.integers(0, 255))
        elif kind == "insert":
            raw[place:place] = data.draw(st.binary(max_size=8))
        else:
            del raw[place : place + data.draw(st.integers(1, 40))]
        if not raw:
            raw = bytearray(b"x")
    path = tmp_path / "f.csv"
    path.write_bytes(bytes(raw))

    read_all(path)


def test_a_vertical_tab_ends_no_line(tmp_path: Path) -> None:
    """Python's own idea of lines is wider than that of files: both readings have one."""
    raw = bytearray((DATA / "woocommerce" / "skyverge.csv").read_bytes())
    # In front of the header, and the quotes of its end spoilt.
    raw[0:0] = b"\x0b"
    del raw[994:1023]
    path = tmp_path / "f.csv"
    path.write_bytes(bytes(raw))

    read_all(path)
