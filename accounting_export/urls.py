from django.urls import path

from accounting_export.views import accounts, closing, export

app_name = "accounting_export"
urlpatterns = [
    path("comptabilite/export/", export.export, name="export"),
    path("comptabilite/export/<int:batch_id>/", export.download, name="download"),
    path("comptabilite/clotures/", closing.months, name="months"),
    path("comptabilite/pourquoi/", accounts.why, name="why"),
]
