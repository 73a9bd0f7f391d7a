"""The dialects are found, not listed, and each file is one dialect's."""

import csv
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest

import ftp_ingest.dialects
from ftp_ingest.dialects import Header, dialects
from ftp_ingest.reading.recognition import recognise

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
