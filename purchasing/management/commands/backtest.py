from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from purchasing.services import demand_backtest, run_backtest, sample_backtest
from sphinx.core import clock
from sphinx.core.management.base import SphinxCommand

_NAMES = {"learned": "Sphinx", "fixed": "minimum fixe", "real": "acheté en vrai"}
_RULES = {
    "fixed": "minimum fixe",
    "normal_91": "loi normale, 91 jours",
    "normal_182": "loi normale, 182 jours",
    "normal_364": "loi normale, 364 jours",
}
_PATTERNS = {
    "smooth": "Réguliers",
    "erratic": "Irréguliers",
    "intermittent": "Intermittents",
    "lumpy": "Par à-coups",
}
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
        parser.add_argument(
            "--demand",
            type=Path,
            metavar="FICHIER",
            help="sur une demande apportée : CSV sku, day, quantity "
            "(et unit_cost, lead_time_days, pack_size)",
        )
        parser.add_argument("--products", type=int, default=200, help="articles du jeu type")

    def work(self, **options: Any) -> dict[str, Any]:
        if options["sample"]:
            return sample_backtest(products=options["products"])
        if options["demand"]:
            return demand_backtest(path=options["demand"], days=options["days"])
        kept = run_backtest(until=options["until"] or clock.today(), days=options["days"])
        return {
            "from": kept.first_day.isoformat(),
            "to": kept.last_day.isoformat(),
            "products": kept.products,
            "all": kept.outcomes,
            "classes": kept.outcomes[0].get("classes", []),
        }

    def report(self, result: dict[str, Any]) -> None:
        if "asked" in result:
            self._against_rules(result)
            return
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

    def _against_rules(self, result: dict[str, Any]) -> None:
        self.say(f"{result['products']} articles, {result['days']} jours comparés")
        self.say(f"{'demandé':>8}{'tenu':>8}{'servi':>8}{'stock (€)':>14}  au mieux sans")
        for line in result["asked"]:
            rule = _RULES.get(line["least_rule"], "")
            figures = f"{line['asked']:>8}{line['achieved']:>8}{line['served']:>8}"
            best = f"{line['least_value']} ({rule})" if rule else "–"
            self.say(f"{figures}{line['value']:>14}  {best}")
        parts = {_PATTERNS[kind]: found for kind, found in result["patterns"].items()}
        parts |= {f"{days} jours": found for days, found in result["delays"].items()}
        for name, achieved in parts.items():
            told = ", ".join(f"{asked} → {held or '–'}" for asked, held in achieved.items())
            self.say(f"{name} : {told}")
