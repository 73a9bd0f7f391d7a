"""Content-Security-Policy: strict everywhere, a little wider under /admin/."""

from csp.constants import SELF
from csp.middleware import CSPMiddleware
from django.http import HttpRequest, HttpResponseBase


class ContentSecurityPolicyMiddleware(CSPMiddleware):
    """The back-office's Alpine evaluates expressions; no other page may."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if request.path.startswith("/admin/"):
            response._csp_update = {"script-src": [SELF, "'unsafe-eval'"]}  # type: ignore[attr-defined]
        return super().process_response(request, response)
