"""Tasks that failed for good: kept where somebody sees them, sent again when the cause is mended.

A message holds ids only and every task may run twice, so sending it again is always safe. A letter
says which error came up where in the program, not the error's own words: those may hold a
customer's data.
"""

import hashlib
import json
import traceback
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy

from sphinx.core import clock
from sphinx.core.errors import ConflictError, InputError, SphinxError
from sphinx.core.events import announce
from sphinx.core.job_events import letter_to_send
from sphinx.core.jobs import Deed, deed
from sphinx.core.models import DeadLetter
from sphinx.core.services import record

KEPT = timedelta(days=90)


@lru_cache(maxsize=1)
def known_tasks() -> Any:
    """Every task by its name; the site's processes load them when first asked."""
    current_app.loader.import_default_modules()
    return current_app.tasks


def label_of_task(name: str) -> str:
    """What a task does, as the screen says it; its name when this version knows no such task."""
    return str(getattr(known_tasks().get(name), "label", "") or name)


def place_of(error: BaseException) -> str:
    """Where in our program it came up, `file:line function`; what we expected says its sentence."""
    if isinstance(error, SphinxError):
        return error.message[:500]
    frames = traceback.extract_tb(error.__traceback__)
    root = str(settings.BASE_DIR)
    ours = [f for f in frames if f.filename.startswith(root) and "/.venv/" not in f.filename]
    if not ours:
        return ""
    last = ours[-1]
    return f"{Path(last.filename).relative_to(root)}:{last.lineno} {last.name}"


def set_aside(task: str, kwargs: dict[str, Any], *, error: str, place: str) -> DeadLetter:
    """Keep what failed; the same message that fails again is counted, not kept twice."""
    now = clock.now()
    letter, made = DeadLetter.objects.get_or_create(
        fingerprint=_fingerprint(task, kwargs),
        status=DeadLetter.Status.OPEN,
        defaults={
            "task": task,
            "kwargs": kwargs,
            "error": error,
            "place": place,
            "first_failed_at": now,
            "last_failed_at": now,
        },
    )
    if not made:
        DeadLetter.objects.filter(pk=letter.pk).update(
            failures=F("failures") + 1, last_failed_at=now, error=error, place=place
        )
    return letter


def settle(task: str, kwargs: dict[str, Any]) -> None:
    """The same message went well: the letter is closed by itself."""
    DeadLetter.objects.filter(
        fingerprint=_fingerprint(task, kwargs), status=DeadLetter.Status.OPEN
    ).update(status=DeadLetter.Status.SETTLED, settled_at=clock.now())


@transaction.atomic
def send_again(letter_id: int, *, actor: Any) -> None:
    """Send the message again once; the letter stays until it goes well.

    Raises:
        ConflictError: it went well or was put away meanwhile.
        InputError: this version of the program knows no such task.
    """
    letter = _open_letter(letter_id)
    if letter.task not in known_tasks():
        raise InputError(_("Tâche inconnue de cette version : %s.") % letter.task)
    letter.sent_again_at = clock.now()
    letter.save(update_fields=["sent_again_at"])
    record("letter.sent_again", [letter], actor=actor)
    announce(letter_to_send, letter_id=letter.pk)


@transaction.atomic
def put_away(letter_id: int, *, actor: Any) -> None:
    """Close a letter that needs nothing any more.

    Raises:
        ConflictError: it went well or was put away meanwhile.
    """
    letter = _open_letter(letter_id)
    letter.status, letter.settled_at = DeadLetter.Status.DROPPED, clock.now()
    letter.save(update_fields=["status", "settled_at"])
    record("letter.put_away", [letter], actor=actor)


def purge_letters() -> int:
    """Forget closed letters after a while; how many went."""
    old = DeadLetter.objects.exclude(status=DeadLetter.Status.OPEN)
    return old.filter(settled_at__lt=clock.now() - KEPT).delete()[0]


def _open_letter(letter_id: int) -> DeadLetter:
    letter = DeadLetter.objects.select_for_update().get(pk=letter_id)
    if letter.status != DeadLetter.Status.OPEN:
        raise ConflictError(_("Cette tâche n'attend plus rien : %s.") % letter.get_status_display())
    return letter


def _fingerprint(task: str, kwargs: dict[str, Any]) -> str:
    text = json.dumps([task, kwargs], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


AGAIN = deed(
    Deed(
        "core.send_again",
        gettext_lazy("Rejouer les tâches en échec"),
        "core.change_deadletter",
        DeadLetter,
        lambda pk, actor: send_again(pk, actor=actor),
        ngettext_lazy("%(count)s tâche rejouée.", "%(count)s tâches rejouées.", "count"),
    )
)
AWAY = deed(
    Deed(
        "core.put_away",
        gettext_lazy("Classer les tâches en échec"),
        "core.change_deadletter",
        DeadLetter,
        lambda pk, actor: put_away(pk, actor=actor),
        ngettext_lazy("%(count)s tâche classée.", "%(count)s tâches classées.", "count"),
    )
)
