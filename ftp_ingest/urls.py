from django.urls import path

from ftp_ingest import assistant, pages, questions, views

app_name = "ftp_ingest"
urlpatterns = [
    path("passerelle/deposer/", views.upload, name="upload"),
    path("passerelle/fichiers/<int:file_id>/", views.archived, name="archived"),
    path("passerelle/passages/<int:run_id>/", pages.run, name="run"),
    path("passerelle/passages/<int:run_id>/avancement/", pages.run_progress, name="run_progress"),
    path("passerelle/passages/<int:run_id>/anomalies.csv", pages.run_problems, name="run_problems"),
    path("passerelle/passages/<int:run_id>/annuler/", pages.undo, name="undo"),
    path("passerelle/flux/<int:feed_id>/essai/", pages.probe, name="probe"),
    path("passerelle/quarantaine/<int:row_id>/", pages.mend, name="mend"),
    path("passerelle/questions/", questions.all_shops, name="questions"),
    path("passerelle/questions/<slug:shop_code>/", questions.shop, name="shop_questions"),
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
