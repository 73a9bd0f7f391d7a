"""Every address of the site."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path

from sphinx.dashboard import views

admin.autodiscover()
# One log-in for all pages, with its limits on tries and its second factor.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

handler500 = "sphinx.core.pages.failed"
urlpatterns = [
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("metrics", views.metrics, name="metrics"),
    path("", include("sphinx.dashboard.urls")),
    path("", include("sphinx.core.urls")),
    path("", include("inventory.urls")),
    path("", include("suppliers.urls")),
    path("", include("purchasing.urls")),
    path("", include("sales.urls")),
    path("", include("invoicing.urls")),
    path("", include("accounting_export.urls")),
    path("", include("ftp_ingest.urls")),
    path("", include("sphinx.guide.urls")),
    path("compte/", include("allauth.urls")),
    path("langue/", include("django.conf.urls.i18n")),
    path("admin/", admin.site.urls),
]
