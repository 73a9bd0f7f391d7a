from typing import Any

from django.core.management.base import CommandParser

from inventory.selectors import stock_positions
from sphinx.core.management.base import SphinxCommand
from sphinx.core.money import plain


class Command(SphinxCommand):
    help = "Position de stock : en stock, réservé, disponible, attendu."

    def options(self, parser: CommandParser) -> None:
        parser.add_argument("--sku", help="un seul article")

    def work(self, **options: Any) -> list[dict[str, str]]:
        return [
            {
                "sku": p.product.sku,
                "warehouse": p.warehouse.code,
                "on_hand": plain(p.on_hand),
                "reserved": plain(p.reserved),
                "available": plain(p.available),
                "incoming": plain(p.incoming),
                "average_cost": plain(p.average_cost),
            }
            for p in stock_positions(options["sku"])
        ]

    def report(self, result: list[dict[str, str]]) -> None:
        self.say(
            f"{'Référence':<24}{'En stock':>10}{'Réservé':>10}{'Disponible':>12}{'Attendu':>10}"
        )
        for p in result:
            self.say(
                f"{p['sku']:<24}{p['on_hand']:>10}{p['reserved']:>10}"
                f"{p['available']:>12}{p['incoming']:>10}"
            )
