"""Messages become tasks; what happens to accounts is written into the audit trail."""

from collections.abc import Callable
from typing import Any

from allauth.account.signals import password_changed, password_reset, user_logged_in
from allauth.mfa.signals import authenticator_added, authenticator_removed, authenticator_reset
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_login_failed
from django.db import transaction
from django.dispatch import receiver

from sphinx.core.accounts import person_named, typed_name
from sphinx.core.dead_letters import known_tasks
from sphinx.core.exchange_events import rates_wanted
from sphinx.core.job_events import job_waiting, letter_to_send
from sphinx.core.jobs import ask_again, queue_of
from sphinx.core.models import DeadLetter, Job
from sphinx.core.services import record
from sphinx.core.tasks import do_job, refresh_exchange_rates


@receiver(job_waiting)
def do_soon(job_id: int, **_: Any) -> None:
    """Do it in a worker."""
    job = Job.objects.only("kind").get(pk=job_id)
    do_job.apply_async(kwargs={"job_id": job_id}, queue=queue_of(job))


@receiver(rates_wanted)
def fetch_rates_soon(**_: Any) -> None:
    """The first time without waiting for the evening."""
    refresh_exchange_rates.delay()


@receiver(letter_to_send)
def send_letter(letter_id: int, **_: Any) -> None:
    """Send a task that failed once more; a job that failed waits again first."""
    letter = DeadLetter.objects.get(pk=letter_id)
    if letter.task == do_job.name:
        ask_again(letter.kwargs["job_id"])
        do_soon(**letter.kwargs)
    else:
        known_tasks()[letter.task].apply_async(kwargs=letter.kwargs)


_ON_ACCOUNT = {
    "account.logged_in": user_logged_in,
    "account.password_changed": password_changed,
    "account.password_reset": password_reset,
    "account.factor_added": authenticator_added,
    "account.factor_removed": authenticator_removed,
    "account.codes_renewed": authenticator_reset,
}


def _note(kind: str) -> Callable[..., None]:
    def note(user: Any, by: Any = "", **_signal: Any) -> None:
        """`by` is the identity provider, where one sent the person."""
        record(kind, [user], actor=user, **({"by": str(by)} if by else {}))

    return note


for _kind, _signal in _ON_ACCOUNT.items():
    _signal.connect(_note(_kind), weak=False)


@receiver(user_login_failed)
def note_failed_login(credentials: dict[str, Any], **_signal: Any) -> None:
    """Of a known account only: what a stranger typed as a name may be a password."""
    user = person_named(typed_name(credentials))
    # For a stranger as much is done, and taken back: the answer takes as long.
    with transaction.atomic():
        record("account.login_failed", [user or User(username="?")])
        transaction.set_rollback(user is None)
