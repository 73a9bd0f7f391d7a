import sys
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.db import transaction

from ftp_ingest.dialects import find_dialect
from ftp_ingest.management.reporting import has_refusals, print_ingest, show_progress
from ftp_ingest.services import ingest_paths
from ftp_ingest.services.ingest import files_of
from sales.services import begin_history
from sphinx.core.management.base import SphinxCommand
from sphinx.core.models import Shop
from sphinx.core.services import find_shop


class Command(SphinxCommand):
    fills_tables = True
    help = "Lit des fichiers de clients et de commandes, comme le ferait un flux."

    def options(self, parser: CommandParser) -> None:
        parser.add_argument("paths", nargs="+", type=Path, metavar="CHEMIN")
        parser.add_argument("--shop", metavar="CODE")
        parser.add_argument("--dialect", default="auto", metavar="auto|NOM")
        parser.add_argument("--dry-run", action="store_true", help="tout faire, ne rien garder")
        parser.add_argument("--create-shop", action="store_true", help="créer la boutique")
        parser.add_argument(
            "--history-until",
            type=date.fromisoformat,
            metavar="AAAA-MM-JJ",
            help="jour de reprise : les commandes passées jusque-là sont de l'historique",
        )

    def work(self, **options: Any) -> dict[str, Any]:
        files_of(options["paths"])
        if options["dialect"] != "auto":
            find_dialect(options["dialect"])
        with transaction.atomic():
            shop = find_shop(code=options["shop"], create=options["create_shop"])
            if options["history_until"]:
                begin_history(shop_id=shop.pk, until=options["history_until"])
                shop.refresh_from_db()
            if options["dry_run"]:
                report = self._ingest(shop, options)
                transaction.set_rollback(True)
                return report
        return self._ingest(shop, options)

    @staticmethod
    def _ingest(shop: Shop, options: dict[str, Any]) -> dict[str, Any]:
        return ingest_paths(
            shop=shop,
            paths=options["paths"],
            dialect=options["dialect"],
            dry_run=options["dry_run"],
            tell=show_progress if sys.stderr.isatty() else None,
        ).as_json()

    def has_refusals(self, result: dict[str, Any]) -> bool:
        return has_refusals(result)

    def report(self, result: dict[str, Any]) -> None:
        if result["dry_run"]:
            self.say("Essai : rien n'a été gardé.")
        print_ingest(result, self.say)
