"""Of a reason: what the supplier's calendar and forecasts changed by people make of a quantity."""

from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple

from django.utils.dates import WEEKDAYS
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sphinx.core.templatetags.numbers import local
from suppliers.calendars import ALL_WEEK, weekdays_of


class Told(NamedTuple):
    """One step of the reasoning: its name, the sentence, the formula behind it."""

    title: str
    text: str
    formula: str = ""


def headlines(r: Mapping[str, Any]) -> list[str]:
    """Closures and changes in force, each in a few words."""
    return [*filter(None, [_closure(r)]), *map(change_in_words, r.get("adjustments", ()))]


def calendar(r: Mapping[str, Any]) -> list[Told]:
    """Order days, delivery days and closures; nothing of a supplier who has none."""
    if not r.get("order_on"):
        return []
    sentences = []
    if days := _weekdays(r.get("order_weekdays")):
        sentences.append(_("Prend les commandes : %s.") % days)
    if days := _weekdays(r.get("delivery_weekdays")):
        sentences.append(_("Livre : %s.") % days)
    sentences.append(
        _("Commandée aujourd'hui, elle part le %(sent)s et arrive le %(here)s.")
        % {"sent": day_in_words(r["order_on"]), "here": day_in_words(r["arrives_on"])}
    )
    wait = int(r.get("wait_days") or 0)
    if wait > int(r.get("closed_days") or 0):
        sentences.append(
            ngettext(
                "Sans elle, la suivante part le %(next)s : %(n)s jour de plus à couvrir.",
                "Sans elle, la suivante part le %(next)s : %(n)s jours de plus à couvrir.",
                wait,
            )
            % {"next": day_in_words(r["next_order_on"]), "n": wait}
        )
    if closure := _closure(r):
        sentences.append(closure[:1].upper() + closure[1:] + ".")
    return [
        Told(
            _("Calendrier du fournisseur"),
            " ".join(sentences),
            _("à couvrir = jusqu'à l'arrivée de la commande suivante ; jours de fermeture compris"),
        )
    ]


def changes(r: Mapping[str, Any]) -> list[Told]:
    """Forecasts that people changed, with what that adds; nothing where nobody did."""
    if not r.get("adjustments"):
        return []
    parts = []
    for change in r["adjustments"]:
        by = _(", par %s") % change["by"] if change.get("by") else ""
        parts.append(change_in_words(change) + by)
    text = " ; ".join(parts) + ". "
    text += (
        _(
            "%(adjusted_per_day)s par jour ces quatre semaines au lieu de %(demand_per_day)s ; "
            "%(adjusted_more)s pièces de plus pendant le délai."
        )
        % r
    )
    return [Told(_("Prévision changée"), text, _("le jour venu, le plus précis l'emporte"))]


def change_in_words(change: Mapping[str, str]) -> str:
    """+40 % du 8 au 22 décembre 2026 (soldes)."""
    if change.get("weekly"):
        what = _("%s pièces par semaine") % local(change["weekly"])
    else:
        sign = "" if change["percent"].startswith("-") else "+"
        what = f"{sign}{local(change['percent'])} %"
    return _("%(what)s %(when)s (%(why)s)") % {
        "what": what,
        "when": period_in_words(change["from"], change["until"]),
        "why": change["reason"],
    }


def period_in_words(first: str, last: str) -> str:
    """Du 3 au 28 août 2026; days as texts (2026-08-03)."""
    begins, ends = date.fromisoformat(first), date.fromisoformat(last)
    if begins == ends:
        return _("le %s") % day_in_words(last)
    if (begins.year, begins.month) == (ends.year, ends.month):
        start = str(begins.day)
    elif begins.year == ends.year:
        start = date_format(begins, "j F")
    else:
        start = day_in_words(first)
    return _("du %(first)s au %(last)s") % {"first": start, "last": day_in_words(last)}


def day_in_words(text: str) -> str:
    """28 août 2026."""
    return date_format(date.fromisoformat(text), "j F Y")


def _closure(r: Mapping[str, Any]) -> str:
    if not r.get("closed_from"):
        return ""
    days = int(r["closed_days"])
    note = f" ({r['closed_note']})" if r.get("closed_note") else ""
    return ngettext(
        "fermé %(when)s%(note)s : couvre %(n)s jour de plus",
        "fermé %(when)s%(note)s : couvre %(n)s jours de plus",
        days,
    ) % {"when": period_in_words(r["closed_from"], r["closed_until"]), "note": note, "n": days}


def _weekdays(kept: Any) -> str:
    """Names of the days of a sum; blank where it is every day."""
    days = int(kept or 0)
    if days in (0, ALL_WEEK):
        return ""
    return ", ".join(str(WEEKDAYS[day]).lower() for day in weekdays_of(days))
