import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from invoicing.models import Invoice
from invoicing.services import credit_refunds, issue_shipped, pdf_places, render_pdfs
from invoicing.tasks import print_invoices
from sales.selectors import find_orders
from sphinx.core import clock
from sphinx.core.errors import InputError
from sphinx.core.management.base import SphinxCommand
from sphinx.core.workers import workers_run

# Fewer are made before anybody wonders.
_MANY = 50


class Command(SphinxCommand):
    refused: list[str]
    fills_tables = True
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
        pdfs = self._print(issued, is_mass=options["delivered"])
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

    def _print(self, issued: list[Invoice], *, is_mass: bool) -> dict[int, Path]:
        """Workers print many where they run; else here, seen moving."""
        if is_mass and issued and workers_run():
            print_invoices.delay()
            return pdf_places(issued)

        def tell(done: int) -> None:
            self.stderr.write(f"{done} / {len(issued)} PDF", ending="\r")

        moving = tell if len(issued) > _MANY and sys.stderr.isatty() else None
        return render_pdfs((i.pk for i in issued), tell=moving)

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
