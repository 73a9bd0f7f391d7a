"""What each request and answer goes through.

What is kept by nobody, what is no text, the language a person chose, the second factor,
Content-Security-Policy (a little wider under /admin/).
"""

import logging
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

from csp.constants import SELF
from csp.middleware import CSPMiddleware
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.utils import translation
from django.utils.translation import gettext as _

from sphinx.core.accounts import lacks_second_factor, second_factor_by_provider
from sphinx.core.pages import away
from sphinx.core.typed import key_of

logger = logging.getLogger(__name__)


class NoStoreMiddleware:
    """What the site answers is kept by no browser, proxy or disk between: people share machines.

    The program's own files (styles, scripts, pictures) are served before it and may be kept.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response["Cache-Control"] = "no-store"
        return response


class TypedAddressMiddleware:
    """What no page of ours ever asks for is refused once, so that no page and no service has to.

    A NUL (400): no keyboard types one, no database keeps one. In the workshop a field without a
    name and a year that no calendar has (400), and a row by what is no key (404).
    Anywhere a row that isn't there (404).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, _view: Any, args: Any, kwargs: dict[str, Any]
    ) -> HttpResponseBase | None:
        """After the form's token was asked for: who has none isn't read."""
        typed = [request.path_info, *_texts(request.GET), *_texts(request.POST)]
        is_odd = any("\0" in text for text in typed)
        if request.path.startswith("/admin/"):
            rows = [*args, *(key for name, key in kwargs.items() if name.endswith("id"))]
            if not all(key_of(str(key)) for key in rows):
                raise Http404
            is_odd |= "" in (request.GET.get("_to_field"), request.POST.get("_to_field"))
            is_odd |= any(_is_odd_date(name, text) for name, text in request.GET.items())
        if not is_odd:
            return None
        language = {"LANGUAGE_CODE": translation.get_language()}
        return HttpResponse(render_to_string("core/no_text.html", language), status=400)

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        """A row that a form or an address names, and that isn't there (any more), is a 404."""
        if isinstance(exception, ObjectDoesNotExist):
            logger.warning("row not there", exc_info=exception)
            raise Http404 from exception


def _is_odd_date(name: str, text: Any) -> bool:
    """True for a part of a date that no calendar has, in what a list is filtered by."""
    if name.rpartition("__")[2] not in ("year", "month", "day"):
        return False
    return not 0 < (key_of(text) or 0) < date.max.year


def _texts(values: QueryDict) -> Iterator[str]:
    for name, given in values.lists():
        yield name
        yield from given


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


class OutageMiddleware:
    """A page that needs what is away or full (database, disk, Redis, mail) says so."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponseBase | None:
        """503 with a sentence; whatever else goes wrong is none of ours."""
        return away(exception)


class SecondFactorMiddleware:
    """Whoever has a role that needs a second factor sets one up before anything else."""

    # What must work without: setting it up, leaving, the language, the guide, what watches.
    OPEN = (*"/compte/ /langue/ /aide/ /healthz /readyz /metrics".split(), settings.STATIC_URL)

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path.startswith(self.OPEN) and self._lacks_one(request):
            messages.warning(request, _("Votre rôle demande un second facteur : choisissez-le."))
            return redirect("mfa_index")
        return self.get_response(request)

    def _lacks_one(self, request: HttpRequest) -> bool:
        given = second_factor_by_provider(request, request.user)
        return not given and lacks_second_factor(request.user)


class ContentSecurityPolicyMiddleware(CSPMiddleware):
    """The back-office's Alpine evaluates expressions; no other page may."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if request.path.startswith("/admin/"):
            response._csp_update = {"script-src": [SELF, "'unsafe-eval'"]}  # type: ignore[attr-defined]
        return super().process_response(request, response)
