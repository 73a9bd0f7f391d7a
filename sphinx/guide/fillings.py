"""What the guide takes from the program itself, so that it can't say anything else.

A page says `<!-- fields sage100 -->` or `<!-- messages ftp_ingest -->`: the build puts a table
there.
"""

import re
from collections.abc import Callable
from html import escape

from django.conf import settings
from django.utils.translation import gettext as _

from accounting_export.formats import csv, fec, find_format
from accounting_export.formats.layouts import CUT, KEEP_END, Delimited, FixedWidth
from ftp_ingest.what_to_do import WHAT_TO_DO
from sphinx.guide.messages import messages

SOURCES = settings.BASE_DIR / "docs" / "guide"
_MARK = re.compile(r"^<!-- (\w+) (\w+) -->$", re.MULTILINE)
_PLACE = re.compile(r"%\(\w+\)[sd]|%[sd]")


def fill(page: str) -> str:
    """The page in Markdown with every mark replaced, in the language in force.

    Raises:
        KeyError: a mark of no known kind.
    """
    return _MARK.sub(lambda mark: _FILLINGS[mark[1]](mark[2]), page)


def _fields(code: str) -> str:
    """The layout of a format: how lines are written, then a row a field."""
    layout = find_format(code)
    if not isinstance(layout, Delimited | FixedWidth):
        names = fec.COLUMNS if isinstance(layout, fec.Fec) else csv.COLUMNS
        return " · ".join(f"`{name}`" for name in names)
    is_placed = isinstance(layout, FixedWidth)
    head = [_("Champ"), _("Place"), _("Largeur"), _("Trop long")]
    rows = [
        [
            escape(field.name),
            str(field.start or rank) if is_placed else str(rank),
            str(field.width or "–"),
            _too_long(field.too_long) if field.width else "–",
        ]
        for rank, field in enumerate(layout.fields, start=1)
    ]
    return f"{_written(layout)}\n\n{_table(head, rows)}"


def _written(layout: Delimited | FixedWidth) -> str:
    parts = [f"`.{getattr(layout, 'extension', '')}`", layout.charset]
    if isinstance(layout, FixedWidth):
        parts.append(_("champs à places fixes"))
    else:
        between = {"\t": _("tabulation"), ",": _("virgule"), ";": _("point-virgule")}
        parts.append(_("séparateur : %s") % between.get(layout.separator, f"`{layout.separator}`"))
        parts.append(_("avec en-tête") if layout.has_header else _("sans en-tête"))
    return " · ".join(parts)


def _too_long(rule: str) -> str:
    return {CUT: _("coupé"), KEEP_END: _("garde la fin")}.get(rule, _("refusé"))


def _messages(app: str) -> str:
    """Each sentence of an app, and what to do where the sentence doesn't say it."""
    rows, seen = [], set()
    for message in messages():
        if message.app != app:
            continue
        anchor = "" if message.code in seen else f'<a id="{message.code}"></a>'
        seen.add(message.code)
        rows.append([anchor + _shown(message.text), str(WHAT_TO_DO.get(message.code, ""))])
    return _table([_("Message"), _("Que faire")], rows)


def _shown(text: str) -> str:
    said = " ".join(_PLACE.sub("…", _(text)).replace("%%", "%").split())
    return escape(said, quote=False).replace("|", "\\|")


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _sql(name: str) -> str:
    """A query to be pasted; the same in every language."""
    return f"```sql\n{(SOURCES / 'shared' / f'{name}.sql').read_text('utf-8')}```"


_FILLINGS: dict[str, Callable[[str], str]] = {"fields": _fields, "messages": _messages, "sql": _sql}
