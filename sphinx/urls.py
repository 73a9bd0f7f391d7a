"""Every address of the site."""

from typing import Any

from allauth.account.decorators import secure_admin_login
from allauth.account.urls import urlpatterns as account_urls
from django.contrib import admin
from django.core.paginator import InvalidPage
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import include, path

from sphinx.core import oidc_views
from sphinx.dashboard import views

admin.autodiscover()
# One log-in for all pages, with its limits on tries and its second factor.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

handler500 = "sphinx.core.pages.failed"


def own_password(request: HttpRequest, extra_context: Any = None) -> HttpResponse:
    """One page to change one's password, with its limit on tries and its line in the trail."""
    return redirect("account_change_password")


_search = admin.site.search  # type: ignore[attr-defined]


def search(request: HttpRequest, extra_context: Any = None) -> HttpResponse:
    """The package's own, whose pages have numbers and an end."""
    try:
        answer: HttpResponse = _search(request, extra_context)
    except InvalidPage as error:
        raise Http404 from error
    return answer


admin.site.search = search  # type: ignore[attr-defined]
admin.site.password_change = own_password  # type: ignore[method-assign,assignment]
admin.site.password_change_done = own_password  # type: ignore[method-assign,assignment]

# Addresses of people are given by the owner: whoever could give themselves a colleague's would be
# taken for the colleague when the identity provider names it.
_account = [found for found in account_urls if "email" not in str(found.name)]
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
    # Of allauth's addresses those that are used: accounts are linked by the log-in, not on a page.
    path("compte/", include(_account)),
    path("compte/2fa/", include("allauth.mfa.urls")),
    path("compte/sessions/", include("allauth.usersessions.urls")),
    path("compte/oidc/", oidc_views.log_in, name="account_provider_login"),
    path("compte/oidc/retour/", oidc_views.come_back, name="account_provider_callback"),
    path("langue/", include("django.conf.urls.i18n")),
    path("admin/", admin.site.urls),
]
