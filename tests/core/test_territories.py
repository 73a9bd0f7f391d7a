"""Places whose VAT isn't their country's: directive 2006/112/EC art. 5 to 8, CGI art. 294."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sphinx.core.territories import (
    EU_COUNTRIES,
    is_overseas,
    leaves_union,
    vat_country,
    vat_place,
)
from sphinx.core.vat import legal_sentence, regime_of

# Written by country and postcode, or by a code of its own.
OUTSIDE = [
    ("ES", "35001", "Las Palmas, Canary Islands"),
    ("ES", "38003", "Santa Cruz, Canary Islands"),
    ("IC", "", "Canary Islands"),
    ("ES", "51001", "Ceuta"),
    ("ES", "52001", "Melilla"),
    ("FI", "22100", "Mariehamn, Åland"),
    ("FI", "FI-22100", "Mariehamn, Åland"),
    ("AX", "22100", "Åland"),
    ("IT", "23041", "Livigno"),
    ("IT", "22061", "Campione d'Italia"),
    ("DE", "78266", "Büsingen"),
    ("DE", "D-27498", "Heligoland"),
    ("GR", "63086", "Mount Athos"),
    ("EL", "630 86", "Mount Athos"),
    ("FR", "98800", "Nouméa, New Caledonia"),
    ("FR", "98713", "Papeete, French Polynesia"),
    ("FR", "98600", "Mata-Utu, Wallis and Futuna"),
    ("FR", "97500", "Saint-Pierre"),
    ("FR", "97133", "Saint-Barthélemy"),
    ("FR", "97150", "Saint-Martin"),
    ("NC", "98800", "New Caledonia"),
    ("GB", "SW1A 1AA", "London"),
    ("IM", "IM1 1AA", "Isle of Man"),
    ("JE", "JE2 3QA", "Jersey"),
    ("SM", "47890", "San Marino"),
    ("AD", "AD500", "Andorra"),
]
INSIDE = [
    ("ES", "28001", "Madrid", "ES"),
    ("ES", "07001", "Palma, Balearic Islands", "ES"),
    ("PT", "9000-001", "Funchal, Madeira", "PT"),
    ("PT", "9500-001", "Ponta Delgada, Azores", "PT"),
    ("FI", "00100", "Helsinki", "FI"),
    ("IT", "23032", "Bormio, beside Livigno", "IT"),
    ("DE", "78224", "Singen, beside Büsingen", "DE"),
    ("AT", "6691", "Jungholz", "AT"),
    ("GR", "10431", "Athens", "GR"),
    ("EL", "10431", "Athens", "GR"),
    ("GB", "BT1 5GS", "Belfast", "XI"),
    ("GB", "bt15gs", "Belfast", "XI"),
    ("XI", "BT1 5GS", "Belfast", "XI"),
]


@pytest.mark.parametrize(("country", "postcode", "_name"), OUTSIDE)
def test_territories_out_of_the_unions_vat(country: str, postcode: str, _name: str) -> None:
    place = {"country": country, "postcode": postcode, "vat_number": ""}

    assert leaves_union(country, postcode)
    assert regime_of(charged=False, franchise=False, oss=True, **place) == "export"
    # Charged by mistake, it is no distance sale: the one-stop shop has no such country.
    assert regime_of(charged=True, franchise=False, oss=True, **place) == "domestic"
    assert "262" in legal_sentence("export", country, postcode)


@pytest.mark.parametrize(("country", "postcode", "_name", "booked"), INSIDE)
def test_territories_in_the_unions_vat(
    country: str, postcode: str, _name: str, booked: str
) -> None:
    place = {"country": country, "postcode": postcode, "vat_number": ""}

    assert not leaves_union(country, postcode)
    assert regime_of(charged=True, franchise=False, oss=True, **place) == "oss"
    assert vat_country(country, postcode) == booked


@pytest.mark.parametrize("country", ["FR", "MC", ""])
@pytest.mark.parametrize("postcode", ["75011", "20000", "98000", ""])
def test_france_corsica_and_monaco_are_one(country: str, postcode: str) -> None:
    assert vat_place(country, postcode) == "FR"


@pytest.mark.parametrize(
    ("country", "postcode", "expected"),
    [("FR", "97110", True), ("RE", "97400", True), ("FR", "97150", False), ("FR", "98800", False)],
)
def test_overseas_departments_have_an_article_of_their_own(
    country: str, postcode: str, expected: bool
) -> None:
    assert is_overseas(country, postcode) is expected
    assert ("294" in legal_sentence("export", country, postcode)) is expected


@given(st.sampled_from(sorted(EU_COUNTRIES | {"GB", "CH", "US"})), st.text(max_size=12))
def test_any_postcode_has_a_place(country: str, postcode: str) -> None:
    assert vat_place(country, postcode)
