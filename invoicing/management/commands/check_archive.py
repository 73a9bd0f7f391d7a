from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from invoicing import verifier
from sphinx.core.management.base import SphinxCommand


class Command(SphinxCommand):
    help = "Vérifie qu'une archive est entière ; ne lit pas la base."

    def options(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path, metavar="FICHIER.zip")

    def work(self, **options: Any) -> dict[str, Any]:
        faults = verifier.faults_of(options["path"])
        return {"ok": not faults, "faults": faults}

    def has_refusals(self, result: dict[str, Any]) -> bool:
        return not result["ok"]

    def report(self, result: dict[str, Any]) -> None:
        for fault in result["faults"]:
            self.say(fault)
        if result["ok"]:
            self.say("L'archive est entière : rien n'a été modifié.")
