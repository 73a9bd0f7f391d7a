"""Our own pages in the back-office's frame."""

from typing import Any

from csp.constants import SELF
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


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
