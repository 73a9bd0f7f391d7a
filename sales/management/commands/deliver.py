from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.core.management.base import CommandParser

from sales.models import DeliveryNote, DeliveryNoteLine
from sales.selectors import (
    find_orders,
    lines_waiting_for_stock,
    missing_quantity,
    notes_to_ship,
    orders_in_doubt,
    orders_ready_to_deliver,
)
from sales.services import prepare_deliveries, render_delivery_pdfs, ship_delivery_notes
from sphinx.core import clock
from sphinx.core.bulk import analyse_grown
from sphinx.core.errors import BusinessRuleError, InputError
from sphinx.core.management.base import SphinxCommand
from sphinx.core.money import plain

BATCH = 200


class Command(SphinxCommand):
    fills_tables = True
    help = "Prépare (et expédie) les bons de livraison de ce qui est prêt."

    def options(self, parser: CommandParser) -> None:
        parser.add_argument("--ready", action="store_true", help="toutes les commandes prêtes")
        parser.add_argument("--order", metavar="NUMÉRO", help="une seule commande")
        parser.add_argument("--ship", action="store_true", help="expédier aussitôt")
        parser.add_argument("--pdf", action="store_true", help="produire les bons en PDF")

    def work(self, **options: Any) -> dict[str, Any]:
        if not options["ready"] and not options["order"]:
            raise InputError("Dites quoi livrer : --ready, ou --order NUMÉRO.")
        only = [o.pk for o in find_orders(options["order"])] if options["order"] else None
        at = clock.now()
        notes = self._prepare(only, at)
        analyse_grown()
        if options["ship"]:
            drafts = notes_to_ship() if only is None else notes_to_ship().filter(order__in=only)
            pending = list(drafts.values_list("pk", flat=True))
            self._ship(pending, at)
            notes = sorted({*notes, *pending})
        if options["pdf"]:
            render_delivery_pdfs(notes)
        return {"delivery_notes": _notes(notes), "waiting": _waiting(only)}

    @staticmethod
    def _prepare(only: list[int] | None, at: datetime) -> list[int]:
        ready = orders_ready_to_deliver()
        ids = list(
            (ready if only is None else ready.filter(pk__in=only)).values_list("pk", flat=True)
        )
        made: list[int] = []
        for start in range(0, len(ids), BATCH):
            notes = prepare_deliveries(order_ids=ids[start : start + BATCH], at=at)
            made += [note.pk for note in notes]
        return made

    def _ship(self, note_ids: list[int], at: datetime) -> None:
        for start in range(0, len(note_ids), BATCH):
            batch = note_ids[start : start + BATCH]
            try:
                ship_delivery_notes(note_ids=batch, at=at)
            except BusinessRuleError:
                # One note is at fault: the others still leave.
                for note_id in batch:
                    try:
                        ship_delivery_notes(note_ids=[note_id], at=at)
                    except BusinessRuleError as error:
                        self.stderr.write(str(error))

    def report(self, result: dict[str, Any]) -> None:
        for note in result["delivery_notes"]:
            content = ", ".join(f"{ln['quantity']} × {ln['sku']}" for ln in note["lines"])
            self.say(f"{note['number']}  commande {note['order']}  {content}")
        for line in result["waiting"]:
            self.say(
                f"En attente : commande {line['order']}, {line['sku']}, manque {line['missing']}"
            )
        for order in orders_in_doubt():
            self.say(
                f"En attente : commande {order.number}, remboursée de "
                f"{order.refund_asked_incl_tax} € avant de partir : dites de quoi "
                "(Ventes › Écarts avec les boutiques)"
            )
        if not result["delivery_notes"]:
            self.say("Rien à livrer.")


def _notes(note_ids: Iterable[int]) -> list[dict[str, Any]]:
    lines: dict[int, list[dict[str, str]]] = {}
    for note_id, sku, label, quantity in (
        DeliveryNoteLine.objects.filter(delivery_note__in=list(note_ids))
        .order_by("delivery_note_id", "pk")
        .values_list("delivery_note_id", "order_line__sku", "order_line__label", "quantity")
    ):
        lines.setdefault(note_id, []).append({"sku": sku or label, "quantity": plain(quantity)})
    return [
        {"number": number, "order": order, "lines": lines.get(pk, [])}
        for pk, number, order in DeliveryNote.objects.filter(pk__in=list(note_ids))
        .order_by("pk")
        .values_list("pk", "number", "order__number")
    ]


def _waiting(only: list[int] | None) -> list[dict[str, str]]:
    waiting = lines_waiting_for_stock()
    if only is not None:
        waiting = waiting.filter(order__in=only)
    return [
        {"order": ln.order.number, "sku": ln.sku, "missing": plain(missing_quantity(ln))}
        for ln in waiting
    ]
