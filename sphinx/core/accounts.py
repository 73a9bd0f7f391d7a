"""Log-in: accounts are made by the owner, never by the visitor; who needs a second factor."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext as _

from sphinx.core.errors import BusinessRuleError
from sphinx.core.models import Company
from sphinx.core.services import record


class StaffAccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

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
        return self._check_password(person, credentials["password"])


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
