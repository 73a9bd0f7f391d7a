from django.urls import path

from ftp_ingest import views

app_name = "ftp_ingest"
urlpatterns = [
    path("passerelle/deposer/", views.upload, name="upload"),
    path("passerelle/fichiers/<int:file_id>/", views.archived, name="archived"),
]
