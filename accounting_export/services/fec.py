"""The FEC of a fiscal year: every journal, in the order of validation, checked before it leaves.

Source: LPF, art. L47 A and A47 A-1. What Sphinx doesn't book (pay, bank charges outside providers,
assets, opening balances) is the accountant's to add.
"""

from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

from django.conf import settings
from django.utils.translation import gettext as _

from accounting_export.errors import FecRefused
from accounting_export.fec_check import Report, check_fec
from accounting_export.formats.fec import Fec
from accounting_export.models import Journal, JournalLine
from accounting_export.selectors import Choice, fiscal_year, lines_to_export
from accounting_export.services.exporting import FOLDER, at_length, book_missing, file_name
from sphinx.core.errors import InputError
from sphinx.core.files import put, whole_file
from sphinx.core.services import company, record

FECS = Path(FOLDER, "fec")
# A second's work.
AT_ONCE = 100_000


class Separator(StrEnum):
    """Both that the law allows."""

    TAB = "\t"
    PIPE = "|"


class Encoding(StrEnum):
    """Two of the three that the law allows; the third, EBCDIC, is for mainframes."""

    UTF8 = "utf-8"
    LATIN = "iso-8859-15"


class CheckedFec(NamedTuple):
    """The file and what the check found in it."""

    path: Path
    report: Report


def make_fec(
    *,
    day: date,
    separator: Separator = Separator.TAB,
    encoding: Encoding = Encoding.UTF8,
    actor: Any = None,
) -> CheckedFec:
    """Write the FEC of the fiscal year that `day` is in, read it back and check it.

    Books first what was issued without an entry. The file is in DATA_DIR, under its legal name;
    made again, it takes the place of the one before.

    Raises:
        InputError: the company's SIREN is missing, without which the file has no name.
        FecRefused: the check found what the administration refuses; `context` has the report.
        DoesNotFit: an account is longer than the company's accounts are.
    """
    firm = company()
    if not firm.siren:
        raise InputError(
            _("Renseignez le SIREN (Réglages › Société) : il fait partie du nom du fichier."),
            code="accounting.no_siren",
        )
    journals = tuple(Journal.objects.values_list("code", flat=True))
    book_missing(journals)
    first, last = fiscal_year(day, firm.fiscal_year_end_month)
    name = file_name("fec", journals, first, last)
    aside = Path(settings.DATA_DIR, FECS, f"{uuid4().hex}.part")
    try:
        lines = lines_to_export(Choice(journals, first, last, by_validation=True))
        with whole_file(aside) as stream:
            Fec(separator, encoding).write(at_length(lines, firm.account_length), stream)
        with aside.open("rb") as stream:
            report = check_fec(name, stream)
        if not report.is_accepted:
            raise _refused(report)
        path = Path(settings.DATA_DIR, FECS, name)
        aside.replace(path)
        put(path)
    finally:
        aside.unlink(missing_ok=True)
    record("fec.made", [firm], actor=actor, file=name, lines=report.lines)
    return CheckedFec(path, report)


def is_long(day: date) -> bool:
    """Whether the year's FEC is better made by a worker than while somebody waits."""
    first, last = fiscal_year(day, company().fiscal_year_end_month)
    lines = JournalLine.objects.filter(entry__entry_date__range=(first, last))
    return lines.count() > AT_ONCE


def _refused(report: Report) -> FecRefused:
    first = next(fault for fault in report.faults if fault.blocks)
    return FecRefused(
        _("Le FEC serait refusé, aucun fichier n'est produit. Ligne %(line)s : %(message)s.")
        % {"line": first.line, "message": first.message},
        report=report,
    )
