from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from sphinx.core import clock
from sphinx.core.attestation import make_attestation
from sphinx.core.edition import version
from sphinx.core.errors import InputError
from sphinx.core.management.base import SphinxCommand


class Command(SphinxCommand):
    help = "Attestation de l'éditeur (CGI art. 286, I-3° bis) de cette version, prête à signer."

    def options(self, parser: CommandParser) -> None:
        parser.add_argument("--output", type=Path, metavar="FICHIER.pdf")
        parser.add_argument(
            "--publisher", default="", metavar="NOM", help="l'éditeur ; sinon la société"
        )

    def work(self, **options: Any) -> dict[str, Any]:
        if not options["output"]:
            raise InputError("Donnez --output.")
        path = options["output"].resolve()
        hashed = make_attestation(path=path, on=clock.today(), publisher=options["publisher"])
        return {"path": str(path), "version": version(), "source_sha256": hashed}

    def report(self, result: dict[str, Any]) -> None:
        self.say(f"{result['path']} : version {result['version']}, à signer")
        self.say(f"SHA-256 des sources {result['source_sha256']}")
