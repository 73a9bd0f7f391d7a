"""The files of accountants' programs, read back by readers written from their descriptions."""

import csv
import io
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from accounting_export.errors import DoesNotFit
from accounting_export.formats import find_format, formats
from accounting_export.formats.texts import in_charset
from accounting_export.selectors import ExportLine
from accounting_export.services.exporting import at_length

D = Decimal
GOLDEN = Path(__file__).parent.parent / "data" / "journal"
MARCH = date(2026, 3, 2)


def entry(pk: int, rows: list[tuple[str, str, str, str]], **values: Any) -> list[ExportLine]:
    """Lines of an entry: account, auxiliary, debit, credit."""
    common: dict[str, Any] = {
        "journal": "VE",
        "journal_label": "Journal des ventes",
        "number": f"VE{pk:06d}",
        "entry_date": MARCH,
        "piece_ref": f"FA2026-{pk:06d}",
        "piece_date": MARCH,
        "label": "Cde 1001 Léa Martin",
        "validated_on": MARCH,
        "due_on": date(2026, 4, 1),
        "sale_regime": "domestic",
        "country": "FR",
        "order_number": "1001",
        "delivery_note": "BL2026-000001",
        "lettering": None,
        "lettered_on": None,
        "section": "",
        "document": "invoice",
        "entry_id": pk,
        **values,
    }
    natures = {"411": "customers", "707": "goods", "445": "tax", "709": "discount"}
    return [
        ExportLine(
            account=account,
            account_label=f"Compte n° {account}",
            auxiliary=auxiliary,
            auxiliary_label=values.get("name", "Café « Le Port » SARL") if auxiliary else "",
            debit=D(debit or 0).quantize(D("0.01")),
            credit=D(credit or 0).quantize(D("0.01")),
            tax_rate=D("20.00") if account[:3] in ("707", "445", "709") else None,
            nature=natures.get(account[:3], ""),
            **{k: v for k, v in common.items() if k != "name"},
        )._replace(**({} if auxiliary else {"lettering": None, "lettered_on": None}))
        for account, auxiliary, debit, credit in rows
    ]


SAMPLE = [
    *entry(
        1,
        [
            ("41110000", "C000001", "108.00", ""),
            ("70970000", "", "10.00", ""),
            ("70710000", "", "", "100.00"),
            ("44571100", "", "", "18.00"),
        ],
        lettering="AAA",
        lettered_on=date(2026, 3, 9),
        section="boutique-1",
    ),
    *entry(
        2,
        [("70710000", "", "25.00", ""), ("44571100", "", "5.00", ""),
         ("41110000", "C000001", "", "30.00")],
        piece_ref="AV2026-000001",
        label="Avoir s/FA2026-000001 Café « Le Port » SARL ; au 2 | quai\tde Bercy \"sud\"",
        document="credit_note",
    ),
    *entry(
        3,
        [("41110000", "CDIVERS", "1234567.89", ""), ("70710000", "", "", "1234567.89")],
        name="Clients divers Boutique",
        label="Cde 1003 Łukasz Øster Иванов 山田 – œuvre à 5 €",
        sale_regime="export",
        country="JP",
    ),
    *entry(
        4,
        [("51150000", "", "108.00", ""), ("41110000", "C000001", "", "108.00")],
        journal="CB",
        journal_label="Cartes bancaires",
        number="CB000001",
        label="Règlement Café « Le Port » SARL",
        due_on=None,
        document="payment",
        sale_regime=None,
        country=None,
        order_number=None,
        delivery_note=None,
    ),
]  # fmt: skip


class Read(NamedTuple):
    """What every program must find again."""

    journal: str
    on: date
    account: str
    side: str
    amount: Decimal


def expected(lines: list[ExportLine]) -> list[Read]:
    return [
        Read(
            ln.journal,
            ln.entry_date,
            ln.auxiliary or ln.account,
            "D" if ln.debit else "C",
            ln.debit or ln.credit,
        )
        for ln in lines
    ]


# --- Readers, each from the description of its format ----------------------------------------


def number(text: str) -> Decimal:
    return D(text.strip().replace(",", ".") or 0)


def two_sided(debit: str, credit: str) -> tuple[str, Decimal]:
    return ("D", number(debit)) if number(debit) else ("C", number(credit))


def rows(data: bytes, separator: str, charset: str, *, skip: int = 0) -> list[list[str]]:
    text = data.decode(charset)
    quoting = csv.QUOTE_MINIMAL if separator == "," else csv.QUOTE_NONE
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, quoting=quoting))[
        skip:
    ]


def day(text: str, pattern: str) -> date:
    return datetime.strptime(text, pattern).replace(tzinfo=UTC).date()


def by_columns(
    separator: str,
    charset: str,
    pattern: str,
    places: tuple[int, int, int, int | None, int, int],
    *,
    skip: int = 0,
    is_amount_and_side: bool = False,
) -> Callable[[bytes], list[Read]]:
    """Places of journal, date, account, auxiliary, then debit and credit or amount and side."""
    journal, on, account, auxiliary, first, second = places

    def read(data: bytes) -> list[Read]:
        found = []
        for row in rows(data, separator, charset, skip=skip):
            side, amount = (
                (row[second], number(row[first]))
                if is_amount_and_side
                else two_sided(row[first], row[second])
            )
            name = (row[auxiliary] if auxiliary is not None else "") or row[account]
            found.append(Read(row[journal], day(row[on], pattern), name, side, amount))
        return found

    return read


def quadra(data: bytes) -> list[Read]:
    found, third_parties = [], set()
    for record in data.decode("ascii").split("\r\n")[:-1]:
        if record[0] == "C":
            assert len(record) == 453
            third_parties.add(record[1:9].strip())
            assert record[98:106] == "41110000"
            assert record[217] == "C"
            continue
        assert len(record) == 231
        account = record[1:9].strip()
        assert not account.startswith("C") or account in third_parties
        assert record[107:110] == "EUR"
        assert record[110:113].strip() == record[9:11].strip()
        found.append(
            Read(
                record[110:113].strip(),
                day(record[14:20], "%d%m%y"),
                account,
                record[41],
                D(record[43:55]) / 100 * (1 if record[42] == "+" else -1),
            )
        )
    return found


def ciel(data: bytes) -> list[Read]:
    records = data.decode("ascii").split("\r\n")[:-1]
    assert {len(record) for record in records} == {142}
    assert {record[137:142] for record in records} == {"O2003"}
    return [
        Read(r[5:7].strip(), day(r[7:15], "%Y%m%d"), r[35:46].strip(), r[84], number(r[71:84]))
        for r in records
    ]


def tra(data: bytes) -> list[Read]:
    header, *records = data.decode("cp1252").split("\r\n")[:-1]
    assert header.startswith("***S5EXPJRLETE")
    assert header[136:144] == "01011900"
    assert {len(record) for record in records} == {293}
    found = []
    for r in records:
        account = r[31:48].strip() if r[30] == "X" else r[13:30].strip()
        found.append(
            Read(r[:3].strip(), day(r[3:11], "%d%m%Y"), account, r[129], number(r[130:150]))
        )
    return found


def pnm(data: bytes) -> list[Read]:
    records = data.decode("ascii").split("\r\n")[:-1]
    assert {len(record) for record in records} == {199}
    return [
        Read(
            r[:3].strip(),
            day(r[3:9], "%d%m%y"),
            (r[25:38] if r[24] == "X" else r[11:24]).strip(),
            r[83],
            number(r[84:104]),
        )
        for r in records
    ]


def xlsx(data: bytes) -> list[Read]:
    sheet = load_workbook(io.BytesIO(data))["Journal"]
    return [
        Read(
            row[0],
            row[1].date(),
            row[6] or row[4],
            "D" if row[9] else "C",
            D(str(row[9] or row[10])).quantize(D("0.01")),
        )
        for row in sheet.iter_rows(min_row=2, values_only=True)
    ]


FEC = by_columns("\t", "utf-8", "%Y%m%d", (0, 3, 4, 6, 11, 12), skip=1)
READERS: dict[str, Callable[[bytes], list[Read]]] = {
    "acd": by_columns(";", "cp1252", "%d/%m/%Y", (12, 1, 7, None, 9, 10)),
    "cegid_csv": by_columns(";", "utf-8", "%d/%m/%Y", (0, 1, 2, 3, 6, 7)),
    "cegid_tra": tra,
    "charlemagne": by_columns(
        "\t", "cp1252", "%Y%m%d", (1, 0, 2, None, 6, 7), skip=1, is_amount_and_side=True
    ),
    "ciel": ciel,
    "coala": by_columns(";", "cp1252", "%d/%m/%Y", (1, 0, 2, 8, 5, 6)),
    "cogilog": by_columns("\t", "utf-8", "%d%m%Y", (0, 1, 3, None, 7, 8)),
    "csv": by_columns(";", "utf-8-sig", "%d/%m/%Y", (0, 1, 4, 6, 9, 10), skip=1),
    "ebp": by_columns(",", "cp1252", "%d%m%y", (2, 1, 3, None, 7, 8), is_amount_and_side=True),
    "fec": FEC,
    "isacompta": by_columns(";", "cp1252", "%d%m%Y", (12, 2, 4, None, 7, 8)),
    "myunisoft": by_columns(";", "utf-8", "%Y%m%d", (0, 1, 2, 8, 6, 7), skip=1),
    "openconcerto": by_columns(";", "utf-8", "%d/%m/%Y", (1, 0, 2, None, 5, 6)),
    "pennylane": FEC,
    "quadra": quadra,
    "sage100": by_columns("\t", "cp1252", "%d%m%y", (1, 2, 4, 5, 9, 10)),
    "sage_pnm": pnm,
    "tiime": FEC,
    "xlsx": xlsx,
}
CODES = sorted(READERS)


def written(code: str, lines: list[ExportLine]) -> bytes:
    stream = io.BytesIO()
    find_format(code).write(iter(lines), stream)
    return stream.getvalue()


def test_every_format_has_a_reader_here() -> None:
    assert [f.code for f in formats()] == CODES


@pytest.mark.parametrize("code", CODES)
def test_what_is_read_back_is_what_was_booked(code: str) -> None:
    assert READERS[code](written(code, SAMPLE)) == expected(SAMPLE)


@pytest.mark.parametrize("code", [c for c in CODES if c != "xlsx"])
def test_the_file_is_the_one_that_was_looked_at(code: str) -> None:
    """Files in tests/data/journal were read by eye against each format's description."""
    (golden,) = GOLDEN.glob(f"{code}.*")
    assert written(code, SAMPLE) == golden.read_bytes()


_LINES = st.lists(
    st.tuples(
        st.text(max_size=60),
        st.decimals("0.01", "99999999.99", places=2),
        st.booleans(),
        st.sampled_from(["", "C000001", "CDIVERS"]),
        st.sampled_from(["41110000", "70710000", "44572276", "51150000"]),
    ),
    min_size=1,
    max_size=6,
)


@pytest.mark.parametrize("code", CODES)
@given(drawn=_LINES)
@settings(deadline=None, max_examples=30)
def test_whatever_the_names_no_column_shifts(code: str, drawn: list[Any]) -> None:
    lines = [
        ln._replace(auxiliary_label=label, account_label=label, section=label)
        for pk, (label, amount, is_debit, auxiliary, account) in enumerate(drawn, start=1)
        for ln in entry(
            pk,
            [
                (
                    account,
                    auxiliary,
                    str(amount) if is_debit else "",
                    "" if is_debit else str(amount),
                )
            ],
            label=label,
        )
    ]
    if code == "quadra":
        lines = [ln._replace(auxiliary="") for ln in lines]
    assert READERS[code](written(code, lines)) == expected(lines)


# --- What doesn't fit --------------------------------------------------------------------------


def test_an_account_is_refused_rather_than_cut() -> None:
    long = entry(1, [("707100001", "", "", "1.00")])
    with pytest.raises(DoesNotFit, match=r"VE000001 : « 707100001 ».*Compte \(8"):
        written("quadra", long)


def test_zeros_at_the_end_of_an_account_may_go() -> None:
    (found,) = quadra(written("quadra", entry(1, [("7071000000", "", "", "1.00")])))
    assert found.account == "70710000"


def test_an_amount_is_refused_rather_than_cut() -> None:
    with pytest.raises(DoesNotFit, match="Montant"):
        written("ciel", entry(1, [("70710000", "", "", "99999999999.99")]))


def test_a_code_is_refused_rather_than_cut() -> None:
    with pytest.raises(DoesNotFit, match="Journal"):
        written("ciel", entry(1, [("70710000", "", "", "1.00")], journal="VTE"))


def test_labels_are_cut_and_counted_and_pieces_keep_their_end() -> None:
    stream = io.BytesIO()
    lines = entry(1, [("70710000", "", "", "1.00")], label="x" * 40)
    cuts = find_format("ciel").write(iter(lines), stream)

    assert dict(cuts) == {"Libellé (25)": 1, "Pièce (12)": 1}
    assert stream.getvalue()[23:35] == b"A2026-000001"


@pytest.mark.parametrize(
    ("given_", "charset", "found"),
    [
        ("Œuvre à 5 €", "ascii", "Oeuvre a 5 EUR"),
        ("Œuvre à 5 €", "cp1252", "Œuvre à 5 €"),
        ("Иванов", "cp1252", "Ivanov"),
        ("Łódź – 山田", "ascii", "Lodz - ShanTian"),
    ],
)
def test_what_a_charset_does_not_know_is_written_in_its_letters(
    given_: str, charset: str, found: str
) -> None:
    assert in_charset(given_, charset) == found


@pytest.mark.parametrize(
    ("account", "length", "found"),
    [("70710000", 8, "70710000"), ("70710000", 6, "707100"), ("707", 6, "707000"),
     ("70710000", 10, "7071000000"), ("40100000", 3, "401")],
)  # fmt: skip
def test_accounts_take_the_firms_length(account: str, length: int, found: str) -> None:
    (line,) = at_length(entry(1, [(account, "", "", "1.00")]), length)
    assert line.account == found


def test_an_account_longer_than_the_firms_is_refused() -> None:
    with pytest.raises(DoesNotFit, match="44572276"):
        list(at_length(entry(1, [("44572276", "", "", "1.00")]), 6))


# --- The workbook --------------------------------------------------------------------------------


def test_the_workbook_sums_by_account_rate_and_document() -> None:
    book = load_workbook(io.BytesIO(written("xlsx", SAMPLE)))

    def sheet(name: str) -> list[tuple[Any, ...]]:
        return list(book[name].iter_rows(min_row=2, values_only=True))

    assert book.sheetnames == ["Journal", "Pièces", "Balance", "TVA", "Totaux"]
    assert [(row[2], row[6]) for row in sheet("Pièces")] == [
        ("VE000001", 118), ("VE000002", 30), ("VE000003", 1234567.89), ("CB000001", 108),
    ]  # fmt: skip
    balance = {row[0]: row[4] for row in sheet("Balance")}
    assert balance["41110000"] == 1234567.89 + 108 - 30 - 108
    assert sheet("TVA") == [
        ("Exportation", "JP", 20, 1234567.89, 0),
        ("France", "FR", 20, 65, 13),
    ]
    assert dict(sheet("Totaux"))["Écart"] == 0
