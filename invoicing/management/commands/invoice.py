from typing import Any

from django.core.management.base import CommandParser

from invoicing.services import credit_refunds, issue_shipped, render_pdfs
from sales.selectors import find_orders
from sphinx.core import clock
from sphinx.core.errors import InputError
from sphinx.core.management.base import SphinxCommand


class Command(SphinxCommand):
    refused: list[str]
    help = "Facture les bons de livraison expédiés ; émet les avoirs des remboursements."

    def options(self, parser: CommandParser) -> None:
        parser.add_argument("--delivered", action="store_true", help="tout ce qui est expédié")
        parser.add_argument("--order", metavar="NUMÉRO", help="une seule commande")

    def work(self, **options: Any) -> dict[str, Any]:
        if not options["delivered"] and not options["order"]:
            raise InputError("Dites quoi facturer : --delivered, ou --order NUMÉRO.")
        orders = None
        if options["order"]:
            orders = [o.pk for o in find_orders(options["order"])]
        at = clock.now()
        done = issue_shipped(at=at, order_ids=orders)
        self.refused = [error.message for error in done.refused]
        issued = done.invoices + credit_refunds(at=at, order_ids=orders)
        pdfs = render_pdfs(i.pk for i in issued)
        return {
            "invoices": [
                {
                    "number": i.number,
                    "kind": i.kind,
                    "order": i.order_number,
                    "total_excl_tax": str(i.total_excl_tax),
                    "total_tax": str(i.total_tax),
                    "total_incl_tax": str(i.total_incl_tax),
                    "pdf": str(pdfs[i.pk]),
                }
                for i in issued
            ]
        }

    def has_refusals(self, result: Any) -> bool:
        for message in self.refused:
            self.stderr.write(message)
        return bool(self.refused)

    def report(self, result: dict[str, Any]) -> None:
        for i in result["invoices"]:
            self.say(
                f"{i['number']}  commande {i['order']}  {i['total_incl_tax']} € TTC  {i['pdf']}"
            )
        if not result["invoices"]:
            self.say("Rien à facturer.")
