"""The guide's pages, as they were built; nothing in them is anybody's data."""

import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

from csp.constants import SELF
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.http.response import HttpResponseRedirect
from django.shortcuts import render
from django.utils._os import safe_join
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from django.views.static import serve

from sphinx.guide.where import guide_url

_INLINE = re.compile(rb"<script>(.*?)</script>", re.DOTALL)


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The guide in the reader's language."""
    return HttpResponseRedirect(guide_url())


@require_safe
def page(request: HttpRequest, language: str, path: str) -> HttpResponseBase:
    """A file of the built guide; a folder is its index."""
    root = settings.GUIDE_DIR / language
    if language not in dict(settings.LANGUAGES):
        raise Http404
    if not root.is_dir():
        return render(request, "guide/not_built.html", {"title": _("Aide")})
    if not path or path.endswith("/"):
        path += "index.html"
    if not path.endswith(".html"):
        return serve(request, path, document_root=str(root))
    return _html(root, path)


def _html(root: Path, path: str) -> HttpResponse:
    """A page with the scripts written in it, and no other, allowed by their hashes.

    The theme sets colours before the first paint by scripts in the page; they are files of ours.
    """
    try:
        body = Path(safe_join(str(root), path)).read_bytes()
    except (OSError, ValueError) as error:
        raise Http404 from error
    response = HttpResponse(body)
    hashes = {f"'sha256-{b64encode(sha256(s).digest()).decode()}'" for s in _INLINE.findall(body)}
    response._csp_update = {"script-src": [SELF, *sorted(hashes)]}  # type: ignore[attr-defined]
    return response
