from typing import Any

import pytest

from sphinx.core.vat import legal_sentence, regime_of


def regime(**changes: Any) -> str:
    facts = {
        "country": "FR",
        "postcode": "75011",
        "vat_number": "",
        "charged": True,
        "franchise": False,
        "oss": True,
        **changes,
    }
    return regime_of(**facts)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, "domestic"),
        ({"country": "MC", "postcode": "98000"}, "domestic"),
        ({"country": "DE"}, "oss"),
        ({"country": "DE", "oss": False}, "domestic"),
        ({"country": "BE", "vat_number": "BE0428759497", "charged": False}, "eu_business"),
        ({"country": "BE", "charged": False}, "domestic"),
        ({"country": "CH", "charged": False}, "export"),
        ({"country": "GB", "charged": False}, "export"),
        ({"postcode": "97110", "charged": False}, "export"),
        ({"country": "RE", "charged": False}, "export"),
        # What the shop charged is a fact: it is booked as taxed.
        ({"country": "CH", "charged": True}, "domestic"),
        ({"charged": False, "franchise": True}, "exempt"),
    ],
)
def test_regime_follows_destination_and_what_was_charged(
    facts: dict[str, Any], expected: str
) -> None:
    assert regime(**facts) == expected


def test_overseas_sales_name_their_own_article() -> None:
    assert "294" in legal_sentence("export", "FR", "97110")
    assert "294" not in legal_sentence("export", "CH", "1003")
    assert legal_sentence("domestic", "FR", "75011") == ""
