"""Anchors: a closing's position and hash, kept outside, that tell whether the books were rewritten.

A closing's hash stands for all before it: the documents' chain, the seals of every book, the
closings. Who rewrites the database whole can't rewrite what was printed or mailed.
"""

import re
import zlib
from contextlib import suppress
from pathlib import Path

from django.utils.translation import gettext as _

from invoicing.models import Closing
from sphinx.core.errors import InputError
from sphinx.core.proofs import Proof

_WRITTEN = re.compile(rb"SPHINX-(\d{1,9})-([0-9a-f]{64})")
_STREAM = re.compile(rb"stream\r?\n(.*?)endstream", re.DOTALL)
# Bytes of a PDF's stream that are looked at: metadata are a few thousand.
_LARGEST = 1_000_000
_HASH = re.compile(r"[0-9a-fA-F]{64}")


def anchor_of(closing: Closing) -> str:
    """As it is printed and mailed: SPHINX-position-hash."""
    return f"SPHINX-{closing.position}-{closing.hash}"


def last_anchor() -> str:
    """The anchor of the last closing; blank before the first."""
    last = Closing.objects.order_by("-position").first()
    return anchor_of(last) if last else ""


def prove_anchor(given: str) -> Proof:
    """Whether every anchor in `given` (one, a hash, or a file that holds some: a closing's PDF,
    a saved e-mail) is a closing of this database.

    Raises:
        InputError: there is none in it, or the file can't be read.
    """
    proof = Proof("anchor")
    closings = dict(Closing.objects.values_list("hash", "position"))
    for position, hash_ in sorted(_anchors_in(given)):
        proof.checked += 1
        if closings.get(hash_) is None or position not in (0, closings[hash_]):
            proof.faults.append(
                f"l'ancre {hash_} n'est celle d'aucune clôture de cette base : "
                "ce qui a été clos a été effacé ou récrit"
            )
    return proof


def _anchors_in(given: str) -> set[tuple[int, str]]:
    """Position (0 where only the hash is given) and hash."""
    if _HASH.fullmatch(given.strip()):
        return {(0, given.strip().lower())}
    data = given.encode()
    if not _WRITTEN.search(data):
        data = _bytes_of(Path(given))
    if not (found := _WRITTEN.findall(data)):
        raise InputError(
            _("Aucune ancre dans %s : elle s'écrit SPHINX-rang-empreinte.") % given,
            code="anchor.none",
        )
    return {(int(position), hash_.decode()) for position, hash_ in found}


def _bytes_of(path: Path) -> bytes:
    """The file, and what a PDF holds compressed: the anchor is a keyword of its metadata."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(
            _("%(path)s est illisible : %(reason)s.") % {"path": path, "reason": error.strerror},
            code="anchor.unreadable",
        ) from error
    parts = [data]
    for stream in _STREAM.findall(data):
        with suppress(zlib.error):
            parts.append(zlib.decompressobj().decompress(stream, _LARGEST))
    return b"\n".join(parts)
