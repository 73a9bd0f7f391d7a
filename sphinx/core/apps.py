from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext_lazy as _


class CoreConfig(AppConfig):
    name = "sphinx.core"
    label = "core"
    verbose_name = _("Réglages")

    def ready(self) -> None:
        from sphinx.core import books, deploy_checks, lookups  # noqa: F401 (register themselves)
        from sphinx.core.admin_links import link_for_readers

        link_for_readers()
        # Each app states what it can prove (proofs.py), what a month's closing asks
        # (month_checks.py), what it holds of people (privacy.py), its long work (jobs.py), what
        # it submits to a second person (approvals.py), what it listens to (receivers.py) and whose
        # orders replenishment learns from (standings.py).
        autodiscover_modules("proofs", "month_checks", "privacy", "jobs", "approvals", "receivers")
        autodiscover_modules("standings")
