from typing import Any

from sphinx.core.credentials import reseal_all
from sphinx.core.management.base import SphinxCommand


class Command(SphinxCommand):
    help = (
        "Rechiffre les mots de passe des serveurs avec la première clé de SPHINX_CREDENTIAL_KEYS."
    )

    def work(self, **options: Any) -> dict[str, Any]:
        resealed, unreadable = reseal_all()
        return {"resealed": resealed, "unreadable": unreadable}

    def has_refusals(self, result: dict[str, Any]) -> bool:
        return bool(result["unreadable"])

    def report(self, result: dict[str, Any]) -> None:
        self.say(f"{result['resealed']} secrets rechiffrés.")
        for where in result["unreadable"]:
            self.say(f"    illisible, à ressaisir : {where}")
