from typing import Any

from django.core.management.base import CommandParser

from ftp_ingest.management.reporting import has_refusals, print_ingest
from ftp_ingest.models import Feed
from ftp_ingest.services import pull_due_feeds
from sphinx.core.errors import InputError
from sphinx.core.management.base import SphinxCommand


class Command(SphinxCommand):
    fills_tables = True
    help = "Relève les flux dus (SFTP, FTPS, FTP, dossier) et intègre ce qui est nouveau."

    def options(self, parser: CommandParser) -> None:
        parser.add_argument("--feed", metavar="CODE", help="un seul flux")
        parser.add_argument("--force", action="store_true", help="sans attendre l'heure")

    def work(self, **options: Any) -> dict[str, Any]:
        code = options["feed"]
        if code and not Feed.objects.filter(code=code, is_active=True).exists():
            raise InputError(f"Aucun flux actif « {code} ».")
        reports = pull_due_feeds(code=code, force=options["force"])
        return {"feeds": [report.as_json() for report in reports]}

    def has_refusals(self, result: dict[str, Any]) -> bool:
        visited = [f for f in result["feeds"] if f["status"] != "locked"]
        return any(f["error"] or has_refusals(f) for f in visited)

    def report(self, result: dict[str, Any]) -> None:
        if not result["feeds"]:
            self.say("Aucun flux n'est dû.")
        for feed in result["feeds"]:
            self.say(f"{feed['feed']} : {feed['status']} {feed['error'] or ''}".rstrip())
            if feed["files"]:
                print_ingest(feed, self.say)
