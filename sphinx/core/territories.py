"""Places whose VAT isn't the one of the country that their address names.

Directive 2006/112/EC, articles 5 to 8; for France CGI art. 294; Northern Ireland: protocol of 2020,
annex 3. Shops write such places by country and postcode, or by an ISO code of their own.
"""

from typing import NamedTuple

from django.utils.translation import gettext as _
from django_countries import countries

# Member states of the Union for VAT on goods; Northern Ireland ships as XI.
EU_COUNTRIES = frozenset(
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK XI".split()
)
# Overseas departments: a sale from the mainland is deemed an export (CGI, art. 294, 2).
OVERSEAS_COUNTRIES = frozenset({"GP", "MQ", "GF", "RE", "YT"})
NORTHERN_IRELAND = "XI"
# Other names of a country for VAT. Monaco is France (CGI, art. 7 of its treaty), Greece's VAT
# numbers begin with EL.
_SAME_AS = {"EL": "GR", "MC": "FR"}


class _Territory(NamedTuple):
    """A part of a country: the postcodes it has, and where it is for VAT."""

    country: str
    postcodes: tuple[str, ...]
    place: str


# The longest postcode that fits counts. A place is an ISO 3166-1 code; a part of a country that
# has no code of its own and is out of the Union's VAT is "country-NAME".
_TERRITORIES = (
    _Territory("FR", ("97133",), "BL"),
    _Territory("FR", ("97150",), "MF"),
    _Territory("FR", ("971",), "GP"),
    _Territory("FR", ("972",), "MQ"),
    _Territory("FR", ("973",), "GF"),
    _Territory("FR", ("974",), "RE"),
    _Territory("FR", ("975",), "PM"),
    _Territory("FR", ("976",), "YT"),
    _Territory("FR", ("984",), "TF"),
    _Territory("FR", ("986",), "WF"),
    _Territory("FR", ("987",), "PF"),
    _Territory("FR", ("988",), "NC"),
    _Territory("GB", ("BT",), NORTHERN_IRELAND),
    # Article 6, 1: in the customs union, out of its VAT.
    _Territory("ES", ("35", "38"), "IC"),
    _Territory("FI", ("22",), "AX"),
    _Territory("GR", ("63086", "63087"), "GR-ATHOS"),
    _Territory("IT", ("22061",), "IT-CAMPIONE"),
    # Article 6, 2: out of both.
    _Territory("ES", ("51", "52"), "EA"),
    _Territory("DE", ("27498",), "DE-HELIGOLAND"),
    _Territory("DE", ("78266",), "DE-BUSINGEN"),
    _Territory("IT", ("23041",), "IT-LIVIGNO"),
)


def vat_place(country: str, postcode: str) -> str:
    """Where an address is for VAT: a country, or a part of one; "FR" where it names no country.

    Only digits of a postcode count, in the United Kingdom letters too: D-78266 is 78266.
    """
    country = _SAME_AS.get(country, country) or "FR"
    counts = str.isalnum if country == "GB" else str.isdigit
    written = "".join(character for character in postcode.upper() if counts(character))
    fitting = [
        (len(beginning), territory.place)
        for territory in _TERRITORIES
        if territory.country == country
        for beginning in territory.postcodes
        if written.startswith(beginning)
    ]
    return max(fitting)[1] if fitting else country


def is_overseas(country: str, postcode: str) -> bool:
    """True for the French overseas departments, however the shop writes them."""
    return vat_place(country, postcode) in OVERSEAS_COUNTRIES


def leaves_union(country: str, postcode: str) -> bool:
    """True when goods sent there are exported, for VAT: out of the Union, or overseas."""
    return vat_place(country, postcode) not in EU_COUNTRIES


def place_name(place: str) -> str:
    """The name of a country, or of Northern Ireland (XI), in the active language."""
    if place == NORTHERN_IRELAND:
        return _("Irlande du Nord")
    return str(countries.name(place)) or place


def vat_country(country: str, postcode: str) -> str:
    """What a sale is booked under: XI for Northern Ireland, GR for EL, else as given."""
    place = vat_place(country, postcode)
    if place == NORTHERN_IRELAND:
        return place
    return "GR" if country == "EL" else country
