from django.urls import path

from sphinx.core import job_views, list_views, mail_views, privacy_views

app_name = "core"
urlpatterns = [
    path("confidentialite/", privacy_views.register, name="privacy"),
    path("confidentialite/clients/<int:customer_id>/", privacy_views.person, name="privacy_person"),
    path(
        "confidentialite/clients/<int:customer_id>/donnees.json",
        privacy_views.take_away,
        name="privacy_file",
    ),
    path(
        "confidentialite/clients/<int:customer_id>/effacer/",
        privacy_views.forget,
        name="privacy_forget",
    ),
    path("reglages/e-mails/", mail_views.page, name="mail"),
    path("reglages/e-mails/essai/", mail_views.test, name="test_mail"),
    path("travaux/", job_views.jobs, name="jobs"),
    path("travaux/<int:pk>/", job_views.page, name="job"),
    path("travaux/<int:pk>/avancement.json", job_views.progress, name="job_progress"),
    path("travaux/<int:pk>/arreter/", job_views.stop, name="stop_job"),
    path("travaux/<int:pk>/fichier", job_views.download, name="job_file"),
    path("travaux/<int:pk>/refus.csv", job_views.refusals, name="job_refusals"),
    path("listes/<str:of_list>/colonnes/", list_views.columns, name="list_columns"),
    path("listes/<str:of_list>/filtres/", list_views.keep, name="keep_filter"),
    path("listes/filtres/<int:pk>/oublier/", list_views.forget, name="forget_filter"),
]
