"""Causes as the screens say them: how many, why, one thing to do; the rows folded below."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ftp_ingest.errors import UNKNOWN_STATUS
from ftp_ingest.models import QuarantinedRow, ReceivedFile
from ftp_ingest.reading.drafts import Fault
from ftp_ingest.reading.recognition import lines_as_received
from ftp_ingest.selectors import Cause, as_causes, causes_of, rows_of_causes
from ftp_ingest.services.archive import archive_path
from ftp_ingest.services.causes import grouped
from ftp_ingest.services.ingest import IngestReport
from ftp_ingest.what_to_do import WHAT_TO_DO
from sales.errors import CurrencyUnsaid, NoExchangeRate, TaxUndecided
from sphinx.core.models import Shop

# Causes on a page, and rows of each below it.
CAUSES, ROWS = 40, 50
_MAX_RAW = 400
_MEND = "ftp_ingest.change_quarantinedrow"


class Action(NamedTuple):
    """The one thing to do about a cause."""

    label: str
    url: str


class Problem(NamedTuple):
    """A row of a cause: where it stands, why, the line as it came, what became of it."""

    file: str
    line: int
    column: str
    message: str
    raw: str = ""
    state: str = ""
    url: str = ""


class CauseLine(NamedTuple):
    """A cause on the screen; `waiting` is 0 where nothing is left to do.

    `noted` counts orders that are in and should be looked at.
    """

    total: str
    waiting: int
    message: str
    advice: str
    code: str
    action: Action | None
    problems: Sequence[Problem] = ()
    more: int = 0
    shop: str = ""
    noted: int = 0


class _Place(NamedTuple):
    """What an action is about: who would do it, for which shop, of which rows."""

    user: Any
    shop: Shop
    code: str
    total: int
    row_id: int = 0
    sha256: str = ""
    kind: str = "orders"


# --- What is in the database ----------------------------------------------------------------


def lines_of(rows: QuerySet[QuarantinedRow], user: Any) -> tuple[list[CauseLine], int]:
    """The causes of `rows` with their first rows, and how many causes more there are."""
    values = causes_of(rows)
    causes = as_causes(values[: CAUSES + 1])
    more = values.count() - CAUSES if len(causes) > CAUSES else 0
    causes = causes[:CAUSES]
    shops = Shop.objects.in_bulk({cause.shop_id for cause in causes})
    folded = _problems(rows_of_causes(rows, causes, ROWS), user)
    return [_line(cause, shops, folded.get(cause.key, []), user) for cause in causes], more


def short_lines(values: QuerySet[Any, tuple[object, ...]], most: int, user: Any) -> list[CauseLine]:
    """The first causes without their rows, each with its shop: for the home page."""
    causes = as_causes(values[:most])
    shops = Shop.objects.in_bulk({cause.shop_id for cause in causes})
    return [_line(cause, shops, [], user) for cause in causes]


def _line(
    cause: Cause, shops: Mapping[int, Shop], problems: Sequence[Problem], user: Any
) -> CauseLine:
    shop = shops[cause.shop_id]
    place = _Place(user, shop, cause.code, cause.total, cause.row_id, cause.sha256, cause.kind)
    return CauseLine(
        counted(cause.total, cause.kind, cause.code),
        cause.waiting,
        cause.message,
        str(WHAT_TO_DO.get(cause.code, "")),
        cause.code,
        _action(place) if cause.waiting else None,
        problems,
        cause.total - len(problems) if problems else 0,
        shop.name,
        cause.noted,
    )


def _problems(
    rows: Sequence[QuarantinedRow], user: Any
) -> dict[tuple[str, str, str], list[Problem]]:
    """Rows by what their cause is known by, each with its line as it came."""
    wanted: dict[int, set[int]] = {}
    for row in rows:
        wanted.setdefault(row.file_id, set()).add(row.line)
    files = {row.file_id: row.file for row in rows}
    raw = {pk: _raw_lines(file, wanted[pk]) for pk, file in files.items()}
    may_mend = user.has_perm(_MEND)
    found: dict[tuple[str, str, str], list[Problem]] = {}
    for row in rows:
        is_open = row.status == QuarantinedRow.Status.OPEN and row.kind == "orders"
        problem = Problem(
            row.file.name,
            row.line,
            row.column,
            row.message,
            raw[row.file_id].get(row.line, ""),
            row.get_status_display(),
            reverse("ftp_ingest:mend", args=[row.pk]) if is_open and may_mend else "",
        )
        found.setdefault((row.code, row.cause, row.kind), []).append(problem)
    return found


def _raw_lines(file: ReceivedFile, wanted: set[int]) -> dict[int, str]:
    """The lines of a shop's file as they came; one pass, no further than the last."""
    if not file.is_recognised:
        return {}
    path = archive_path(file.sha256)
    if not wanted or not path.exists():
        return {}
    return {n: text[:_MAX_RAW] for n, text in lines_as_received(path, file.encoding, wanted)}


# --- What was just read ---------------------------------------------------------------------


def lines_of_report(report: IngestReport, shop: Shop, user: Any) -> tuple[list[CauseLine], int]:
    """The causes of a report, kept or only tried, and how many causes more there are."""
    groups = grouped(report.counts.faults)
    kinds = {file.name: file.kind for file in report.files}
    hashes = {file.name: file.sha256 for file in report.files}
    found = []
    for group in groups[:CAUSES]:
        name = group.faults[0][0]
        kind = "file" if group.code.startswith("file.") else kinds.get(name) or "orders"
        sha256 = hashes.get(name, "")
        place = _Place(user, shop, group.code, len(group.faults), sha256=sha256, kind=kind)
        found.append(
            CauseLine(
                counted(len(group.faults), kind, group.code),
                len(group.faults),
                group.message,
                str(WHAT_TO_DO.get(group.code, "")),
                group.code,
                # A file that was too large isn't kept: nothing of it is to be seen.
                _action(place, is_kept=not report.dry_run and bool(sha256)),
                _folded(group.faults),
                max(len(group.faults) - ROWS, 0),
            )
        )
    return found, max(len(groups) - CAUSES, 0)


def _folded(faults: Iterable[tuple[str, Fault]]) -> list[Problem]:
    return [Problem(name, f.line, f.column, f.message) for name, f in list(faults)[:ROWS]]


# --- Words and actions ----------------------------------------------------------------------


def counted(total: int, kind: str, code: str) -> str:
    """« 4 936 commandes »."""
    if kind == "file":
        text = ngettext("%(n)s fichier", "%(n)s fichiers", total)
    elif code.startswith("row."):
        text = ngettext("%(n)s ligne", "%(n)s lignes", total)
    elif kind == "customers":
        text = ngettext("%(n)s client", "%(n)s clients", total)
    else:
        text = ngettext("%(n)s commande", "%(n)s commandes", total)
    return text % {"n": number_format(total, use_l10n=True, force_grouping=True)}


def _action(place: _Place, *, is_kept: bool = True) -> Action | None:
    """The one thing to do about a cause, for who may do it; `is_kept` is False in a trial."""
    known = _ACTIONS.get(place.code)
    if known is not None:
        permission, is_for_trials, action = known
        if place.user.has_perm(permission) and (is_kept or is_for_trials):
            return action(place)
        return None
    if not is_kept or not place.user.has_perm(_MEND):
        return None
    if place.total == 1 and place.kind == "orders" and place.row_id:
        return Action(_("Corriger la commande"), reverse("ftp_ingest:mend", args=[place.row_id]))
    return _rows(place)


def _rows(place: _Place) -> Action:
    query = {
        "status__exact": "open",
        "code": place.code,
        "file__shop__id__exact": str(place.shop.pk),
    }
    url = f"{reverse('admin:ftp_ingest_quarantinedrow_changelist')}?{urlencode(query)}"
    return Action(_("Voir et corriger"), url)


def _question(anchor: str, label: Any) -> Callable[[_Place], Action]:
    def action(place: _Place) -> Action:
        url = reverse("ftp_ingest:shop_questions", args=[place.shop.code])
        return Action(str(label), f"{url}#{anchor}")

    return action


def _give_rate(_place: _Place) -> Action:
    return Action(_("Donner un cours"), reverse("admin:core_exchangerate_add"))


def _say_currency(place: _Place) -> Action:
    url = reverse("admin:core_shop_change", args=[place.shop.pk])
    return Action(_("Dire la devise de la boutique"), url)


def _which_product(place: _Place) -> Action:
    if not place.row_id:
        return _rows(place)
    url = reverse("ftp_ingest:mend", args=[place.row_id])
    return Action(_("Dire de quel article il s'agit"), url)


def _assistant(place: _Place) -> Action | None:
    if not archive_path(place.sha256).exists():
        return Action(_("Ouvrir l'assistant"), reverse("ftp_ingest:assistant_start"))
    url = reverse("ftp_ingest:assistant", args=[place.shop.code, place.sha256])
    return Action(_("Ouvrir l'assistant"), url)


# Code → who may, whether a trial can lead there too, what to do.
_ACTIONS: dict[str, tuple[str, bool, Callable[[_Place], Action | None]]] = {
    UNKNOWN_STATUS: (
        _MEND,
        False,
        _question("etats", gettext_lazy("Dire ce que veut dire cet état")),
    ),
    TaxUndecided.code: (
        _MEND,
        False,
        _question("tva", gettext_lazy("Dire la TVA de ces commandes")),
    ),
    NoExchangeRate.code: ("core.add_exchangerate", True, _give_rate),
    CurrencyUnsaid.code: ("core.change_shop", True, _say_currency),
    "order.unknown_sku": (_MEND, False, _which_product),
    "file.unknown_header": ("ftp_ingest.change_feed", True, _assistant),
    "file.missing_columns": ("ftp_ingest.change_feed", True, _assistant),
}
