"""Builds the guide that /aide/ serves."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from sphinx.guide.building import GuideNotBuilt, build, is_stale


class Command(BaseCommand):
    help = _("Construit le guide (docs/guide) que le site montre sous /aide/.")
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--if-stale", action="store_true", help=_("rien à faire si rien n'a changé")
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["if_stale"] and not is_stale(settings.GUIDE_DIR):
            return
        try:
            build(settings.GUIDE_DIR)
        except GuideNotBuilt as error:
            raise CommandError(str(error)) from error
        self.stdout.write(_("Guide construit : %s") % settings.GUIDE_DIR)
