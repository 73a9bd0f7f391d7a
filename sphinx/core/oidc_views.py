"""To the firm's identity provider and back."""

import logging
import secrets
from typing import Any

from allauth.account.utils import get_login_redirect_url, get_next_redirect_url
from allauth.core import ratelimit
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET
from requests import RequestException

from sphinx.core.accounts import has_provider
from sphinx.core.oidc import FirmAdapter, provider_key, refusal

logger = logging.getLogger(__name__)


@require_GET
def log_in(request: HttpRequest) -> HttpResponse:
    """Send to the provider, with a state, a nonce and a challenge that are this log-in's own.

    By GET: a form that ends at another site would need that site in the page's form-action. Nothing
    of the address but `next` is taken.
    """
    if not has_provider():
        raise Http404
    if request.user.is_authenticated:
        return redirect(get_login_redirect_url(request))
    if limited := ratelimit.consume_or_429(request, action="login", limit_get=True):
        return limited  # type: ignore[no-any-return]
    provider = get_adapter(request).get_provider(request, provider_key())
    nonce = secrets.token_urlsafe(32)
    try:
        answer: HttpResponse = provider.redirect(
            request,
            process="login",
            next_url=get_next_redirect_url(request),
            auth_params={"nonce": nonce},
            nonce=nonce,
        )
    except (OAuth2Error, RequestException, ValueError) as error:
        logger.warning("identity provider: %s", type(error).__name__, exc_info=error)
        return refusal(request, "unreachable")
    return answer


class _Callback(OAuth2CallbackView):
    def _get_state(self, request: HttpRequest, provider: Any) -> Any:
        state, answer = super()._get_state(request, provider)
        self.adapter.nonce = (state or {}).get("nonce", "")
        return state, answer


@require_GET
def come_back(request: HttpRequest) -> HttpResponse:
    """What the provider sends a person back with."""
    if not has_provider():
        raise Http404
    adapter = FirmAdapter(request, provider_key())
    answer: HttpResponse = _Callback.adapter_view(adapter)(request)
    return answer
