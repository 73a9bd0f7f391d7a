from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from sphinx.core.backup import restore
from sphinx.core.management.base import SphinxCommand
from sphinx.core.proofs import run_proofs


class Command(SphinxCommand):
    fills_tables = True
    help = "Remet une sauvegarde dans une base vide, la migre, et prouve les livres."

    def options(self, parser: CommandParser) -> None:
        parser.add_argument("--input", type=Path, required=True, help="le fichier .tar à lire")

    def work(self, **options: Any) -> dict[str, Any]:
        listed = restore(options["input"])
        wrong = [proof.name for proof in run_proofs() if not proof.ok]
        return {
            "ok": not wrong,
            "made_at": listed["made_at"],
            "files": len(listed["sha256"]) - 1,
            "wrong": wrong,
        }

    def has_refusals(self, result: dict[str, Any]) -> bool:
        return not result["ok"]

    def report(self, result: dict[str, Any]) -> None:
        self.say(f"Sauvegarde du {result['made_at']} remise : base et {result['files']} fichiers.")
        self.say(
            "Les preuves sont bonnes."
            if result["ok"]
            else f"À regarder (verify) : {', '.join(result['wrong'])}"
        )
