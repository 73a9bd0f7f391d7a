from django.urls import path

from invoicing.views import banking, documents, orders, payouts, platform, receivables

app_name = "invoicing"
urlpatterns = [
    path("paiements/", payouts.providers, name="providers"),
    path("plateforme/", platform.platform, name="platform"),
    path("plateforme/e-reporting/<int:report_id>.xml", platform.report_file, name="report"),
    path("banque/", banking.bank, name="bank"),
    path("factures/a-etablir/", orders.to_invoice, name="to_invoice"),
    path("factures/a-encaisser/", receivables.receivables, name="receivables"),
    path("factures/<int:invoice_id>/reglement/", receivables.receivable, name="receivable"),
    path("factures/<int:invoice_id>/avoir/", receivables.credit, name="credit"),
    path(
        "factures/reprise/<int:order_id>/avoir/",
        orders.credit_elsewhere,
        name="credit_elsewhere",
    ),
    path("factures/acompte/<int:order_id>/", orders.down_payment, name="down_payment"),
    path("documents/commandes/<int:order_id>/pro-forma.pdf", orders.pro_forma, name="pro_forma"),
    path("clients/<int:customer_id>/releve.pdf", receivables.statement, name="statement"),
    path("documents/clotures/<int:closing_id>.pdf", documents.closing_pdf, name="closing_pdf"),
    path("documents/factures/<int:invoice_id>.pdf", documents.invoice_pdf, name="pdf"),
    path(
        "documents/factures/<int:invoice_id>.cii.xml",
        documents.invoice_xml,
        {"syntax": "cii"},
        name="cii",
    ),
    path(
        "documents/factures/<int:invoice_id>.ubl.xml",
        documents.invoice_xml,
        {"syntax": "ubl"},
        name="ubl",
    ),
]
