from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.db.models import Count, Max, Sum

from accounting_export.services import export_journal
from customers.models import Customer
from ftp_ingest.models import QuarantinedRow
from ftp_ingest.services import pull_feed
from inventory.models import Product
from invoicing.models import Invoice
from invoicing.services import credit_refunds, issue_shipped, render_pdfs
from purchasing.models import PurchaseOrder
from purchasing.services import propose_orders
from sales.models import DeliveryNote, Order
from sales.selectors import lines_waiting_for_stock, notes_to_ship, orders_ready_to_deliver
from sales.services import prepare_deliveries, render_delivery_pdfs, ship_delivery_notes
from sphinx.core import clock
from sphinx.core.management.base import SphinxCommand
from sphinx.core.money import ZERO, to_cents
from sphinx.core.proofs import run_proofs
from sphinx.demo import installation
from suppliers.models import Supplier
from suppliers.services import load_catalogue

# The newest orders stay to be prepared, so that the warehouse has something to see.
LEFT_TO_PREPARE = timedelta(days=3)


class Command(SphinxCommand):
    help = "La journée d'un marchand, de bout en bout, sur une boutique de démonstration."

    def options(self, parser: CommandParser) -> None:
        """None: the demo is always the same."""

    def work(self, **options: Any) -> dict[str, Any]:
        self._tell = not options["as_json"]
        catalogue = installation.write_files()
        with installation.demo_server() as server:
            feed = installation.install(server)
            self._step(1, f"Catalogue : {catalogue}")
            load_catalogue(path=catalogue, at=clock.now())
            self._step(2, f"Passerelle : deux fichiers relevés par SFTP (127.0.0.1:{server.port})")
            pulled = pull_feed(feed)
        self._say_pulled(pulled.as_json())
        self._step(3, "Réapprovisionnement : commandes fournisseurs proposées")
        proposals = propose_orders(on=clock.today())
        self._step(4, "Livraison : bons de livraison préparés et expédiés")
        notes = _deliver()
        self._step(5, "Facturation : factures numérotées, chaînées, en PDF")
        _invoice()
        self._step(6, "Comptabilité : journal des ventes exporté")
        exports = _export()
        self._step(7, "Preuves : livres vérifiés")
        return _summary(proposals.orders, notes, exports)

    def _step(self, number: int, text: str) -> None:
        if self._tell:
            self.say(f"[{number}/7] {text}")

    def _say_pulled(self, feed: dict[str, Any]) -> None:
        if not self._tell:
            return
        if feed["status"] == "failed":
            self.say(f"      échec : {feed['error']}")
        if feed["status"] == "nothing_new":
            self.say("      rien de nouveau : ces fichiers sont déjà intégrés")
        for issue in feed["issues"]:
            self.say(f"      mis de côté, {issue['file']} : {issue['message']}")

    def has_refusals(self, result: dict[str, Any]) -> bool:
        return not result["verified"]

    def report(self, result: dict[str, Any]) -> None:
        self.say()
        self.say("Ce que contient maintenant la démonstration")
        for label, value in result["figures"].items():
            self.say(f"  {label:<34}{value:>12}")
        self.say()
        self.say("Fichiers à ouvrir")
        for label, path in result["files"].items():
            self.say(f"  {label:<26}{path}")
        self.say()
        self.say("Et ensuite")
        self.say("  make serve                          le back-office, http://127.0.0.1:8000/")
        self.say(f"  .venv/bin/python manage.py trace {result['example']}   la vie d'une commande")
        self.say("  .venv/bin/python manage.py verify        les preuves, une à une")
        self.say(f"  Connexions de démonstration : {installation.logins_file()}")


def _deliver() -> list[DeliveryNote]:
    newest = Order.objects.aggregate(newest=Max("placed_at"))["newest"]
    if newest is None:
        return []
    at = clock.now()
    ready = orders_ready_to_deliver().filter(placed_at__lt=newest - LEFT_TO_PREPARE)
    prepare_deliveries(order_ids=list(ready.values_list("pk", flat=True)), at=at)
    shipped = ship_delivery_notes(
        note_ids=list(notes_to_ship().values_list("pk", flat=True)), at=at
    )
    render_delivery_pdfs(note.pk for note in shipped)
    return shipped


def _invoice() -> None:
    at = clock.now()
    issue_shipped(at=at)
    credit_refunds(at=at)
    render_pdfs(Invoice.objects.order_by("pk").values_list("pk", flat=True))


def _export() -> dict[str, Path]:
    """The journal of the financial year, as FEC, CSV and workbook."""
    year = clock.today().year
    start, end = clock.today().replace(month=1, day=1), clock.today().replace(month=12, day=31)
    folder = Path(settings.DATA_DIR) / "exports"
    paths = {
        "fec": folder / f"123456782FEC{year}1231.txt",
        "csv": folder / f"journal-des-ventes-{year}.csv",
        "xlsx": folder / f"journal-des-ventes-{year}.xlsx",
    }
    for code, path in paths.items():
        export_journal(date_from=start, date_to=end, format_code=code, path=path)
    return paths


def _euros(amount: Decimal | None) -> str:
    return f"{to_cents(amount or ZERO):,} €".replace(",", " ").replace(".", ",")


def _summary(
    proposals: list[PurchaseOrder], notes: list[DeliveryNote], exports: dict[str, Path]
) -> dict[str, Any]:
    orders = Order.objects.aggregate(count=Count("pk"), total=Sum("total_incl_tax"))
    invoices = Invoice.objects.aggregate(count=Count("pk"), total=Sum("total_incl_tax"))
    proofs = list(run_proofs())
    data = Path(settings.DATA_DIR)
    example = Order.objects.filter(status=Order.Status.INVOICED).order_by("pk").first()
    first = Invoice.objects.order_by("pk").first()
    note = DeliveryNote.objects.filter(status=DeliveryNote.Status.SHIPPED).order_by("pk").first()
    figures = {
        "articles / fournisseurs": f"{Product.objects.count()} / {Supplier.objects.count()}",
        "clients": Customer.objects.count(),
        "commandes": orders["count"],
        "montant commandé TTC": _euros(orders["total"]),
        "lignes mises de côté": QuarantinedRow.objects.filter(status="open").count(),
        "lignes en attente de stock": lines_waiting_for_stock().count(),
        "commandes fournisseurs proposées": len(proposals),
        "bons de livraison expédiés": DeliveryNote.objects.filter(status="shipped").count(),
        "factures": invoices["count"],
        "montant facturé TTC": _euros(invoices["total"]),
        "nouveaux bons ce passage": len(notes),
        "preuves": f"{sum(p.ok for p in proofs)}/{len(proofs)} bonnes",
    }
    files = {
        "fichiers de la boutique": str(installation.shop_folder()),
        "catalogue": str(installation.demo_folder() / "catalogue.csv"),
        "archive de la passerelle": str(data / "archive"),
        "une facture": str(data / first.pdf.path) if first else "",
        "les factures": str(data / "documents" / "factures"),
        "un bon de livraison": str(
            data / "documents" / "livraisons" / str(note.created_at.year) / f"{note.number}.pdf"
        )
        if note
        else "",
        "journal, FEC": str(exports["fec"]),
        "journal, CSV": str(exports["csv"]),
        "journal, Excel": str(exports["xlsx"]),
    }
    return {
        "figures": figures,
        "files": files,
        "example": example.number if example else "",
        "verified": all(p.ok for p in proofs),
    }
