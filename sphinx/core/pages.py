"""Our own pages in the back-office's frame."""

import sys
from typing import Any

from csp.constants import SELF
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from sphinx.core.outages import outage_of


def back_office_page(
    request: HttpRequest, template: str, *, title: str, **context: Any
) -> HttpResponse:
    """Render `template` with the side bar and header of the back-office.

    The frame's scripts evaluate expressions: this page's policy allows it, as /admin/ does.
    """
    frame = {**admin.site.each_context(request), "title": title, **context}
    response = render(request, template, frame)
    response._csp_update = {"script-src": [SELF, "'unsafe-eval'"]}  # type: ignore[attr-defined]
    return response


def away(exception: BaseException | None) -> HttpResponse | None:
    """The page that says what is out of order (503), asking nothing of it; None when nothing is."""
    sentence = outage_of(exception)
    return _plain_page(_("Un instant"), sentence, 503) if sentence else None


def failed(_request: HttpRequest) -> HttpResponse:
    """The site's answer to an error that no view caught, an outage before the view included."""
    sentence = _(
        "Quelque chose n'a pas marché ici. L'incident est noté ; rien n'est à moitié fait."
    )
    return away(sys.exc_info()[1]) or _plain_page(_("Erreur"), sentence, 500)


def _plain_page(title: str, sentence: str, status: int) -> HttpResponse:
    shown = {
        "LANGUAGE_CODE": translation.get_language(),
        "title": title,
        "sentence": sentence,
    }
    return HttpResponse(render_to_string("core/away.html", shown), status=status)
