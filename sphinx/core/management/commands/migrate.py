from typing import Any

from django.core.management.commands import migrate
from django.db import connections

from sphinx.core.landed import catch_up


class Command(migrate.Command):
    """Django's own, after databases of migrations that landed in parts are brought to today's."""

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["plan"] and not options["check_unapplied"]:
            for name in catch_up(connections[options["database"]]):
                if options["verbosity"]:
                    self.stdout.write(f"  {name} : complétée")
        super().handle(*args, **options)
