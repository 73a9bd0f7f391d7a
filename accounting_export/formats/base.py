"""The shape of a format: it takes journal lines one by one and writes a binary stream.

No format computes an amount; a value that can't be written faithfully is cleaned by `text`.
"""

import re
import unicodedata
from collections.abc import Iterable
from decimal import Decimal
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

    def write(self, lines: Iterable[ExportLine], stream: BinaryIO) -> None:
        """Write all `lines` to `stream`, reading them once."""


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


_SEPARATORS = re.compile(r"[\s|;\"\x00-\x1f\x7f\u00a0\u202f]+")


def text(value: str) -> str:
    """NFC, with separators of any format, quotes and control characters made one space."""
    return _SEPARATORS.sub(" ", unicodedata.normalize("NFC", value)).strip()


def comma(amount: Decimal) -> str:
    """1234.5 → "1234,50"."""
    return f"{amount:.2f}".replace(".", ",")
