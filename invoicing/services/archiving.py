"""An archive of issued documents that anybody can check without Sphinx (CGI art. 286, I-3° bis).

A ZIP: the documents and closings in their canonical form with their hashes, a table for people,
the PDFs, the checker and how to use it, and a manifest with the SHA-256 of every file.
"""

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any, NamedTuple

from django.db.models import Max, Min, QuerySet
from django.utils.translation import gettext as _

from invoicing import verifier
from invoicing.chain import GENESIS, closing_form, document_form
from invoicing.models import Closing, Invoice
from invoicing.services.documents import render_pdfs
from sphinx.core.errors import InputError
from sphinx.core.files import whole_file
from sphinx.core.services import company, record
from sphinx.core.texts import safe_cell

CHECKER = "verificateur.py"
_BATCH = 500
_README = """Archive des factures et avoirs de {firm}, du {first} au {last}.

documents.jsonl   chaque pièce sous sa forme canonique, avec son empreinte et celle d'avant
closings.jsonl    les clôtures de jour, de mois et d'exercice, chaînées de même
documents.csv     le tableau des pièces, pour un tableur
pdf/              les pièces telles qu'elles ont été remises
manifeste.json    l'empreinte SHA-256 de chaque fichier, le début et la fin des chaînes

Pour vérifier que rien n'a été modifié, avec Python 3.9 ou plus récent :

    python {checker} archive.zip

Empreinte d'une pièce : SHA-256 de l'empreinte précédente suivie de la forme canonique, en UTF-8.
"""


class Archived(NamedTuple):
    """What went into an archive, and the SHA-256 of its bytes."""

    documents: int
    closings: int
    sha256: str


class _Writer:
    """Files of a ZIP, each with its SHA-256 noted."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.files: dict[str, str] = {}

    def add(self, name: str, blocks: Iterable[bytes]) -> None:
        digest = hashlib.sha256()
        with self._archive.open(name, "w", force_zip64=True) as stream:
            for block in blocks:
                digest.update(block)
                stream.write(block)
        self.files[name] = digest.hexdigest()


class _Chain:
    """A chain's links as lines of JSON; where it begins and ends."""

    def __init__(self) -> None:
        self.before, self.last, self.count = GENESIS, GENESIS, 0

    def line(self, name: str, link: Invoice | Closing, form: str) -> bytes:
        if not self.count:
            self.before = link.previous_hash
        self.last, self.count = link.hash, self.count + 1
        row = {
            "name": name,
            "previous_hash": link.previous_hash,
            "hash": link.hash,
            "form": form,
        }
        return json.dumps(row, ensure_ascii=False).encode() + b"\n"

    def as_json(self) -> dict[str, Any]:
        return {"before": self.before, "last": self.last, "count": self.count}


def make_archive(
    *, first: date, last: date, path: Path, at: datetime, actor: Any = None
) -> Archived:
    """Archive what was issued from `first` to `last`, both included; whole or not at all.

    Raises:
        InputError: nothing was issued then, or the file can't be written.
    """
    documents = _documents(first, last)
    closings = Closing.objects.filter(last_on__range=(first, last)).order_by("position")
    try:
        with whole_file(path, durable=True) as stream:
            with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
                chains = _write(_Writer(archive), archive, documents, closings, first, last, at)
            stream.seek(0)
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise InputError(
            _("Impossible d'écrire %(path)s : %(reason)s.")
            % {"path": path, "reason": error.strerror},
            code="archive.cannot_write",
        ) from error
    done = Archived(chains["documents"].count, chains["closings"].count, sha256)
    record(
        "archive.made",
        [company()],
        actor=actor,
        first=first.isoformat(),
        last=last.isoformat(),
        **done._asdict(),
    )
    return done


def _documents(first: date, last: date) -> QuerySet[Invoice]:
    """The links of the chain from the first to the last document of the period, without a gap."""
    ends = Invoice.objects.filter(issued_on__range=(first, last)).aggregate(
        first=Min("chain_index"), last=Max("chain_index")
    )
    if ends["first"] is None:
        raise InputError(
            _("Rien n'a été émis du %(first)s au %(last)s : il n'y a rien à archiver.")
            % {"first": first.strftime("%d/%m/%Y"), "last": last.strftime("%d/%m/%Y")},
            code="archive.empty",
        )
    return (
        Invoice.objects.filter(chain_index__range=(ends["first"], ends["last"]))
        .prefetch_related("lines", "taxes")
        .order_by("chain_index")
    )


def _write(
    writer: _Writer,
    archive: zipfile.ZipFile,
    documents: QuerySet[Invoice],
    closings: QuerySet[Closing],
    first: date,
    last: date,
    at: datetime,
) -> dict[str, _Chain]:
    chains = {name: _Chain() for name in verifier.CHAINS}
    writer.add("documents.jsonl", _document_lines(documents, chains["documents"]))
    writer.add(
        "closings.jsonl",
        (chains["closings"].line(str(c), c, closing_form(c)) for c in closings.iterator()),
    )
    writer.add("documents.csv", _table(documents))
    for number, pdf in _pdfs(documents):
        writer.add(f"pdf/{number}.pdf", [pdf.read_bytes()])
    writer.add(CHECKER, [Path(verifier.__file__).read_bytes()])
    firm = company()
    readme = _README.format(firm=firm.name, first=first, last=last, checker=CHECKER)
    writer.add("LISEZMOI.txt", [readme.encode()])
    manifest = {
        "firm": {"name": firm.name, "siren": firm.siren},
        "first": first.isoformat(),
        "last": last.isoformat(),
        "made_at": at.isoformat(),
        "chains": {name: chain.as_json() for name, chain in chains.items()},
        "files": writer.files,
    }
    text = json.dumps(manifest, ensure_ascii=False, indent=1)
    archive.writestr(verifier.MANIFEST, text.encode())
    return chains


def _document_lines(documents: QuerySet[Invoice], chain: _Chain) -> Iterator[bytes]:
    for invoice in documents.iterator(chunk_size=_BATCH):
        form = document_form(invoice, invoice.lines.all(), invoice.taxes.all())
        yield chain.line(invoice.number, invoice, form)


def _table(documents: QuerySet[Invoice]) -> Iterator[bytes]:
    yield "\ufeff".encode()
    yield _row(["numéro", "date", "nature", "client", "commande", "HT", "TVA", "TTC", "empreinte"])
    for invoice in documents.iterator(chunk_size=_BATCH):
        yield _row(
            [
                invoice.number,
                f"{invoice.issued_on:%d/%m/%Y}",
                invoice.get_kind_display(),
                safe_cell(invoice.customer_name),
                safe_cell(invoice.order_number),
                *(
                    f"{amount:.2f}".replace(".", ",")
                    for amount in (
                        invoice.total_excl_tax,
                        invoice.total_tax,
                        invoice.total_incl_tax,
                    )
                ),
                invoice.hash,
            ]
        )


def _row(cells: list[str]) -> bytes:
    stream = io.StringIO()
    csv.writer(stream, delimiter=";", lineterminator="\r\n").writerow(cells)
    return stream.getvalue().encode()


def _pdfs(documents: QuerySet[Invoice]) -> Iterator[tuple[str, Path]]:
    numbers = dict(documents.order_by("chain_index").values_list("pk", "number"))
    ids = list(numbers)
    for start in range(0, len(ids), _BATCH):
        paths = render_pdfs(ids[start : start + _BATCH])
        yield from ((numbers[pk], paths[pk]) for pk in ids[start : start + _BATCH])
