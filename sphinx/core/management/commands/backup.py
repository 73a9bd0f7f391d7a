from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from sphinx.core.backup import back_up
from sphinx.core.management.base import SphinxCommand


class Command(SphinxCommand):
    help = "Sauvegarde la base et les fichiers en un seul fichier ; les clés se gardent à part."

    def options(self, parser: CommandParser) -> None:
        parser.add_argument("--output", type=Path, required=True, help="le fichier .tar à écrire")

    def work(self, **options: Any) -> dict[str, Any]:
        listed = back_up(options["output"])
        return {
            "path": str(options["output"]),
            "bytes": options["output"].stat().st_size,
            "files": len(listed["sha256"]) - 1,
            "made_at": listed["made_at"],
        }

    def report(self, result: dict[str, Any]) -> None:
        self.say(f"{result['path']} : base et {result['files']} fichiers, {result['bytes']} octets")
        self.say("Gardez ailleurs : SECRET_KEY et SPHINX_CREDENTIAL_KEYS.")
