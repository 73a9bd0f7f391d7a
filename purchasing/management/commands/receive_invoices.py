from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from purchasing.services import receive_einvoice
from sphinx.core import clock
from sphinx.core.errors import InputError, SphinxError
from sphinx.core.management.base import SphinxCommand
from sphinx.core.templatetags.numbers import sign

KINDS = (".pdf", ".xml")


class Command(SphinxCommand):
    help = "Reçoit les factures électroniques des fournisseurs : fichiers, ou dossiers qui en ont."

    def options(self, parser: CommandParser) -> None:
        parser.add_argument("paths", nargs="+", type=Path, metavar="CHEMIN")

    def work(self, **options: Any) -> dict[str, Any]:
        files: list[Path] = []
        for path in options["paths"]:
            if not path.exists():
                raise InputError(f"« {path} » n'existe pas.")
            inside = sorted(path.iterdir()) if path.is_dir() else [path]
            files += [f for f in inside if f.is_file() and f.suffix.lower() in KINDS]
        received, refused = [], []
        for file in files:
            try:
                made = receive_einvoice(name=file.name, data=file.read_bytes(), at=clock.now())
            except SphinxError as error:
                refused.append({"file": file.name, "message": error.message})
            else:
                received.append(
                    {
                        "file": file.name,
                        "seller": made.seller_name,
                        "number": made.number,
                        "total_incl_tax": str(made.total_incl_tax),
                        "currency": made.currency,
                        "status": made.status,
                    }
                )
        return {"received": received, "refused": refused}

    def has_refusals(self, result: dict[str, Any]) -> bool:
        return bool(result["refused"])

    def report(self, result: dict[str, Any]) -> None:
        for row in result["received"]:
            total = f"{row['total_incl_tax']} {sign(row['currency'])}"
            self.say(f"{row['file']} : {row['seller']} {row['number']}, {total}")
        for row in result["refused"]:
            self.say(row["message"])
