from typing import Any

from django.core.management.base import CommandParser

from sphinx.core.management.base import SphinxCommand
from sphinx.dashboard import rollups


class Command(SphinxCommand):
    fills_tables = True
    help = "Compare les sommes gardées pour les statistiques à leurs sources, puis les refait."

    def options(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="comparer seulement")

    def work(self, **options: Any) -> dict[str, Any]:
        found = {d.table: {"rows": d.rows, "wrong": d.wrong} for d in rollups.differences()}
        if not options["check"]:
            rollups.rebuild()
            for after in rollups.differences():
                found[after.table] |= {"rows": after.rows, "wrong_after": after.wrong}
        left = "wrong" if options["check"] else "wrong_after"
        return {"ok": not any(t[left] for t in found.values()), "tables": found}

    def has_refusals(self, result: dict[str, Any]) -> bool:
        return not result["ok"]

    def report(self, result: dict[str, Any]) -> None:
        for name, table in result["tables"].items():
            text = f"{name:<24}{table['rows']:>9} lignes, {table['wrong']} à corriger"
            if "wrong_after" in table:
                text += f", {table['wrong_after']} après"
            self.say(text)
