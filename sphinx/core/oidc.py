"""OpenID Connect with the firm's identity provider, over allauth's: what it leaves unchecked.

The ID token's signature is always verified, whichever way it came; it must bear the nonce of this
log-in. Only the token is read, never the user-info page. allauth's own sign-up and linking of
accounts aren't reached: `identity.admit` decides.
"""

import hashlib
import hmac
import ipaddress
import logging
from typing import Any, NoReturn
from urllib.parse import urlsplit

import jwt
import requests
from allauth.account.adapter import get_adapter as get_account_adapter
from allauth.account.internal.flows.login import record_authentication
from allauth.account.utils import perform_login
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialLogin, SocialToken
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from sphinx.core.accounts import note_second_factor_by_provider
from sphinx.core.identity import admit, identity

logger = logging.getLogger(__name__)
# Signed with the provider's private key; none that a secret both sides know would do for.
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"]
CLOCK_SECONDS = 60
CONNECT_SECONDS, READ_SECONDS = 5, 10
MAX_BYTES = 1024**2


class ProviderError(OAuth2Error):
    """The provider said what can't be trusted."""


def is_private(url: str) -> bool:
    """Whether nobody between can change what the address answers: HTTPS, or this machine."""
    parts = urlsplit(url)
    if parts.scheme == "https":
        return True
    try:
        return parts.scheme == "http" and ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return parts.scheme == "http" and parts.hostname == "localhost"


def provider_key() -> str:
    """What links are kept under: a person's number means nothing to another provider or client."""
    told = f"{settings.OIDC_ISSUER}\n{settings.OIDC_CLIENT_ID}"
    return f"oidc-{hashlib.sha256(told.encode()).hexdigest()[:32]}"


def read_id_token(token: str, *, keys: dict[str, Any], nonce: str) -> dict[str, Any]:
    """The claims of an ID token that is the provider's, for us, for now and for this log-in.

    Raises:
        ProviderError: it isn't.
    """
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            _key_of(token, keys),
            algorithms=ALGORITHMS,
            issuer=settings.OIDC_ISSUER,
            audience=settings.OIDC_CLIENT_ID,
            leeway=CLOCK_SECONDS,
            options={"require": ["iss", "sub", "aud", "exp", "iat", "nonce"]},
        )
    except (jwt.PyJWTError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ProviderError(f"ID token: {error}") from error
    if not nonce or not hmac.compare_digest(str(claims["nonce"]).encode(), nonce.encode()):
        raise ProviderError("ID token: another log-in's nonce")
    if claims.get("azp", settings.OIDC_CLIENT_ID) != settings.OIDC_CLIENT_ID:
        raise ProviderError("ID token: given to another client")
    longest = SocialAccount._meta.get_field("uid").max_length
    if not 0 < len(claims["sub"]) <= longest or "\0" in claims["sub"]:
        raise ProviderError("ID token: no subject")
    return claims


def _key_of(token: str, keys: dict[str, Any]) -> jwt.PyJWK:
    signing = [
        key for key in jwt.PyJWKSet.from_dict(keys).keys if key.public_key_use in (None, "sig")
    ]
    wanted = jwt.get_unverified_header(token).get("kid")
    for key in signing:
        if key.key_id == wanted or (wanted is None and len(signing) == 1):
            return key
    raise ProviderError("ID token: signed with an unknown key")


class BoundedSession(requests.Session):
    """So many bytes and seconds, and where we asked: a secret follows no redirection."""

    def request(self, *args: Any, **options: Any) -> requests.Response:
        options |= {
            "timeout": (CONNECT_SECONDS, READ_SECONDS),
            "allow_redirects": False,
            "stream": True,
        }
        answer = super().request(*args, **options)
        data = bytearray()
        for chunk in answer.iter_content(64 * 1024):
            data += chunk
            if len(data) > MAX_BYTES:
                answer.close()
                raise ProviderError("the provider's answer is too long")
        answer._content = bytes(data)
        return answer


class FirmAdapter(OpenIDConnectOAuth2Adapter):
    """allauth's, with discovery, token and nonce checked."""

    # Of this log-in; the view that has read the state sets it.
    nonce = ""

    @property
    def openid_config(self) -> dict[str, Any]:
        """What the provider says of itself.

        Raises:
            ProviderError: it is another's, incomplete, or came in the clear.
        """
        if not hasattr(self, "_checked"):
            if not is_private(settings.OIDC_ISSUER):
                raise ProviderError("OIDC_ISSUER isn't HTTPS")
            self._checked = self._get(self.get_provider().server_url)
            if self._checked.get("issuer") != settings.OIDC_ISSUER:
                raise ProviderError("discovery: another issuer than OIDC_ISSUER")
            for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
                if not is_private(str(self._checked.get(name))):
                    raise ProviderError(f"discovery: {name}")
        return self._checked

    def _get(self, url: str) -> dict[str, Any]:
        with BoundedSession() as session:
            answer = session.get(url)
            answer.raise_for_status()
            said = answer.json()
        if not isinstance(said, dict):
            raise ProviderError("no JSON object")
        return said

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        return request.build_absolute_uri(reverse("account_provider_callback"))

    def get_access_token_data(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        try:
            data = super().get_access_token_data(*args, **kwargs)
        except (KeyError, ValueError) as error:
            raise ProviderError("no answer of a token page") from error
        if not isinstance(data, dict) or not isinstance(data.get("id_token"), str):
            raise ProviderError("no ID token")
        return data

    def parse_token(self, data: dict[str, Any]) -> SocialToken:
        """None is kept: nothing is asked of the provider afterwards."""
        return SocialToken(token="")

    def complete_login(
        self, request: HttpRequest, app: SocialApp, token: SocialToken, **kwargs: Any
    ) -> SocialLogin:
        keys = self._get(self.openid_config["jwks_uri"])
        claims = read_id_token(kwargs["response"]["id_token"], keys=keys, nonce=self.nonce)
        # Of the claims allauth gets the one it looks the link up by.
        known = {"id_token": {"sub": claims["sub"]}}
        login: SocialLogin = self.get_provider().sociallogin_from_response(request, known)
        login.claims = claims
        return login


class FirmProvider(OpenIDConnectProvider):
    oauth2_adapter_class = FirmAdapter

    def extract_extra_data(self, data: dict[str, Any]) -> dict[str, Any]:
        """Nothing is kept of a person but the link."""
        return {}


class FirmSocialAdapter(DefaultSocialAccountAdapter):
    """One provider, that of the environment; what comes of a log-in by it."""

    def get_provider(self, request: HttpRequest, provider: str, client_id: Any = None) -> Any:
        app = SocialApp(
            provider=FirmProvider.id,
            provider_id=provider_key(),
            name=settings.OIDC_NAME,
            client_id=settings.OIDC_CLIENT_ID,
            secret=settings.OIDC_CLIENT_SECRET,
            # Appended to, not joined: an issuer may have a path.
            settings={
                "server_url": settings.OIDC_ISSUER.rstrip("/"),
                "oauth_pkce_enabled": True,
                "scope": settings.OIDC_SCOPES,
            },
        )
        return FirmProvider(request, app=app)

    def get_requests_session(self) -> requests.Session:
        return BoundedSession()

    def on_authentication_error(
        self, request: HttpRequest, provider: Any, exception: Any = None, **_said: Any
    ) -> NoReturn:
        """Back to the log-in; what the provider answered isn't logged, it may hold a token."""
        known = isinstance(exception, ProviderError)
        said = str(exception) if known else type(exception).__name__
        logger.warning("log-in by the identity provider failed: %s", said)
        raise ImmediateHttpResponse(refusal(request, "failed"))

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> NoReturn:
        """In, or back to the log-in; never on to a sign-up."""
        admission = admit(identity(sociallogin.claims, provider_key()))
        if admission.user is None:
            raise ImmediateHttpResponse(refusal(request, admission.reason))
        raise ImmediateHttpResponse(_let_in(request, admission.user, sociallogin))


def _let_in(request: HttpRequest, user: User, login: SocialLogin) -> HttpResponse:
    if request.user.is_authenticated:
        get_account_adapter(request).logout(request)
    if did_second_factor(login.claims):
        note_second_factor_by_provider(request, user)
    record_authentication(request, user, "socialaccount", provider=str(settings.OIDC_NAME))
    answer: HttpResponse = perform_login(
        request,
        user,
        email_verification="none",
        redirect_url=login.get_redirect_url(request),
        signal_kwargs={"by": str(settings.OIDC_NAME)},
    )
    return answer


def did_second_factor(claims: dict[str, Any]) -> bool:
    """Whether the token names a way (amr, acr) that OIDC_SECOND_FACTOR counts as one."""
    said = claims.get("amr")
    ways = {str(way) for way in said} if isinstance(said, list) else set()
    return bool({*ways, str(claims.get("acr", ""))} & set(settings.OIDC_SECOND_FACTOR))


def refusal(request: HttpRequest, reason: str) -> HttpResponse:
    """Back to the log-in, with the reason."""
    name = {"name": settings.OIDC_NAME}
    texts = {
        "failed": _("La connexion avec %(name)s n'a pas abouti : recommencez."),
        "unreachable": _("%(name)s ne répond pas : réessayez, ou connectez-vous par mot de passe."),
        "inactive": _("Ce compte est désactivé."),
        "super_user": _("Un super-utilisateur se connecte par mot de passe."),
        "unverified": _("%(name)s n'a pas vérifié votre adresse e-mail : demandez-le-lui."),
        "ambiguous": _("Plusieurs comptes ont votre adresse e-mail : voyez avec le gérant."),
        "too_many_groups": _("%(name)s ne dit pas vos groupes, trop nombreux : voyez le gérant."),
    }
    none = _("Votre compte %(name)s n'ouvre pas Sphinx : demandez un rôle au gérant.")
    messages.error(request, texts.get(reason, none) % name)
    return redirect("account_login")
