"""Messages become tasks; what happens to accounts is written into the audit trail."""

from collections.abc import Callable
from typing import Any

from allauth.account.signals import password_changed, password_reset, user_logged_in
from allauth.mfa.signals import authenticator_added, authenticator_removed, authenticator_reset
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_login_failed
from django.db.models import Q
from django.dispatch import receiver

from sphinx.core.job_events import job_waiting
from sphinx.core.services import record
from sphinx.core.tasks import do_job


@receiver(job_waiting)
def do_soon(job_id: int, **_: Any) -> None:
    """Do it in a worker."""
    do_job.delay(job_id=job_id)


_ON_ACCOUNT = {
    "account.logged_in": user_logged_in,
    "account.password_changed": password_changed,
    "account.password_reset": password_reset,
    "account.factor_added": authenticator_added,
    "account.factor_removed": authenticator_removed,
    "account.codes_renewed": authenticator_reset,
}


def _note(kind: str) -> Callable[..., None]:
    def note(user: Any, **_signal: Any) -> None:
        record(kind, [user], actor=user)

    return note


for _kind, _signal in _ON_ACCOUNT.items():
    _signal.connect(_note(_kind), weak=False)


@receiver(user_login_failed)
def note_failed_login(credentials: dict[str, Any], **_signal: Any) -> None:
    """Of a known account only: what a stranger typed as a name may be a password."""
    typed = credentials.get("username") or credentials.get("email") or ""
    user = User.objects.filter(Q(username=typed) | Q(email__iexact=typed)).first()
    if typed and user:
        record("account.login_failed", [user])
