from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from accounting_export.errors import FecRefused
from accounting_export.fec_check import Report, check_fec
from accounting_export.services import Encoding, Separator, make_fec
from sphinx.core.errors import InputError
from sphinx.core.management.base import SphinxCommand


class Command(SphinxCommand):
    help = "Produit le FEC de l'exercice (--day) et le contrôle, ou contrôle un fichier (--check)."

    def options(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--day", type=date.fromisoformat, help="un jour de l'exercice")
        what.add_argument("--check", type=Path, metavar="FICHIER")
        parser.add_argument("--pipe", action="store_true", help="barres au lieu de tabulations")
        parser.add_argument("--latin", action="store_true", help="ISO 8859-15 au lieu d'UTF-8")

    def work(self, **options: Any) -> Any:
        if options["check"]:
            return _shown(_checked(options["check"]), options["check"])
        try:
            made = make_fec(
                day=options["day"],
                separator=Separator.PIPE if options["pipe"] else Separator.TAB,
                encoding=Encoding.LATIN if options["latin"] else Encoding.UTF8,
            )
        except FecRefused as error:
            return _shown(error.context["report"], None)
        return _shown(made.report, made.path)

    def report(self, result: Any) -> None:
        if result["path"]:
            self.say(result["path"])
        self.say(
            f"{result['entries']} écritures, {result['lines']} lignes, "
            f"débit {result['debit']} €, crédit {result['credit']} €"
        )
        for fault in result["faults"]:
            where = f"ligne {fault['line']}" if fault["line"] else "fichier"
            column = f", {fault['column']}" if fault["column"] else ""
            weight = "refusé" if fault["blocks"] else "à expliquer"
            self.say(f"  {where}{column} : {fault['message']} ({weight})")
        for message, count in result["more"].items():
            self.say(f"  et {count} autres lignes : {message}")
        self.say("Accepté." if result["is_accepted"] else "Refusé.")

    def has_refusals(self, result: Any) -> bool:
        return not result["is_accepted"]


def _checked(path: Path) -> Report:
    try:
        with path.open("rb") as stream:
            return check_fec(path.name, stream)
    except OSError as error:
        raise InputError(f"Impossible de lire {path} : {error.strerror}.") from error


def _shown(report: Report, path: Path | None) -> dict[str, Any]:
    return {
        "path": str(path) if path else None,
        "is_accepted": report.is_accepted,
        "entries": report.entries,
        "lines": report.lines,
        "debit": str(report.debit),
        "credit": str(report.credit),
        "faults": [fault._asdict() for fault in report.faults],
        "more": dict(report.more),
    }
