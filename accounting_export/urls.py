from django.urls import path

from accounting_export import views

app_name = "accounting_export"
urlpatterns = [
    path("comptabilite/export/", views.export, name="export"),
    path("comptabilite/export/<int:batch_id>/", views.download, name="download"),
]
