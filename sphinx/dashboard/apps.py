from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class DashboardConfig(AppConfig):
    name = "sphinx.dashboard"
    label = "dashboard"
    verbose_name = _("Tableau de bord")

    def ready(self) -> None:
        from sphinx.core.sealing import seal_after_migrate
        from sphinx.core.triggers import refuse_truncate
        from sphinx.dashboard import deploy_checks  # noqa: F401 (registers itself)
        from sphinx.dashboard.roles import ensure_roles
        from sphinx.dashboard.rollup_triggers import ensure_triggers

        post_migrate.connect(ensure_roles, sender=self)
        post_migrate.connect(ensure_triggers, sender=self)
        post_migrate.connect(refuse_truncate, sender=self)
        post_migrate.connect(seal_after_migrate, sender=self)
