"""What happened to a document: who, when, what, from the audit trail."""

from django.db.models import Model

from sphinx.core.models import AuditEvent

SHOWN = 50


def history_of(document: Model) -> list[AuditEvent]:
    """The last events of a document with a number, the latest first, in one query."""
    number = str(getattr(document, "number", document))[:80]
    events = AuditEvent.objects.filter(
        subject_number=number, subject_kind=document._meta.label
    ).select_related("actor")
    return list(events.order_by("-id")[:SHOWN])
