from typing import Any

from invoicing.services import sync_platform
from sphinx.core import clock
from sphinx.core.management.base import SphinxCommand


class Command(SphinxCommand):
    help = "Remet à la plateforme factures et e-reporting, lit les états qu'elle renvoie."

    def work(self, **options: Any) -> dict[str, Any]:
        return sync_platform(at=clock.now())._asdict()

    def has_refusals(self, result: dict[str, Any]) -> bool:
        return bool(result["problems"])

    def report(self, result: dict[str, Any]) -> None:
        self.say(
            f"{result['invoices']} factures et {result['reports']} déclarations transmises, "
            f"{result['states']} états reçus"
        )
        for problem in result["problems"]:
            self.say(problem)
