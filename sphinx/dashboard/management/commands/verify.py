from typing import Any

from django.core.management.base import CommandParser

from invoicing.anchors import prove_anchor
from sphinx.core.management.base import SphinxCommand
from sphinx.core.proofs import run_proofs

SHOWN = 20


class Command(SphinxCommand):
    help = "Prouve les livres : numéros, chaîne, stock, réservations, totaux, écritures."

    def options(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--anchor",
            metavar="EMPREINTE|FICHIER",
            help="une ancre gardée ailleurs, ou le fichier qui la contient : PDF, e-mail",
        )

    def work(self, **options: Any) -> dict[str, Any]:
        anchored = [prove_anchor(options["anchor"])] if options["anchor"] else []
        checks = [
            {
                "name": proof.name,
                "ok": proof.ok,
                "checked": proof.checked,
                "details": proof.faults[:SHOWN],
            }
            for proof in (*anchored, *run_proofs())
        ]
        return {"ok": all(check["ok"] for check in checks), "checks": checks}

    def has_refusals(self, result: dict[str, Any]) -> bool:
        return not result["ok"]

    def report(self, result: dict[str, Any]) -> None:
        for check in result["checks"]:
            mark = "✓" if check["ok"] else "✗"
            self.say(f"{mark} {check['name']:<22}{check['checked']:>8} contrôlés")
            for detail in check["details"]:
                self.say(f"    {detail}")
