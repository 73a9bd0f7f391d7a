from django.urls import path

from ftp_ingest import assistant, views

app_name = "ftp_ingest"
urlpatterns = [
    path("passerelle/deposer/", views.upload, name="upload"),
    path("passerelle/fichiers/<int:file_id>/", views.archived, name="archived"),
    path("passerelle/assistant/", assistant.start, name="assistant_start"),
    path(
        "passerelle/assistant/<slug:shop_code>/<slug:sha256>/",
        assistant.assistant,
        name="assistant",
    ),
    path(
        "passerelle/correspondances/<int:dialect_id>/vigueur/",
        assistant.bring_back,
        name="bring_back",
    ),
    path(
        "passerelle/correspondances/<int:dialect_id>/",
        assistant.export_mapping,
        name="export_mapping",
    ),
]
