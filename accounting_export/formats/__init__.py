"""The files that accountants import: one module a family of formats, found by its code."""

from accounting_export.formats import cegid, ciel, cloud, csv, ebp, fec, others, quadra, sage, xlsx
from accounting_export.formats.base import JournalFormat, find_format, formats, shown_label

__all__ = [
    "JournalFormat",
    "cegid",
    "ciel",
    "cloud",
    "csv",
    "ebp",
    "fec",
    "find_format",
    "formats",
    "others",
    "quadra",
    "sage",
    "shown_label",
    "xlsx",
]
