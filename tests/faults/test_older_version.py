"""A worker, or pages, of the version before: what they don't know stops nothing that they do."""

import inspect
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from accounting_export.models import JournalEntry
from accounting_export.services import post_missing
from invoicing.services import issue_invoices
from sales.models import DeliveryNote
from sphinx.core import clock
from sphinx.core.dead_letters import known_tasks
from sphinx.core.jobs import run_job
from sphinx.core.models import DeadLetter, Job
from tests.factories import line, shipped
from tests.support.machines import assert_proven, celery, send, wait_for


def test_every_task_takes_arguments_that_only_a_later_version_knows() -> None:
    ours = {n: t for n, t in known_tasks().items() if not n.startswith(("celery.", "tests."))}
    assert len(ours) > 20
    deaf = [
        name
        for name, task in ours.items()
        if inspect.Parameter.VAR_KEYWORD
        not in {p.kind for p in inspect.signature(task.run).parameters.values()}
    ]
    assert deaf == []


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_messages_of_another_version_hold_no_other_back(
    environment: dict[str, str], tmp_path: Path
) -> None:
    shipped("1", line("A"))
    issue_invoices(note_ids=list(DeliveryNote.objects.values_list("pk", flat=True)), at=clock.now())
    log = tmp_path / "log"
    with celery(environment, "worker", "--concurrency", "1", log=log) as worker:
        send(environment, "sphinx.core.tasks.of_a_later_version", job_id=1)
        send(environment, "sphinx.core.tasks.do_job")
        send(environment, "sphinx.core.tasks.do_job", job_id="²")
        send(environment, "sphinx.core.tasks.do_job", job_id=999999999, colour="blue")
        send(environment, "accounting_export.tasks.post_missing_entries", since="2026")
        wait_for(JournalEntry.objects.filter(invoice__isnull=False).exists, 60)
        wait_for(lambda: DeadLetter.objects.count() == 2, 30)
        assert worker.poll() is None

    assert "of_a_later_version" in log.read_text()
    errors = set(DeadLetter.objects.values_list("error", flat=True))
    assert errors == {"TypeError", "ValueError"}
    assert_proven()


@pytest.mark.django_db
def test_work_of_a_kind_that_this_version_doesnt_know_has_its_page() -> None:
    """Asked for by pages of the version after, seen by those of the version before."""
    asker = User.objects.create_user("lea", is_staff=True)
    made = Job.objects.create(
        kind="core.later", label="Plus tard", asked_by=asker, asked_at=clock.now(), file_name="x"
    )
    client = Client()
    client.force_login(User.objects.create_superuser("chef"))

    for path in ("", "avancement.json", "refus.csv"):
        assert client.get(f"/travaux/{made.pk}/{path}").status_code == 200
    assert client.get(f"/travaux/{made.pk}/fichier").status_code == 403
    assert client.post(f"/travaux/{made.pk}/arreter/").status_code == 403
    assert client.get("/travaux/").status_code == 200
    run_job(made.pk)
    made.refresh_from_db()
    assert (made.status, made.outcome) == ("failed", "Travail inconnu : core.later.")


@pytest.mark.postgres
@pytest.mark.django_db
def test_columns_that_this_version_doesnt_know_change_nothing() -> None:
    """What a later migration adds has a default of the database's own, or may be null."""
    tables = [n for n in connection.introspection.table_names() if not n.startswith("django_")]
    with connection.cursor() as cursor:
        for name in tables:
            cursor.execute(
                f'ALTER TABLE "{name}" ADD COLUMN "zz_later" varchar(9) NOT NULL DEFAULT \'\', '
                'ADD COLUMN "zz_null" integer'
            )

    shipped("1", line("A"))
    issue_invoices(note_ids=list(DeliveryNote.objects.values_list("pk", flat=True)), at=clock.now())
    post_missing()

    assert JournalEntry.objects.exists()
    assert_proven()
