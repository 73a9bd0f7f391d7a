from typing import Any

from sphinx.core.management.base import SphinxCommand
from sphinx.core.proofs import run_proofs

SHOWN = 20


class Command(SphinxCommand):
    help = "Prouve les livres : numéros, chaîne, stock, réservations, totaux, écritures."

    def work(self, **options: Any) -> dict[str, Any]:
        checks = [
            {
                "name": proof.name,
                "ok": proof.ok,
                "checked": proof.checked,
                "details": proof.faults[:SHOWN],
            }
            for proof in run_proofs()
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
