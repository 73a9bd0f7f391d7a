"""Reads of suppliers."""

from suppliers.selectors.calendars import calendars_of
from suppliers.selectors.changes import Change, Comparison, compare
from suppliers.selectors.offers import Offer, all_offers, offers_of, unit_scanned

__all__ = [
    "Change",
    "Comparison",
    "Offer",
    "all_offers",
    "calendars_of",
    "compare",
    "offers_of",
    "unit_scanned",
]
