from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from accounting_export.formats import formats, shown_label
from accounting_export.services import export_journal
from sphinx.core.errors import InputError
from sphinx.core.management.base import SphinxCommand


class Command(SphinxCommand):
    help = "Écrit les journaux pour l'expert-comptable : VE (ventes, par défaut), AC (achats)."

    def options(self, parser: CommandParser) -> None:
        parser.add_argument("--from", dest="date_from", type=_day, metavar="AAAA-MM-JJ")
        parser.add_argument("--to", dest="date_to", type=_day, metavar="AAAA-MM-JJ")
        parser.add_argument("--format", dest="format_code", metavar="NOM")
        parser.add_argument("--output", type=Path, metavar="FICHIER")
        parser.add_argument("--journals", default="VE", metavar="CODE,…")
        parser.add_argument("--formats", action="store_true", help="liste des formats")

    def work(self, **options: Any) -> Any:
        if options["formats"]:
            return [
                {"name": f.code, "label": shown_label(f), "extension": f.extension}
                for f in formats()
            ]
        missing = [
            f"--{name}"
            for name, value in (
                ("from", options["date_from"]),
                ("to", options["date_to"]),
                ("format", options["format_code"]),
                ("output", options["output"]),
            )
            if not value
        ]
        if missing:
            raise InputError(f"Il manque {', '.join(missing)} (ou --formats pour la liste).")
        batch = export_journal(
            date_from=options["date_from"],
            date_to=options["date_to"],
            format_code=options["format_code"],
            path=options["output"].resolve(),
            journals=[code.strip() for code in options["journals"].split(",")],
        )
        return {
            "format": batch.format,
            "path": str(options["output"].resolve()),
            "sha256": batch.sha256,
            "entries": batch.entry_count,
            "lines": batch.line_count,
            "debit": str(batch.debit),
            "credit": str(batch.credit),
            "left_out": batch.left_out,
        }

    def has_refusals(self, result: Any) -> bool:
        return isinstance(result, dict) and bool(result["left_out"])

    def report(self, result: Any) -> None:
        if isinstance(result, list):
            for f in result:
                self.say(f"{f['name']:<14}{f['label']} (.{f['extension']})")
            return
        self.say(
            f"{result['path']} : {result['entries']} écritures, {result['lines']} lignes, "
            f"débit {result['debit']} €, crédit {result['credit']} €"
        )
        self.say(f"SHA-256 {result['sha256']}")
        for left in result["left_out"]:
            self.say(f"Laissé de côté : {left['piece']}. {left['reason']}")


def _day(text: str) -> date:
    return date.fromisoformat(text)
