from datetime import date
from typing import Any

from django.core.management.base import CommandParser
from django.db.models import prefetch_related_objects

from purchasing.models import PurchaseOrder
from purchasing.services import propose_orders
from sphinx.core import clock
from sphinx.core.management.base import SphinxCommand
from sphinx.core.money import plain
from sphinx.core.templatetags.numbers import sign


class Command(SphinxCommand):
    help = "Calcule les besoins et propose des commandes fournisseurs, avec leurs raisons."

    def options(self, parser: CommandParser) -> None:
        parser.add_argument("--as-of", type=date.fromisoformat, metavar="AAAA-MM-JJ")

    def work(self, **options: Any) -> dict[str, Any]:
        proposals = propose_orders(on=options["as_of"] or clock.today())
        orders = proposals.orders
        prefetch_related_objects(orders, "supplier", "lines__product")
        return {
            "proposals": [_proposal(order) for order in orders],
            "without_supplier": [
                {"sku": product.sku, "quantity": plain(p.quantity), "reason": p.reason}
                for product, p in proposals.without_supplier
            ],
        }

    def report(self, result: dict[str, Any]) -> None:
        for proposal in result["proposals"]:
            money = sign(proposal["currency"])
            self.say(
                f"{proposal['number']}  {proposal['supplier']}  "
                f"{proposal['total_excl_tax']} {money} HT"
            )
            for line in proposal["lines"]:
                reason = line["reason"]
                self.say(
                    f"    {line['sku']:<20}{line['quantity']:>8} × {line['unit_price']} {money}  "
                    f"(disponible {reason['available']}, attendu {reason['incoming']}, "
                    f"à servir {reason['backordered']}, besoin {reason['needed']})"
                )
        for item in result["without_supplier"]:
            self.say(f"Sans fournisseur : {item['sku']} × {item['quantity']}")
        if not result["proposals"] and not result["without_supplier"]:
            self.say("Rien à commander.")


def _proposal(order: PurchaseOrder) -> dict[str, Any]:
    return {
        "number": order.number,
        "supplier": order.supplier.name,
        "currency": order.currency,
        "total_excl_tax": str(order.total_excl_tax),
        "lines": [
            {
                "sku": line.product.sku,
                "quantity": plain(line.quantity),
                "unit_price": plain(line.unit_price_excl_tax),
                "reason": line.reason,
            }
            for line in order.lines.all()
        ],
    }
