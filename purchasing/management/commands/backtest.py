from datetime import date
from typing import Any

from django.core.management.base import CommandParser

from purchasing.services import run_backtest, sample_backtest
from sphinx.core import clock
from sphinx.core.management.base import SphinxCommand

_NAMES = {"learned": "Sphinx", "fixed": "minimum fixe", "real": "acheté en vrai"}
_KINDS = {
    "all": "Tous",
    "smooth": "Réguliers",
    "seasonal": "Saisonniers",
    "intermittent": "Intermittents",
    "trending": "En tendance",
}


class Command(SphinxCommand):
    help = (
        "Rejoue le passé : ce que Sphinx aurait commandé, face à un minimum fixe et à ce qui a été "
        "acheté (servi aussitôt, jours de rupture, stock moyen, commandes)."
    )

    def options(self, parser: CommandParser) -> None:
        parser.add_argument("--until", type=date.fromisoformat, metavar="AAAA-MM-JJ")
        parser.add_argument("--days", type=int, default=364, help="jours comparés (364)")
        parser.add_argument(
            "--sample", action="store_true", help="sur un jeu de demandes type, reproductible"
        )
        parser.add_argument("--products", type=int, default=200, help="articles du jeu type")

    def work(self, **options: Any) -> dict[str, Any]:
        if options["sample"]:
            return sample_backtest(products=options["products"])
        kept = run_backtest(until=options["until"] or clock.today(), days=options["days"])
        return {
            "from": kept.first_day.isoformat(),
            "to": kept.last_day.isoformat(),
            "products": kept.products,
            "all": kept.outcomes,
            "classes": kept.outcomes[0].get("classes", []),
        }

    def report(self, result: dict[str, Any]) -> None:
        if "from" in result:
            self.say(f"Du {result['from']} au {result['to']}, {result['products']} articles")
        else:
            self.say(f"Jeu type : {result['products']} articles, {result['days']} jours comparés")
        header = f"{'':<16}{'servi aussitôt':>16}{'ruptures (j)':>14}{'stock moyen':>14}"
        self.say(f"{header}{'valeur (€)':>14}{'commandes':>11}")
        for kind, label in _KINDS.items():
            if kind not in result:
                continue
            self.say(label)
            for line in result[kind]:
                self.say(
                    f"  {_NAMES[line['name']]:<14}{line['fill_rate'] + ' %':>16}"
                    f"{line.get('days_out', ''):>14}{line['average_stock']:>14}"
                    f"{line['average_value']:>14}{line.get('orders', ''):>11}"
                )
        for found in result.get("classes", []):
            self.say(
                f"Classe {found['abc']} : {found['asked']} % demandés, {found['achieved']} % tenus "
                f"({found['orders']} réapprovisionnements)"
            )
