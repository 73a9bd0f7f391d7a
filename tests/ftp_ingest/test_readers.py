"""What dialects share: who is known again without key or e-mail, short dates, blanks."""

import pytest

from customers.drafts import AddressDraft
from ftp_ingest.dialects.base import Header, Row
from ftp_ingest.dialects.columns import Columns
from ftp_ingest.dialects.readers import as_stored, key_of_person, short_moment
from sphinx.core.errors import InputError

LOU = AddressDraft(name="Loù Exemple", address1="1, rue des Tests", postcode="69001", city="Lyon")


def test_a_person_is_known_again_however_the_address_is_written() -> None:
    again = LOU._replace(name="LOU EXEMPLE", address1="1 Rue des tests", phone="0600000001")

    assert key_of_person(LOU) == key_of_person(again)
    assert key_of_person(LOU).startswith("adr:")


@pytest.mark.parametrize(
    "other",
    [
        LOU._replace(name="Paul Exemple"),
        LOU._replace(company="Exemple SARL"),
        LOU._replace(postcode="69002"),
        LOU._replace(address1="2, rue des Tests"),
    ],
)
def test_another_person_or_place_is_another_key(other: AddressDraft) -> None:
    assert key_of_person(other) not in ("", key_of_person(LOU))


@pytest.mark.parametrize("change", [{"name": ""}, {"address1": "", "postcode": ""}])
def test_what_tells_nobody_apart_is_no_key(change: dict[str, str]) -> None:
    assert key_of_person(LOU._replace(**change)) == ""


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("09/14/26", "2026-09-14"),
        ("9/4/26", "2026-09-04"),
        ("14/09/26", "2026-09-14"),
        ("Jul-25-26", "2026-07-25"),
        ("Jul-25-2026", "2026-07-25"),
        ("2026-09-14", "2026-09-14"),
    ],
)
def test_years_of_two_digits(text: str, day: str) -> None:
    entry = Columns(Header(["Date"]), {"date": ("Date",)}).entry(Row(2, [text, ""]))

    assert short_moment(entry, "date").date().isoformat() == day


def test_a_short_date_that_is_none_is_refused_with_its_place() -> None:
    entry = Columns(Header(["Date"]), {"date": ("Date",)}).entry(Row(2, ["hier", ""]))

    with pytest.raises(InputError) as refused:
        short_moment(entry, "date")

    assert (refused.value.code, refused.value.line, refused.value.column) == (
        "cell.not_a_date",
        2,
        "Date",
    )


def test_only_whole_cells_are_nothing() -> None:
    row = Row(2, ["NULL", "\\N", "Nullard", "null", ""])

    assert as_stored(row).cells == ["", "", "Nullard", "null", ""]
