"""What fails for good is kept, seen, sent again and closed."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from celery import current_app, shared_task
from django.contrib.auth.models import Group, User
from django.db import OperationalError
from django.test import Client

from sphinx.core import clock
from sphinx.core.dead_letters import place_of, purge_letters, put_away, send_again, set_aside
from sphinx.core.errors import ConflictError, InputError, TransientError
from sphinx.core.jobs import start_job
from sphinx.core.models import AuditEvent, DeadLetter, Job
from sphinx.core.reliable import PASSING, ReliableTask
from sphinx.core.tasks import do_job
from sphinx.dashboard.roles import ensure_roles
from tests.support.apart import environment
from tests.support.machines import run_apart

pytestmark = pytest.mark.django_db


def person(role: str = "") -> User:
    """Somebody of the firm, with a role or none."""
    ensure_roles()
    made = User.objects.create_user("lea", is_staff=True)
    made.groups.set(Group.objects.filter(name=role))
    return made


_fails = {"with": None}


@shared_task(label="Essai")
def fragile(*, number: int, **_extra: Any) -> None:
    """Fails as the test says."""
    if _fails["with"] is not None:
        raise _fails["with"]


@pytest.fixture(autouse=True)
def _mended() -> Iterator[None]:
    yield
    _fails["with"] = None


def test_what_fails_is_kept_once_and_counted() -> None:
    _fails["with"] = ValueError("Léa Martin, lea@exemple.fr")

    fragile.delay(number=1)
    fragile.delay(number=1)
    fragile.delay(number=2)

    first, second = DeadLetter.objects.order_by("pk")
    assert (first.kwargs, first.failures) == ({"number": 1}, 2)
    assert (second.kwargs, second.failures) == ({"number": 2}, 1)


def test_a_letter_says_the_error_and_the_place_but_not_its_words() -> None:
    _fails["with"] = ValueError("Léa Martin, lea@exemple.fr")

    fragile.delay(number=1)

    letter = DeadLetter.objects.get()
    assert letter.error == "ValueError"
    assert letter.place.startswith("tests/core/test_dead_letters.py:")
    assert "Léa" not in str(letter.__dict__)


def test_what_we_foresaw_says_its_sentence() -> None:
    assert place_of(TransientError("Le serveur ne répond pas.")) == "Le serveur ne répond pas."


def test_the_same_message_that_goes_well_closes_its_letter() -> None:
    _fails["with"] = ValueError()
    fragile.delay(number=1)
    _fails["with"] = None

    fragile.delay(number=2)
    assert DeadLetter.objects.get().status == DeadLetter.Status.OPEN
    fragile.delay(number=1)

    assert DeadLetter.objects.get().status == DeadLetter.Status.SETTLED


def test_sent_again_it_stays_until_it_goes_well(django_capture_on_commit_callbacks: Any) -> None:
    _fails["with"] = ValueError()
    fragile.delay(number=1)
    letter = DeadLetter.objects.get()
    actor = person()

    with django_capture_on_commit_callbacks(execute=True):
        send_again(letter.pk, actor=actor)
    letter.refresh_from_db()
    assert (letter.status, letter.failures) == (DeadLetter.Status.OPEN, 2)
    _fails["with"] = None
    with django_capture_on_commit_callbacks(execute=True):
        send_again(letter.pk, actor=actor)

    letter.refresh_from_db()
    assert letter.status == DeadLetter.Status.SETTLED
    assert AuditEvent.objects.filter(kind="letter.sent_again", actor=actor).count() == 2


def test_what_is_closed_is_neither_sent_nor_put_away_again() -> None:
    letter = set_aside(fragile.name, {"number": 1}, error="ValueError", place="")
    put_away(letter.pk, actor=None)

    for act in (send_again, put_away):
        with pytest.raises(ConflictError):
            act(letter.pk, actor=None)


def test_a_task_of_another_version_is_not_sent() -> None:
    letter = set_aside("jadis.tasks.disparue", {}, error="ValueError", place="")

    with pytest.raises(InputError, match=r"jadis\.tasks\.disparue"):
        send_again(letter.pk, actor=None)


def test_closed_letters_are_forgotten_and_open_ones_kept() -> None:
    old = clock.now() - timedelta(days=100)
    kept = set_aside(fragile.name, {"number": 1}, error="ValueError", place="")
    gone = set_aside(fragile.name, {"number": 2}, error="ValueError", place="")
    put_away(gone.pk, actor=None)
    DeadLetter.objects.update(first_failed_at=old, last_failed_at=old)
    DeadLetter.objects.filter(pk=gone.pk).update(settled_at=old)

    assert purge_letters() == 1
    assert DeadLetter.objects.get() == kept


def test_work_that_failed_can_be_done_again(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    from invoicing import jobs

    def broken(*_args: Any, **_kwargs: Any) -> None:
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr(jobs, "notes_ready_to_invoice", broken)
        with django_capture_on_commit_callbacks(execute=True):
            start_job("invoicing.issue", actor=person())
    assert Job.objects.get().status == Job.Status.FAILED
    letter = DeadLetter.objects.get()
    assert letter.task == do_job.name

    with django_capture_on_commit_callbacks(execute=True):
        send_again(letter.pk, actor=None)

    assert Job.objects.get().status == Job.Status.DONE
    assert DeadLetter.objects.get().status == DeadLetter.Status.SETTLED


def test_every_task_of_ours_is_reliable_and_has_a_name_people_understand() -> None:
    import sphinx.urls  # noqa: F401 (all apps' tasks are loaded)

    current_app.loader.import_default_modules()
    ours = [task for name, task in current_app.tasks.items() if ".tasks." in name]

    assert len(ours) > 30
    for task in ours:
        assert isinstance(task, ReliableTask), task.name
        assert task.autoretry_for == PASSING, task.name
        assert task.retry_jitter, task.name
        assert task.acks_late, task.name
        assert str(task.label), task.name


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_site_that_has_done_no_task_yet_knows_them_all(tmp_path: Path) -> None:
    """The list and the button work in a process that only serves pages."""
    told = run_apart(
        environment(tmp_path, DEBUG="1"),
        "from sphinx.core.dead_letters import label_of_task\n"
        "print(label_of_task('invoicing.tasks.exchange_with_platform'))",
    )

    assert told.strip() == "Échanger avec la plateforme"


def test_what_beat_asks_for_exists() -> None:
    current_app.loader.import_default_modules()

    for entry in current_app.conf.beat_schedule.values():
        assert entry["task"] in current_app.tasks


def test_a_database_that_goes_away_is_worth_another_try() -> None:
    assert issubclass(OperationalError, PASSING)


def test_the_operator_sends_again_from_the_list(
    client: Client, django_capture_on_commit_callbacks: Any
) -> None:
    letter = set_aside(fragile.name, {"number": 7}, error="ValueError", place="x.py:1 f")
    client.force_login(person("Exploitant"))
    url = "/admin/core/deadletter/"
    page = client.get(url).content.decode()
    assert "Essai (number 7)" in page

    with django_capture_on_commit_callbacks(execute=True):
        client.post(url, {"action": "send_again", "_selected_action": [letter.pk]})

    letter.refresh_from_db()
    assert letter.status == DeadLetter.Status.SETTLED


def test_who_may_not_see_them_sees_none(client: Client) -> None:
    client.force_login(person("Ventes"))

    assert client.get("/admin/core/deadletter/").status_code == 403
