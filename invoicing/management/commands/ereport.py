from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from invoicing.services import build_report
from sphinx.core import clock
from sphinx.core.errors import InputError
from sphinx.core.management.base import SphinxCommand


class Command(SphinxCommand):
    help = "Écrit l'e-reporting des ventes d'une période, sans le transmettre."

    def options(self, parser: CommandParser) -> None:
        parser.add_argument("--from", dest="first", type=date.fromisoformat, metavar="AAAA-MM-JJ")
        parser.add_argument("--to", dest="last", type=date.fromisoformat, metavar="AAAA-MM-JJ")
        parser.add_argument("--output", type=Path, metavar="FICHIER.xml")

    def work(self, **options: Any) -> dict[str, Any]:
        if not (options["first"] and options["last"] and options["output"]):
            raise InputError("Donnez --from, --to et --output.")
        identifier, xml, sums = build_report(options["first"], options["last"], at=clock.now())
        path = options["output"].resolve()
        try:
            path.write_bytes(xml)
        except OSError as error:
            raise InputError(f"{path} : {error.strerror}.") from error
        return {
            "identifier": identifier,
            "path": str(path),
            "documents": sums.documents,
            "net": str(sums.net),
            "tax": str(sums.tax),
        }

    def report(self, result: dict[str, Any]) -> None:
        self.say(
            f"{result['path']} : {result['documents']} pièces, {result['net']} € HT, "
            f"{result['tax']} € de TVA"
        )
