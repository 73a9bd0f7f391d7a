"""Long work: done once, seen moving, stopped, taken over, told plainly."""

import zipfile
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from invoicing.models import Invoice
from invoicing.services import issue_invoices
from sales.models import Order
from sphinx.core import admin_tools, clock, jobs
from sphinx.core.jobs import Deed, Work, run_job, start_job, stop_job
from sphinx.core.models import Job
from sphinx.core.tasks import do_lost_jobs, purge_files
from tests.factories import NOON, line, placed, shipped
from tests.test_stock_pages import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def at_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_PAUSE", 0)


@pytest.fixture
def somebody() -> User:
    return User.objects.create_user("lea", is_staff=True)


def a_kind(monkeypatch: pytest.MonkeyPatch, run: Any) -> str:
    monkeypatch.setitem(jobs._kinds, "test.kind", jobs.Kind("test.kind", "Essai", "sales.x", run))
    return "test.kind"


def test_it_is_done_once_however_often_its_message_comes(
    monkeypatch: pytest.MonkeyPatch, somebody: User
) -> None:
    calls = []

    def run(work: Work, *, actor: User, **params: Any) -> str:
        calls.append((actor, params))
        return "Fait."

    asked = start_job(a_kind(monkeypatch, run), actor=somebody, ids=[1, 2])
    assert run_job(asked.pk)
    assert not run_job(asked.pk)
    asked.refresh_from_db()
    assert calls == [(somebody, {"ids": [1, 2]})]
    assert (asked.status, asked.outcome) == (Job.Status.DONE, "Fait.")
    assert asked.ended_at


def test_who_died_is_taken_over_and_who_is_alive_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, somebody: User
) -> None:
    asked = start_job(a_kind(monkeypatch, lambda work, **_: "Fait."), actor=somebody)
    Job.objects.filter(pk=asked.pk).update(status="running", heartbeat_at=clock.now())
    do_lost_jobs()
    asked.refresh_from_db()
    assert asked.status == Job.Status.RUNNING
    Job.objects.filter(pk=asked.pk).update(heartbeat_at=clock.now() - timedelta(minutes=6))
    do_lost_jobs()
    asked.refresh_from_db()
    assert asked.status == Job.Status.DONE


def test_a_lost_message_is_sent_again(monkeypatch: pytest.MonkeyPatch, somebody: User) -> None:
    asked = start_job(a_kind(monkeypatch, lambda work, **_: "Fait."), actor=somebody)
    do_lost_jobs()
    assert Job.objects.get().status == Job.Status.WAITING
    Job.objects.update(asked_at=clock.now() - timedelta(minutes=2))
    do_lost_jobs()
    asked.refresh_from_db()
    assert asked.status == Job.Status.DONE


def test_stopped_between_two_steps_the_rest_is_left(
    monkeypatch: pytest.MonkeyPatch, somebody: User
) -> None:
    done = []

    def run(work: Work, **_: Any) -> str:
        work.of(5)
        for n in range(5):
            done.append(n)
            if n == 2:
                stop_job(work.job.pk)
            work.step()
        return "Fait."

    asked = start_job(a_kind(monkeypatch, run), actor=somebody)
    run_job(asked.pk)
    asked.refresh_from_db()
    assert done == [0, 1, 2]
    assert (asked.status, asked.done) == (Job.Status.STOPPED, 3)
    assert "3 sur 5" in asked.outcome


def test_what_nobody_foresaw_is_told_to_who_asked_and_to_the_log(
    monkeypatch: pytest.MonkeyPatch, somebody: User
) -> None:
    def run(work: Work, **_: Any) -> str:
        raise ZeroDivisionError

    asked = start_job(a_kind(monkeypatch, run), actor=somebody)
    with pytest.raises(ZeroDivisionError):
        run_job(asked.pk)
    asked.refresh_from_db()
    assert asked.status == Job.Status.FAILED
    assert "erreur imprévue" in asked.outcome


def test_files_go_after_a_month_and_the_report_stays(
    monkeypatch: pytest.MonkeyPatch, somebody: User
) -> None:
    def run(work: Work, **_: Any) -> str:
        work.file("x.txt").write_text("x")
        return "Fait."

    asked = start_job(a_kind(monkeypatch, run), actor=somebody)
    run_job(asked.pk)
    purge_files()
    asked.refresh_from_db()
    kept = jobs.folder_of(asked)
    assert kept.read_text() == "x"
    Job.objects.update(ended_at=clock.now() - timedelta(days=31))
    purge_files()
    asked.refresh_from_db()
    assert not kept.exists()
    assert (asked.file_name, asked.outcome) == ("", "Fait.")


# --- Deeds on many rows --------------------------------------------------------------------------


def _acting(client: Client, action: str, rows: Any) -> Any:
    return client.post(
        "/admin/sales/order/", {"action": action, "_selected_action": [r.pk for r in rows]}
    )


def test_few_rows_are_done_at_once_and_many_by_a_worker_with_a_report(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    client = signed_in("Gérant")
    orders = [placed(str(n), line("A"), payment_status="unpaid") for n in range(4)]
    assert _acting(client, "confirm", orders[:1]).url.startswith("/admin/sales/order/")
    monkeypatch.setattr(admin_tools, "AT_ONCE", 2)
    Order.objects.filter(pk=orders[3].pk).update(status="cancelled", cancelled_at=NOON)
    with django_capture_on_commit_callbacks(execute=True):
        answer = _acting(client, "confirm", orders[1:])
    asked = Job.objects.get()
    assert answer.url == f"/travaux/{asked.pk}/"
    page = client.get(answer.url).content.decode()
    assert "2 commandes confirmées" in page
    assert "est annulée" in page
    assert (asked.status, asked.done, asked.total, asked.refused_count) == ("done", 3, 3, 1)
    assert Order.objects.filter(status="confirmed").count() == 3
    told = client.get(f"/travaux/{asked.pk}/refus.csv").content.decode("utf-8-sig")
    assert told.splitlines()[1].startswith("3;")


def test_taken_over_it_goes_on_where_the_dead_one_was_seen(somebody: User) -> None:
    done: list[int] = []
    item = Deed("test.deed", "Essai", "x", Order, lambda pk, _actor: done.append(pk), "%(count)s")
    jobs.deed(item)
    asked = start_job("test.deed", actor=somebody, ids=[1, 2, 3, 4])
    refused = [{"subject": "1", "reason": "Non."}]
    Job.objects.filter(pk=asked.pk).update(done=2, refused=refused, refused_count=1)
    run_job(asked.pk)
    asked.refresh_from_db()
    assert done == [3, 4]
    # Three done, and the one that the dead worker was refused is still told.
    assert (asked.outcome, asked.done, asked.refused) == ("3", 4, refused)


# --- Kinds of work -------------------------------------------------------------------------------


def test_all_that_left_is_invoiced(django_capture_on_commit_callbacks: Any) -> None:
    for n in range(3):
        shipped(str(n), line("A"))
    client = signed_in("Gérant")
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post("/factures/a-etablir/", {"verb": "all"})
    assert "3 factures émises." in client.get(answer.url).content.decode()
    assert Invoice.objects.count() == 3


def test_pdfs_are_packed_and_only_for_who_may_see_invoices(
    django_capture_on_commit_callbacks: Any, settings: Any
) -> None:
    issue_invoices(note_ids=[shipped(str(n), line("A")).pk for n in range(2)], at=NOON)
    client = signed_in("Comptable")
    with django_capture_on_commit_callbacks(execute=True):
        client.post(
            "/admin/invoicing/invoice/",
            {"action": "take_pdfs", "_selected_action": [i.pk for i in Invoice.objects.all()]},
        )
    asked = Job.objects.get()
    answer: Any = client.get(f"/travaux/{asked.pk}/fichier")
    package = zipfile.ZipFile(BytesIO(b"".join(answer.streaming_content)))
    assert sorted(package.namelist()) == sorted(f"{i.number}.pdf" for i in Invoice.objects.all())
    assert Path(settings.DATA_DIR, "travaux", str(asked.pk)).is_dir()
    assert signed_in("Entrepôt").get(f"/travaux/{asked.pk}/fichier").status_code == 404


def test_a_long_fec_is_made_by_a_worker(
    django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from accounting_export.services import fec, post_missing
    from sphinx.core.services import company

    firm = company()
    firm.name, firm.siren = "Maison", "404833048"
    firm.save()
    issue_invoices(note_ids=[shipped("1", line("A")).pk], at=NOON)
    post_missing()
    monkeypatch.setattr(fec, "AT_ONCE", 0)
    client = signed_in("Comptable")
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(
            "/comptabilite/fec/", {"year": "2026-12-31", "separator": "TAB", "encoding": "UTF8"}
        )
    page = client.get(answer.url).content.decode()
    assert "lignes écrites, relues et contrôlées" in page
    assert "404833048FEC20261231.txt" in page


# --- Pages ---------------------------------------------------------------------------------------


def test_one_sees_ones_own_work_the_owner_sees_all(
    monkeypatch: pytest.MonkeyPatch, somebody: User
) -> None:
    asked = start_job(a_kind(monkeypatch, lambda work, **_: "Fait."), actor=somebody)
    mine, stranger, owner = Client(), signed_in("Ventes"), signed_in("Gérant")
    mine.force_login(somebody)
    for client, status in ((mine, 200), (owner, 200), (stranger, 404)):
        for page in ("", "avancement.json", "refus.csv"):
            assert client.get(f"/travaux/{asked.pk}/{page}").status_code == status
    assert "Essai" in mine.get("/travaux/").content.decode()
    assert "Essai" not in stranger.get("/travaux/").content.decode()
    assert stranger.post(f"/travaux/{asked.pk}/arreter/").status_code == 404
    assert mine.post(f"/travaux/{asked.pk}/arreter/").status_code == 302
    asked.refresh_from_db()
    assert asked.wants_to_stop
    assert mine.get(f"/travaux/{asked.pk}/avancement.json").json() == {
        "status": "running",
        "done": 0,
        "total": 0,
    }
