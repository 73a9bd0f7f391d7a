"""Base of the project's commands: people by default, one JSON document with --json."""

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import OperationalError, ProgrammingError

from sphinx.core.bulk import analyse_grown
from sphinx.core.errors import SphinxError
from sphinx.core.outages import outage_of


class SphinxCommand(BaseCommand):
    """Subclasses implement `options`, `work` and `report`.

    `work` returns the JSON document of the contract; `report` prints it for people. Exit
    status: 0 done, 1 when `has_refusals` says so, 2 for an expected error, with one sentence
    on standard error and no traceback.
    """

    requires_migrations_checks = False
    # Whether it may write thousands of rows at once.
    fills_tables = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", dest="as_json", help="un document JSON")
        self.options(parser)

    def options(self, parser: CommandParser) -> None:
        """Declare the command's own arguments."""

    def work(self, **options: Any) -> Any:
        raise NotImplementedError

    def report(self, result: Any) -> None:
        raise NotImplementedError

    def has_refusals(self, result: Any) -> bool:
        return False

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            result = self.work(**options)
            if self.fills_tables:
                analyse_grown()
        except SphinxError as error:
            self.stderr.write(str(error))
            sys.exit(2)
        except (OperationalError, ProgrammingError) as error:
            reason = str(error).strip().splitlines()[0]
            self.stderr.write(
                f"La base de données ne répond pas ou n'est pas à jour ({reason}). "
                "Vérifiez DATABASE_URL, puis lancez « manage.py migrate »."
            )
            sys.exit(2)
        except OSError as error:
            sentence = outage_of(error)
            if not sentence:
                raise
            self.stderr.write(sentence)
            sys.exit(2)
        if options["as_json"]:
            self.stdout.write(json.dumps(result, ensure_ascii=False))
        else:
            self.report(result)
        if self.has_refusals(result):
            sys.exit(1)

    def say(self, text: str = "") -> None:
        self.stdout.write(text)
