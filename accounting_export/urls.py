from django.urls import path

from accounting_export.views import accounts, closing, entries, export, fec, vat

app_name = "accounting_export"
urlpatterns = [
    path("comptabilite/export/", export.export, name="export"),
    path("comptabilite/export/transmettre/", export.send, name="send"),
    path("comptabilite/export/<int:batch_id>/", export.download, name="download"),
    path("comptabilite/export/<int:batch_id>/importe/", export.imported, name="imported"),
    path("comptabilite/export/<int:batch_id>/pieces.zip", export.pieces, name="pieces"),
    path(
        "comptabilite/export/<int:batch_id>/pieces/", export.pieces_progress, name="pieces_progress"
    ),
    path("comptabilite/ecritures/<int:entry_id>/", entries.entry, name="entry"),
    path("comptabilite/clotures/", closing.months, name="months"),
    path("comptabilite/fec/", fec.fec, name="fec"),
    path("comptabilite/fec/<str:name>", fec.download, name="fec_file"),
    path("comptabilite/tva/", vat.returns, name="vat"),
    path("comptabilite/tva/pieces/", vat.documents, name="vat_documents"),
    path("comptabilite/tva/oss.csv", vat.oss_file, name="oss_file"),
    path("comptabilite/tva/etat-recapitulatif.csv", vat.union_file, name="union_file"),
    path("comptabilite/pourquoi/", accounts.why, name="why"),
]
