from django.urls import path

from invoicing import views

app_name = "invoicing"
urlpatterns = [path("documents/factures/<int:invoice_id>.pdf", views.invoice_pdf, name="pdf")]
