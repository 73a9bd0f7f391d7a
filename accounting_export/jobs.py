"""Long work of the accounts."""

from datetime import date
from shutil import copyfile
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounting_export.services.fec import Encoding, Separator, make_fec
from sphinx.core.jobs import Work, job


@job(
    "accounting_export.fec",
    _("FEC de l'exercice"),
    "accounting_export.export_journal",
    queue="exports",
)
def fec(work: Work, *, actor: Any, year: str, separator: str, encoding: str) -> str:
    """Write the FEC of the fiscal year that ends on `year`, and check it."""
    work.of(1)
    made = make_fec(
        day=date.fromisoformat(year),
        separator=Separator[separator],
        encoding=Encoding[encoding],
        actor=actor,
    )
    copyfile(made.path, work.file(made.path.name))
    work.step()
    lines = made.report.lines
    return ngettext(
        "%(count)s ligne écrite, relue et contrôlée : le fichier peut être remis.",
        "%(count)s lignes écrites, relues et contrôlées : le fichier peut être remis.",
        lines,
    ) % {"count": number_format(lines, use_l10n=True, force_grouping=True)}
