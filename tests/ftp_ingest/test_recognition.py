from pathlib import Path

import pytest

from ftp_ingest.errors import FileRefused
from ftp_ingest.reading.recognition import recognise

DATA = Path(__file__).parent.parent / "data"
PIVOT = "order_number;placed_at;sku;quantity;unit_price_incl_tax;total_incl_tax;email\n"


def file(tmp_path: Path, content: str | bytes) -> Path:
    path = tmp_path / "n'importe quoi.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("name", "dialect", "kind", "delimiter"),
    [
        ("pivot/orders.csv", "pivot", "orders", ";"),
        ("pivot/customers.csv", "pivot", "customers", ";"),
        ("shopify/orders_export.csv", "shopify", "orders", ","),
        ("shopify/customers_export.csv", "shopify", "customers", ","),
    ],
)
def test_files_are_recognised_by_their_header(
    name: str, dialect: str, kind: str, delimiter: str
) -> None:
    found = recognise(DATA / name)

    assert found.dialect is not None
    assert (found.dialect.code, found.kind, found.delimiter) == (dialect, kind, delimiter)


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
def test_any_delimiter_will_do(tmp_path: Path, delimiter: str) -> None:
    found = recognise(file(tmp_path, PIVOT.replace(";", delimiter)))

    assert (found.delimiter, found.kind) == (delimiter, "orders")


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("Élodie".encode(), "utf-8"),
        ("Élodie".encode("utf-8-sig"), "utf-8-sig"),
        ("Élodie".encode("cp1252"), "cp1252"),
    ],
)
def test_the_encoding_is_found(tmp_path: Path, content: bytes, encoding: str) -> None:
    bom = b"\xef\xbb\xbf" if encoding == "utf-8-sig" else b""
    body = PIVOT.encode() + b"1;2026-03-01;A;1;1;1;" + content.removeprefix(bom) + b"\n"

    assert recognise(file(tmp_path, bom + body)).encoding == encoding


def test_case_accents_spaces_and_marks_do_not_hide_a_column(tmp_path: Path) -> None:
    header = (
        "\ufeff Order_Number ;PLACED_AT;Sku; Quantity;unit price incl tax;total_incl_tax;Email\n"
    )

    assert recognise(file(tmp_path, header)).kind == "orders"


def test_excels_own_line_and_blank_lines_are_passed_over(tmp_path: Path) -> None:
    found = recognise(file(tmp_path, "sep=;\r\n;;;\r\n\r\n" + PIVOT))

    assert (found.kind, found.header_line) == ("orders", 4)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"PK\x03\x04xxxx", "file.not_csv"),
        (b"%PDF-1.7", "file.not_csv"),
        (b"\x1f\x8b\x08", "file.not_csv"),
        (b"a;b\x00c", "file.not_csv"),
        (b"\n <!DOCTYPE html><html>", "file.not_csv"),
        (b"nom;prenom;ville\n", "file.unknown_header"),
        (b"Name,Email,Financial Status,Total\n", "file.no_lines"),
    ],
)
def test_what_is_no_shop_file_is_refused_with_its_reason(
    tmp_path: Path, content: bytes, code: str
) -> None:
    with pytest.raises(FileRefused) as caught:
        recognise(file(tmp_path, content))

    assert caught.value.code == code


def test_missing_columns_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="quantity") as caught:
        recognise(file(tmp_path, PIVOT.replace("quantity", "qte")))

    assert caught.value.code == "file.missing_columns"


@pytest.mark.parametrize("content", [b"", b"\n\n", b";;;\n"])
def test_an_empty_file_is_nothing_to_worry_about(tmp_path: Path, content: bytes) -> None:
    assert recognise(file(tmp_path, content)).kind == ""
