from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class AccountingExportConfig(AppConfig):
    name = "accounting_export"
    verbose_name = _("Comptabilité")

    def ready(self) -> None:
        from accounting_export.chart import ensure_chart
        from accounting_export.selectors import expense_accounts
        from purchasing.expense_accounts import chart_known

        post_migrate.connect(ensure_chart, sender=self)
        chart_known.append(expense_accounts)
