from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from sphinx.core import clock
from sphinx.core.management.base import SphinxCommand
from suppliers.services import NOTES, load_catalogue


class Command(SphinxCommand):
    fills_tables = True
    help = "Charge articles, fournisseurs, tarifs et stock initial depuis un CSV."

    def options(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path)

    def work(self, **options: Any) -> dict[str, Any]:
        return load_catalogue(path=options["path"], at=clock.now()).as_json()

    def has_refusals(self, result: dict[str, Any]) -> bool:
        return any(issue["code"] not in NOTES for issue in result["issues"])

    def report(self, result: dict[str, Any]) -> None:
        for name, label in (("products", "Articles"), ("suppliers", "Fournisseurs")):
            tally = result[name]
            self.say(
                f"{label} : {tally['created']} créés, {tally['updated']} modifiés, "
                f"{tally['unchanged']} inchangés"
            )
        self.say(f"Stock initial ouvert pour {result['counted']} articles")
        for issue in result["issues"]:
            self.say(f"  {issue['message']}")
