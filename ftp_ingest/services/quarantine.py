"""What was set aside: kept with its reason until a good version comes or somebody decides."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from ftp_ingest.models import QuarantinedRow, ReceivedFile
from ftp_ingest.reading.drafts import Fault
from ftp_ingest.services.causes import cause_of
from sphinx.core.errors import BusinessRuleError
from sphinx.core.models import Shop
from sphinx.core.services import record

# Longer is no state of an order but a cell in the wrong column.
_LONGEST_SUBJECT = 200


def set_aside(file: ReceivedFile, faults: Sequence[Fault], kind: str) -> None:
    """Keep the faults of a file; the same one again (a file read twice) is kept once.

    A shop's export repeats an order until it is mended: only the latest refusal stays open,
    and one that somebody dismissed stays dismissed while it says the same. Of a file read again
    an order may be refused for another reason than before: that one counts.
    """
    keys = {key for f in faults for key in (f.external_id, f.number) if key}
    if keys:
        QuarantinedRow.objects.filter(
            file__shop=file.shop,
            kind=kind,
            status=QuarantinedRow.Status.OPEN,
            external_id__any_of=keys,
        ).exclude(file=file).update(
            status=QuarantinedRow.Status.RESOLVED,
            resolution=_("Reprise dans un fichier plus récent (%(name)s)")
            % {"name": file.name[:120]},
        )
        _set_reasons(file, faults, keys, kind)
    dismissed = _dismissed(file.shop, keys, kind)
    once: dict[tuple[int, str], Fault] = {}
    for fault in faults:
        once.setdefault((fault.line, fault.code), fault)
    QuarantinedRow.objects.bulk_create(
        (
            QuarantinedRow(
                status=QuarantinedRow.Status.DISMISSED
                if (fault.external_id, fault.code, fault.message) in dismissed
                else QuarantinedRow.Status.OPEN,
                file=file,
                kind=kind,
                line=fault.line,
                column=fault.column[:80],
                code=fault.code,
                message=fault.message,
                cause=cause_of(fault),
                subject=fault.subject if len(fault.subject) <= _LONGEST_SUBJECT else "",
                external_id=fault.external_id[:80],
                number=fault.number[:80],
            )
            for fault in once.values()
        ),
        update_conflicts=True,
        unique_fields=["file", "kind", "line", "code"],
        update_fields=["message", "cause", "subject"],
        batch_size=1000,
    )


def _set_reasons(file: ReceivedFile, faults: Sequence[Fault], keys: set[str], kind: str) -> None:
    """Of orders of this file that were refused before, only the reason of now stays open."""
    now = {(fault.external_id[:80], fault.code) for fault in faults}
    earlier = QuarantinedRow.objects.filter(
        file=file,
        kind=kind,
        status__in=(QuarantinedRow.Status.OPEN, QuarantinedRow.Status.SUPERSEDED),
        external_id__any_of=keys,
    ).values_list("pk", "external_id", "code", "status")
    changed: dict[str, list[int]] = {}
    for pk, external_id, code, status in earlier:
        wanted = (
            QuarantinedRow.Status.OPEN
            if (external_id, code) in now
            else QuarantinedRow.Status.SUPERSEDED
        )
        if status != wanted:
            changed.setdefault(wanted, []).append(pk)
    for status, pks in sorted(changed.items()):
        QuarantinedRow.objects.filter(pk__in=pks).update(status=status)


def keep_notes(file: ReceivedFile, written: Sequence[str], notes: Sequence[Fault]) -> None:
    """Keep what is to be looked at of orders that came in; those written anew lose what was."""
    if written:
        QuarantinedRow.objects.filter(
            file__shop=file.shop,
            status=QuarantinedRow.Status.NOTED,
            external_id__any_of=set(written),
        ).update(
            status=QuarantinedRow.Status.RESOLVED,
            resolution=_("Remplacée par une version plus récente (%(name)s)")
            % {"name": file.name[:120]},
        )
    QuarantinedRow.objects.bulk_create(
        (
            QuarantinedRow(
                status=QuarantinedRow.Status.NOTED,
                file=file,
                kind="orders",
                line=note.line,
                column=note.column[:80],
                code=note.code,
                message=note.message,
                cause=cause_of(note),
                external_id=note.external_id[:80],
                number=note.number[:80],
            )
            for note in notes
        ),
        update_conflicts=True,
        unique_fields=["file", "kind", "line", "code"],
        update_fields=["message", "cause", "status"],
        batch_size=1000,
    )


def _dismissed(shop: Shop, keys: set[str], kind: str) -> set[tuple[str, str, str]]:
    """(external id, code, message) of what somebody decided not to apply."""
    if not keys:
        return set()
    rows = QuarantinedRow.objects.filter(
        file__shop=shop, kind=kind, status=QuarantinedRow.Status.DISMISSED, external_id__any_of=keys
    )
    return set(rows.values_list("external_id", "code", "message"))


def settle_rows(shop: Shop, external_ids: Sequence[str], numbers: Sequence[str], name: str) -> None:
    """A good version of these orders came in: what was set aside of them is settled."""
    QuarantinedRow.objects.filter(
        file__shop=shop,
        status=QuarantinedRow.Status.OPEN,
        external_id__any_of={*external_ids, *numbers},
    ).update(
        status=QuarantinedRow.Status.RESOLVED,
        resolution=_("Remplacée par une version correcte (%(name)s)") % {"name": name[:120]},
    )


@transaction.atomic
def dismiss_row(*, row_id: int, reason: str, actor: Any = None) -> QuarantinedRow:
    """Close a row without applying it; the reason is kept.

    Raises:
        BusinessRuleError: no reason is given.
    """
    row = QuarantinedRow.objects.select_for_update(no_key=True).get(pk=row_id)
    if row.status not in (QuarantinedRow.Status.OPEN, QuarantinedRow.Status.NOTED):
        return row
    if not reason.strip():
        raise BusinessRuleError(
            _("Dites pourquoi cette ligne est écartée."), code="quarantine.reason"
        )
    row.status, row.resolution = QuarantinedRow.Status.DISMISSED, reason.strip()[:200]
    row.save(update_fields=["status", "resolution"])
    record("quarantine.dismissed", [row], actor=actor, reason=reason)
    return row
