"""The files that accountants import: one module a format, found by its code."""

from accounting_export.formats import csv, fec, xlsx
from accounting_export.formats.base import JournalFormat, find_format, formats

__all__ = ["JournalFormat", "csv", "fec", "find_format", "formats", "xlsx"]
