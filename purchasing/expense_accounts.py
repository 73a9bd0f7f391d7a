"""Accounts that bear what suppliers charge beside goods (PCG, class 6), and what is usual of VAT.

Only proposed: whoever enters the invoice chooses. The chart itself is kept by the accounts, which
are above purchasing: they say what is in it through `chart_known`.
"""

import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import cache
from typing import NamedTuple

from sphinx.core.money import HUNDRED
from sphinx.core.texts import fold

_CLASS_6 = re.compile(r"6[0-9]{2,11}")
# External services and dues (PCG).
SERVICES = ("61", "62", "65")
_NONE, _FUEL = Decimal(0), Decimal(80)


class Usual(NamedTuple):
    """An account by what it is for, words of the labels that call for it, and how much of the VAT
    is usually deducted (percent)."""

    number: str
    label: str
    words: str
    share: Decimal = HUNDRED


# The first whose word is in the label.
USUAL = (
    Usual("60780000", "Eco-contributions sur achats",
          "eco participation|eco contribution|ecoparticipation|ecocontribution|deee|d3e|ecotaxe"),
    Usual("60260000", "Emballages", "emballage|palette|consigne|carton|packaging"),
    # Petrol and diesel of cars: four fifths (CGI, art. 298, 4, 1°).
    Usual("60614000", "Carburants", "carburant|essence|gazole|diesel", _FUEL),
    Usual("60610000", "Fournitures non stockables (eau, energie)", "electricite|energie|gaz|eau"),
    Usual("60640000", "Fournitures administratives", "papeterie|fourniture|fournitures|toner"),
    Usual("60630000", "Fournitures d'entretien et de petit equipement",
          "outillage|petit equipement|quincaillerie"),
    Usual("61320000", "Locations immobilieres", "loyer|bail"),
    Usual("61350000", "Locations mobilieres", "location|leasing"),
    Usual("61550000", "Entretien et reparations", "entretien|reparation|maintenance|nettoyage"),
    Usual("61600000", "Primes d'assurances", "assurance|prime"),
    Usual("62260000", "Honoraires", "honoraire|honoraires|avocat|expertise|conseil|comptable"),
    Usual("62310000", "Annonces et insertions", "publicite|annonce|annonces|campagne|ads"),
    Usual("62600000", "Frais postaux et de telecommunications",
          "telephone|mobile|internet|fibre|affranchissement|timbres|telecom"),
    Usual("65110000", "Redevances pour concessions, brevets, licences, logiciels",
          "logiciel|licence|hebergement|saas|cloud|nom de domaine"),
    Usual("62410000", "Transports sur achats",
          "port|transport|livraison|expedition|fret|freight"),
    # Lodging of a firm's own people: none (CGI, ann. II, art. 206, IV, 2, 2°).
    Usual("62560000", "Missions", "hotel|hebergement hotelier|nuitee|chambre", _NONE),
    Usual("62510000", "Voyages et deplacements", "train|avion|billet|deplacement|peage|taxi"),
    Usual("62700000", "Services bancaires et assimiles", "commission|frais bancaires"),
)  # fmt: skip
LESS = Usual("60970000", "RRR obtenus sur achats de marchandises", "")
NEUTRAL = Usual("62800000", "Divers", "")
# What the accounts hold of class 6, as (number, label): filled by the app that keeps the chart.
chart_known: list[Callable[[], Iterable[tuple[str, str]]]] = []


def is_expense_account(number: str) -> bool:
    """Three to twelve digits, the first a 6."""
    return _CLASS_6.fullmatch(number) is not None


def is_service(number: str) -> bool:
    """Whether the account bears services (61, 62 and 65), not goods (60) or taxes."""
    return number[:2] in SERVICES


def expense_chart() -> dict[str, str]:
    """Accounts that an expense may go to, number → label: those of the chart, and usual ones that
    it has nothing like."""
    found = {number: label for known in chart_known for number, label in known()}
    for usual in (*USUAL, LESS, NEUTRAL):
        if in_chart(usual.number, found) == usual.number:
            found.setdefault(usual.number, usual.label)
    return dict(sorted(found.items()))


def in_chart(number: str, chart: Iterable[str]) -> str:
    """The firm's own account for a usual one: the first of the same root, else the usual one."""
    if number in chart:
        return number
    root = number.rstrip("0")
    return next((own for own in sorted(chart) if own.startswith(root)), number)


def label_of(number: str) -> str:
    """What a usual account is called; else just a charge."""
    known = {usual.number: usual.label for usual in (*USUAL, LESS, NEUTRAL)}
    return known.get(number, f"Charges {number}")


def usual_for(label: str, *, is_less: bool) -> Usual:
    """The account that a label calls for; what lessens an invoice is a discount received."""
    text = fold(label)
    found = next((usual for usual in USUAL if _words(usual.words).search(text)), None)
    if found is not None:
        return found
    return LESS if is_less else NEUTRAL


@cache
def _words(words: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{words})s?\b")
