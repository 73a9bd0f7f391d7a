"""What passes between firm and accountant."""

from django.db.models import QuerySet

from accounting_export.models import Dispatch, EntryQuestion, Sending


def sending_settings() -> Sending:
    """How new entries go to the accountant; not in use until somebody says so."""
    found, _created = Sending.objects.get_or_create(pk=1)
    return found


def stuck_dispatches() -> QuerySet[Dispatch]:
    """Batches that couldn't be sent to the accountant yet."""
    return Dispatch.objects.filter(sent_at=None).exclude(reason="")


def open_questions() -> QuerySet[EntryQuestion]:
    """The accountant's questions that nobody answered, oldest first."""
    return EntryQuestion.objects.filter(answer="").order_by("pk")
