"""The language a person chose; Content-Security-Policy, a little wider under /admin/."""

from collections.abc import Callable

from csp.constants import SELF
from csp.middleware import CSPMiddleware
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.utils import translation
from django.utils.translation import gettext as _
from redis.exceptions import RedisError

from sphinx.core.accounts import lacks_second_factor
from sphinx.core.mailing import MailNotSet


class ChosenLanguageMiddleware:
    """French, unless the person chose another language on a page.

    What the browser says it speaks isn't asked: the firm's screens are French.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
        known = chosen in dict(settings.LANGUAGES)
        with translation.override(chosen if known else settings.LANGUAGE_CODE):
            request.LANGUAGE_CODE = translation.get_language()
            response = self.get_response(request)
            # Templates rendered late still speak that language.
            if isinstance(response, TemplateResponse) and not response.is_rendered:
                response.render()
            return response


class BrokerAwayMiddleware:
    """A page that needs Redis while it is away (log-in: its limits are counted there) says so."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponseBase | None:
        """503 with a sentence; whatever else goes wrong is none of ours."""
        if not isinstance(exception, RedisError):
            return None
        language = {"LANGUAGE_CODE": translation.get_language()}
        return HttpResponse(render_to_string("core/away.html", language), status=503)


class MailNotSetMiddleware:
    """A page that should send an e-mail where none can leave (a new password) says so."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponseBase | None:
        """503 with a sentence; whatever else goes wrong is none of ours."""
        if not isinstance(exception, MailNotSet):
            return None
        shown = {"LANGUAGE_CODE": translation.get_language(), "reason": str(exception)}
        return HttpResponse(render_to_string("core/no_mail.html", shown), status=503)


class SecondFactorMiddleware:
    """Whoever has a role that needs a second factor sets one up before anything else."""

    # What must work without: setting it up, leaving, the language, the guide, what watches.
    OPEN = (*"/compte/ /langue/ /aide/ /healthz /readyz /metrics".split(), settings.STATIC_URL)

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path.startswith(self.OPEN) and lacks_second_factor(request.user):
            messages.warning(request, _("Votre rôle demande un second facteur : choisissez-le."))
            return redirect("mfa_index")
        return self.get_response(request)


class ContentSecurityPolicyMiddleware(CSPMiddleware):
    """The back-office's Alpine evaluates expressions; no other page may."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if request.path.startswith("/admin/"):
            response._csp_update = {"script-src": [SELF, "'unsafe-eval'"]}  # type: ignore[attr-defined]
        return super().process_response(request, response)
