from django.urls import path

from invoicing import views

app_name = "invoicing"
urlpatterns = [
    path("documents/factures/<int:invoice_id>.pdf", views.invoice_pdf, name="pdf"),
    path(
        "documents/factures/<int:invoice_id>.cii.xml",
        views.invoice_xml,
        {"syntax": "cii"},
        name="cii",
    ),
    path(
        "documents/factures/<int:invoice_id>.ubl.xml",
        views.invoice_xml,
        {"syntax": "ubl"},
        name="ubl",
    ),
]
