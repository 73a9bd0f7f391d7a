"""Long work that a worker does while people go on: seen moving, found again, stopped, told plainly.

Each app registers its kinds of work in jobs.py:

    @job("invoicing.issue", _("Facturer ce qui est parti"), "invoicing.add_invoice")
    def issue(work: Work, *, actor: Any) -> str: ...

A kind may be run twice (a worker dies, a message comes again): what it does must bear that.
"""

import shutil
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.utils.translation import gettext as _

from sphinx.core import clock
from sphinx.core.errors import InputError, SphinxError
from sphinx.core.events import announce
from sphinx.core.files import discard, here, put
from sphinx.core.job_events import job_waiting
from sphinx.core.models import Job
from sphinx.core.reliable import PASSING

# A worker that said nothing for so long is dead.
SILENCE = timedelta(minutes=5)
# A message that was lost is sent again after so long.
LOST_AFTER = timedelta(minutes=1)
# What came out of the work can be fetched for so long.
FILES_KEPT = timedelta(days=30)
MOST_REFUSALS = 1000
# A worker died so often at the same work: another would die as well.
MOST_BEGINNINGS = 5
_PAUSE = 0.5
FOLDER = "travaux"


@dataclass(frozen=True)
class Kind:
    """A kind of long work, who may ask for it, and the function that does it.

    The function returns one sentence that says how it ended.
    """

    code: str
    label: Any
    permission: str
    run: Callable[..., str]
    queue: str = "documents"


@dataclass(frozen=True)
class Deed:
    """What is done to each of several rows: `act(pk, actor)`; `done` takes %(count)s."""

    code: str
    label: Any
    permission: str
    model: type[models.Model]
    act: Callable[[int, Any], Any]
    done: Any


class Stopped(Exception):
    """Somebody asked for the work to stop."""


_kinds: dict[str, Kind] = {}


def job(
    code: str, label: Any, permission: str, *, queue: str = "documents"
) -> Callable[[Callable[..., str]], Callable[..., str]]:
    """Register a function `(work, *, actor, **params)` as a kind of long work, and its queue."""

    def register(run: Callable[..., str]) -> Callable[..., str]:
        _kinds[code] = Kind(code, label, permission, run, queue)
        return run

    return register


def deed(item: Deed) -> Deed:
    """Register what can be done to each of many rows, at once or as long work."""

    def run(work: "Work", *, actor: Any, ids: list[int]) -> str:
        return _each(work, item, ids, actor)

    _kinds[item.code] = Kind(item.code, item.label, item.permission, run)
    return item


def kind_of(code: str) -> Kind:
    """The kind of work called `code`.

    Raises:
        InputError: no app knows it.
    """
    if code not in _kinds:
        raise InputError(_("Travail inconnu : %s.") % code, code="core.unknown_job")
    return _kinds[code]


@dataclass
class Work:
    """A job under way, as the function that does it sees it."""

    job: Job
    _said: float = field(default=0.0)

    def of(self, total: int) -> None:
        """Say how much there is to do."""
        self.job.total = total
        self._say(now=True)

    def step(self, count: int = 1) -> None:
        """Say that so much more is done; between two steps the work may be stopped.

        Raises:
            Stopped: somebody asked for it.
        """
        self.job.done += count
        self._say()

    def refuse(self, subject: Any, reason: str) -> None:
        """Note what couldn't be done and why; the rest goes on."""
        self.job.refused_count += 1
        if len(self.job.refused) < MOST_REFUSALS:
            self.job.refused.append({"subject": str(subject), "reason": reason})

    def file(self, name: str) -> Path:
        """Where the file that comes out of it is to be written, under this name."""
        folder = Path(settings.DATA_DIR, FOLDER, str(self.job.pk))
        folder.mkdir(parents=True, exist_ok=True)
        self.job.file_name = name
        return folder / name

    def _say(self, *, now: bool = False) -> None:
        if not now and time.monotonic() - self._said < _PAUSE:
            return
        self._said = time.monotonic()
        Job.objects.filter(pk=self.job.pk).update(
            done=self.job.done,
            total=self.job.total,
            refused=self.job.refused,
            refused_count=self.job.refused_count,
            heartbeat_at=clock.now(),
        )
        if Job.objects.filter(pk=self.job.pk, wants_to_stop=True).exists():
            raise Stopped


# --- Asking, stopping ----------------------------------------------------------------------------


@transaction.atomic
def start_job(code: str, *, actor: Any, **params: Any) -> Job:
    """Ask for long work; `params` must be plain values.

    Raises:
        InputError: no app knows such work.
    """
    kind = kind_of(code)
    made = Job.objects.create(
        kind=code, label=str(kind.label), params=params, asked_by=actor, asked_at=clock.now()
    )
    announce(job_waiting, job_id=made.pk)
    return made


def stop_job(job_id: int) -> None:
    """Ask for the work to stop between two steps; what is done stays done."""
    Job.objects.filter(pk=job_id, status__in=Job.OPEN).update(wants_to_stop=True)


def folder_of(found: Job) -> Path:
    """Where the file that came out of it lies, on this machine."""
    return here(_place(found))


def _place(found: Job) -> Path:
    return Path(settings.DATA_DIR, FOLDER, str(found.pk), found.file_name)


# --- Doing ---------------------------------------------------------------------------------------


def run_job(job_id: int) -> bool:
    """Do the work unless somebody does it or did; True when this call did."""
    if not _claim(job_id):
        return False
    found = Job.objects.select_related("asked_by").get(pk=job_id)
    work = Work(found)
    try:
        kind = kind_of(found.kind)
        found.outcome = kind.run(work, actor=found.asked_by, **found.params)
        if found.file_name:
            put(_place(found))
        found.status = Job.Status.DONE
    except Stopped:
        found.status = Job.Status.STOPPED
        found.outcome = _("Arrêté à la demande : %(done)s sur %(total)s, le reste est intact.") % {
            "done": found.done,
            "total": found.total,
        }
    except SphinxError as error:
        found.status, found.outcome = Job.Status.FAILED, error.message
    except PASSING:
        # The task tries again; it goes on where this one stopped.
        Job.objects.filter(pk=job_id).update(status=Job.Status.WAITING)
        raise
    except Exception:
        # What nobody foresaw is in the log; who asked is told that it did not end well.
        found.status = Job.Status.FAILED
        found.outcome = _("Une erreur imprévue a tout arrêté ; elle est dans le journal technique.")
        _end(found)
        raise
    _end(found)
    return True


def ask_again(job_id: int) -> None:
    """Let work that failed wait again, as if it had just been asked for."""
    Job.objects.filter(pk=job_id, status=Job.Status.FAILED).update(
        status=Job.Status.WAITING, ended_at=None, asked_at=clock.now(), beginnings=0
    )


def queue_of(job: Job) -> str:
    """The queue of its kind."""
    return _kinds[job.kind].queue if job.kind in _kinds else "documents"


def _claim(job_id: int) -> bool:
    now = clock.now()
    free = Job.objects.filter(_is_free(now), pk=job_id)
    if free.filter(beginnings__gte=MOST_BEGINNINGS).update(
        status=Job.Status.FAILED,
        ended_at=now,
        outcome=_("Commencé %s fois sans jamais finir : il est arrêté.") % MOST_BEGINNINGS,
    ):
        return False
    return bool(
        free.update(
            status=Job.Status.RUNNING,
            started_at=now,
            heartbeat_at=now,
            beginnings=models.F("beginnings") + 1,
        )
    )


def _is_free(now: datetime) -> models.Q:
    # Nobody was there tomorrow: such a sign comes from a clock that was put back since.
    silent = models.Q(heartbeat_at__lt=now - SILENCE) | models.Q(heartbeat_at__gt=now + SILENCE)
    return models.Q(status=Job.Status.WAITING) | models.Q(silent, status=Job.Status.RUNNING)


def _end(found: Job) -> None:
    found.ended_at = clock.now()
    found.save(
        update_fields=[
            "status", "outcome", "ended_at", "done", "total", "refused", "refused_count",
            "file_name",
        ]
    )  # fmt: skip


def lost_jobs() -> Iterable[Job]:
    """Jobs whose message went lost, or whose worker died."""
    now = clock.now()
    recent = models.Q(
        status=Job.Status.WAITING, asked_at__range=(now - LOST_AFTER, now + LOST_AFTER)
    )
    return Job.objects.filter(_is_free(now)).exclude(recent).only("kind")


def purge_job_files() -> int:
    """Remove the files of work that ended long ago; its row and report stay. How many went."""
    old = Job.objects.exclude(file_name="").filter(ended_at__lt=clock.now() - FILES_KEPT)
    gone = 0
    for found in old:
        discard(_place(found))
        shutil.rmtree(_place(found).parent, ignore_errors=True)
        gone += Job.objects.filter(pk=found.pk).update(file_name="")
    return gone


def _each(work: Work, item: Deed, ids: list[int], actor: Any) -> str:
    # Taken over from a dead worker, it goes on where that one was seen last.
    begun = work.job.done
    work.of(len(ids))
    count = begun - work.job.refused_count
    for pk in ids[begun:]:
        try:
            item.act(pk, actor)
            count += 1
        except SphinxError as error:
            row = item.model._default_manager.filter(pk=pk).first()
            work.refuse(row or pk, error.message)
        work.step()
    return str(item.done) % {"count": count}
