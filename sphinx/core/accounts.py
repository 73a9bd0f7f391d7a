"""Log-in: accounts are made by the owner, never by the visitor; who needs a second factor."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest

from sphinx.core.models import Company
from sphinx.core.services import record


class StaffAccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False


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
    """End every session of a person; returns how many there were."""
    sessions = list(UserSession.objects.filter(user=user))
    for session in sessions:
        session.end()
    record("account.sessions_ended", [user], actor=actor, sessions=len(sessions))
    return len(sessions)
