import json
from typing import Any

from django.core.management.base import CommandParser

from sales.selectors import find_orders
from sphinx.core.errors import InputError
from sphinx.core.management.base import SphinxCommand
from sphinx.dashboard.trace import orders_behind, trace_all, trace_orders


class Command(SphinxCommand):
    help = "La vie d'une commande, de la ligne du fichier à la ligne du journal, et retour."

    def options(self, parser: CommandParser) -> None:
        parser.add_argument(
            "order",
            nargs="?",
            metavar="NUMÉRO",
            help="d'une commande, d'un bon de livraison, d'une facture ou d'une écriture",
        )
        parser.add_argument("--shop", metavar="CODE")
        parser.add_argument("--all", action="store_true", help="toutes, une par ligne")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["all"]:
            for order in trace_all():
                if options["as_json"]:
                    self.stdout.write(json.dumps(order, ensure_ascii=False))
                else:
                    self.say(_summary(order))
            return
        super().handle(*args, **options)

    def work(self, **options: Any) -> dict[str, Any] | list[dict[str, Any]]:
        if not options["order"]:
            raise InputError("Dites quelle commande : trace NUMÉRO, ou trace --all.")
        try:
            return trace_orders(find_orders(options["order"], options["shop"]))[0]
        except InputError as error:
            # What a line of the journal names: an entry, an invoice, a delivery note.
            behind = trace_orders(orders_behind(options["order"]))
            if error.code != "order.unknown" or not behind:
                raise
        return behind[0] if len(behind) == 1 else behind

    def report(self, result: dict[str, Any] | list[dict[str, Any]]) -> None:
        for order in result if isinstance(result, list) else [result]:
            self._report(order)

    def _report(self, result: dict[str, Any]) -> None:
        self.say(_summary(result))
        source = result["source"]
        self.say(f"  1 fichier     {source['file']}, ligne {source['line']}")
        self.say(f"                SHA-256 {source['sha256']}")
        for line in result["lines"]:
            self.say(
                f"  2 ligne       {line['quantity']} × {line['sku']} {line['label']} : "
                f"{line['total_incl_tax']} € TTC (TVA {line['tax_rate']} %)"
            )
        for note in result["delivery_notes"]:
            content = ", ".join(f"{ln['quantity']} × {ln['sku']}" for ln in note["lines"])
            self.say(
                f"  3 livraison   {note['number']} "
                f"{note['shipped_at'] or 'en préparation'} : {content}"
            )
        for invoice in result["invoices"]:
            self.say(
                f"  4 facture     {invoice['number']} du {invoice['issued_on']} : "
                f"{invoice['total_incl_tax']} €"
            )
        for entry in result["entries"]:
            self.say(
                f"  5 écriture    {entry['journal']} {entry['piece']} {entry['account']:<10}"
                f"{entry['auxiliary']:<9} D {entry['debit']:>9}  C {entry['credit']:>9}"
            )
        for issue in result["issues"]:
            self.say(f"  ! {issue['message']}")


def _summary(order: dict[str, Any]) -> str:
    return (
        f"{order['number']} ({order['shop']}) {order['status']}, {order['payment_status']}, "
        f"{order['customer']['name']}, {order['total_incl_tax']} € TTC"
    )
