"""Suppliers' electronic invoices that come on a feed, among a shop's files or on their own."""

from datetime import datetime
from pathlib import Path

from django.utils.translation import gettext as _

from purchasing.services import receive_einvoice
from sphinx.core.errors import InputError
from sphinx.core.validators import MAX_UPLOAD

KIND = "einvoice"
# What a shop's file is called.
SUFFIXES = (".csv", ".txt", ".tsv", ".xlsx")
_HEAD = 64


def looks_like_einvoice(name: str, path: Path) -> bool:
    """A PDF or an XML, unless it calls itself a CSV: no shop writes its orders so."""
    if Path(name).suffix.lower() in SUFFIXES:
        return False
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
    return head.startswith(b"%PDF") or head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<")


def take_einvoice(name: str, path: Path, at: datetime) -> None:
    """Keep the invoice to be matched and entered; the same file again is the same invoice.

    Raises:
        InputError: it holds none, or one that doesn't add up.
    """
    if path.stat().st_size > MAX_UPLOAD:
        raise InputError(
            _("%s est trop gros pour une facture électronique (20 Mo au plus).") % name,
            code="einvoice.too_big",
        )
    receive_einvoice(name=name, data=path.read_bytes(), at=at)
