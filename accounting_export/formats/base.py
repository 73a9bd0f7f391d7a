"""The shape of a format: it takes journal lines one by one and writes a binary stream.

No format computes an amount. What can't be written as it is follows stated rules
([layouts.py](layouts.py)); what a format had to cut is counted.
"""

from collections import Counter
from collections.abc import Iterable
from typing import BinaryIO, Protocol

from django.utils.translation import gettext as _

from accounting_export.errors import UnknownFormat
from accounting_export.selectors import ExportLine
from sphinx.core.registry import Registry


class JournalFormat(Protocol):
    """A format of the accountant's software."""

    code: str
    label: str
    extension: str
    # False where no public source confirms the layout.
    is_confirmed: bool

    def write(self, lines: Iterable[ExportLine], stream: BinaryIO) -> Counter[str]:
        """Write all `lines` to `stream`, reading them once; how often each field was cut."""


_registry: Registry[JournalFormat] = Registry()
register = _registry.register
formats = _registry.all


def find_format(code: str) -> JournalFormat:
    """The format called `code`.

    Raises:
        UnknownFormat: there is none of that name.
    """
    found = _registry.get(code)
    if found is None:
        raise UnknownFormat(
            _("Format « %(code)s » inconnu. Formats possibles : %(known)s.")
            % {"code": code, "known": _registry.codes()}
        )
    return found


def shown_label(journal_format: JournalFormat) -> str:
    """The format's name as people choose it, with a word of caution where one is due."""
    if journal_format.is_confirmed:
        return journal_format.label
    return _("%s – à confirmer avec l'expert-comptable") % journal_format.label
