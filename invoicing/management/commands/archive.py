from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from invoicing.services import make_archive
from sphinx.core import clock
from sphinx.core.errors import InputError
from sphinx.core.management.base import SphinxCommand


class Command(SphinxCommand):
    help = "Archive les factures et avoirs d'une période, vérifiable sans Sphinx."

    def options(self, parser: CommandParser) -> None:
        parser.add_argument("--from", dest="first", type=date.fromisoformat, metavar="AAAA-MM-JJ")
        parser.add_argument("--to", dest="last", type=date.fromisoformat, metavar="AAAA-MM-JJ")
        parser.add_argument("--output", type=Path, metavar="FICHIER.zip")

    def work(self, **options: Any) -> dict[str, Any]:
        if not (options["first"] and options["last"] and options["output"]):
            raise InputError("Donnez --from, --to et --output.")
        path = options["output"].resolve()
        done = make_archive(first=options["first"], last=options["last"], path=path, at=clock.now())
        return {"path": str(path), **done._asdict()}

    def report(self, result: dict[str, Any]) -> None:
        self.say(f"{result['path']} : {result['documents']} pièces, {result['closings']} clôtures")
        self.say(f"SHA-256 {result['sha256']}")
