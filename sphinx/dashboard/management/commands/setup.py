import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from sphinx.core.errors import InputError
from sphinx.core.management.base import SphinxCommand
from sphinx.dashboard.installing import set_up, told


class Command(SphinxCommand):
    help = (
        "Règle la société, le premier gérant, boutiques, dépôts et plateforme, sans navigateur. "
        "Les mêmes valeurs une seconde fois ne changent rien."
    )

    def options(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--set", action="append", default=[], metavar="CLÉ=VALEUR",
            help="company.name=…, owner.email=…, shop.code=…, platform.starts_on=…",
        )  # fmt: skip
        parser.add_argument(
            "--from", dest="source", metavar="FICHIER.json",
            help="un document JSON ; - : l'entrée standard (mots de passe compris)",
        )  # fmt: skip

    def work(self, **options: Any) -> dict[str, Any]:
        document = _read(options["source"]) if options["source"] else {}
        for words in options["set"]:
            key, equals, value = words.partition("=")
            part, dot, name = key.partition(".")
            if not (equals and dot and name):
                raise InputError(f"« {words} » ne se lit pas : --set company.name=Maison.")
            if not isinstance(document.setdefault(part, {}), dict):
                raise InputError(f"« {part} » n'est pas un objet de champs.")
            document[part][name] = value
        changed = set_up(document)
        return {**told(), "changed": changed}

    def report(self, result: dict[str, Any]) -> None:
        self.say(f"Société    {result['company']['name']}")
        self.say(f"Gérant     {result['owner'] or '—'}")
        self.say(f"Boutiques  {', '.join(shop['code'] for shop in result['shops']) or '—'}")
        self.say(f"Dépôts     {', '.join(row['code'] for row in result['warehouses']) or '—'}")
        self.say(f"Changé     {', '.join(result['changed']) or 'rien'}")
        if result["missing"]:
            self.say(f"Il manque  {', '.join(result['missing'])}")


def _read(source: str) -> dict[str, Any]:
    try:
        text = sys.stdin.read() if source == "-" else Path(source).read_text("utf-8-sig")
        found = json.loads(text)
    except (OSError, ValueError) as error:
        raise InputError(f"{source} ne se lit pas : {error}") from error
    if not isinstance(found, dict):
        raise InputError(f"{source} n'est pas un objet JSON.")
    return found
