"""Log-in: accounts are made by the owner, never by the visitor; who needs a second factor."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from allauth.mfa.stages import AuthenticateStage
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from sphinx.core.errors import BusinessRuleError
from sphinx.core.models import Company
from sphinx.core.services import record

_BY_PROVIDER = "second_factor_by_provider"


class StaffAccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_login_stages(self) -> list[str]:
        """The package's, but a second factor given to the identity provider isn't asked twice."""
        own = {"allauth.mfa.stages.AuthenticateStage": "sphinx.core.accounts.SecondFactorStage"}
        return [own.get(stage, stage) for stage in super().get_login_stages()]

    def pre_login(self, request: HttpRequest, user: Any, **hook: Any) -> HttpResponse | None:
        """A passkey opens no more than a password does."""
        is_by_provider = "by" in (hook["signal_kwargs"] or {})
        if not is_by_provider and not may_use_password(user):
            messages.error(request, _("Connectez-vous avec %s.") % settings.OIDC_NAME)
            return redirect("account_login")
        answer: HttpResponse | None = super().pre_login(request, user, **hook)
        return answer

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Tries are counted by person, whether by name or by e-mail."""
        typed = typed_name(credentials)
        person = person_named(typed)
        name = person.username if person else typed
        key: str = super()._get_login_attempts_cache_key(request, username=name)
        return key


class AccountBackend(AuthenticationBackend):
    """One person is looked for and one password hashed at each try, whoever is or isn't known.

    So an answer takes as long for a name as for an e-mail, known or not.
    """

    def _authenticate(self, request: HttpRequest | None, **credentials: Any) -> Any:
        person = person_named(typed_name(credentials))
        if person and not may_use_password(person):
            person = None
        return self._check_password(person, credentials["password"])


class SecondFactorStage(AuthenticateStage):
    def _should_handle(self, request: HttpRequest) -> bool:
        given = second_factor_by_provider(request, self.login.user)
        return not given and bool(super()._should_handle(request))


def has_provider() -> bool:
    """Whether the environment names an identity provider."""
    return bool(settings.OIDC_ISSUER and settings.OIDC_CLIENT_ID)


def may_use_password(user: User) -> bool:
    """Whether a password or passkey of ours opens the account: `OIDC_ONLY` may forbid it."""
    return user.is_superuser or not (settings.OIDC_ONLY and has_provider())


def typed_name(credentials: dict[str, Any]) -> str:
    """What somebody typed for who they are."""
    return str(credentials.get("username") or credentials.get("email") or "")


def person_named(typed: str) -> User | None:
    """The one person of that name or e-mail; an e-mail that several have is nobody's."""
    if not typed or "\0" in typed:
        return None
    found = User.objects.filter(Q(username__iexact=typed) | Q(email__iexact=typed))
    people = list(found.order_by("pk"))
    by_name = [p for p in people if p.username == typed] or [
        p for p in people if p.username.lower() == typed.lower()
    ]
    active = [p for p in people if p.is_active]
    for some in (by_name, people, active):
        if len(some) == 1:
            return some[0]
    return None


def note_second_factor_by_provider(request: HttpRequest, user: User) -> None:
    """The identity provider asked this person for a second factor; kept as long as the session."""
    request.session[_BY_PROVIDER] = user.pk


def second_factor_by_provider(request: HttpRequest, user: Any) -> bool:
    """Whether it did, in this session."""
    return bool(user and user.pk) and request.session.get(_BY_PROVIDER) == user.pk


def lacks_second_factor(user: Any) -> bool:
    """Whether a role of the user needs a second factor and none is set up."""
    if not user.is_authenticated:
        return False
    wanted = Company.second_factor_roles.through.objects.filter(group__user=user)
    if not wanted.exists():
        return False
    from allauth.mfa.utils import is_mfa_enabled

    return not is_mfa_enabled(user)


@transaction.atomic
def end_sessions(user: User, *, actor: Any = None) -> int:
    """End every session of a person; returns how many there were.

    Raises:
        BusinessRuleError: a super-user's are ended by a super-user only.
    """
    if user.is_superuser and actor is not None and not actor.is_superuser:
        raise BusinessRuleError(
            _("%s est super-utilisateur : seul un autre peut fermer ses sessions.") % user,
            code="account.above",
        )
    sessions = list(UserSession.objects.filter(user=user))
    for session in sessions:
        session.end()
    record("account.sessions_ended", [user], actor=actor, sessions=len(sessions))
    return len(sessions)
