"""An entry with its lines, where it comes from, and what was asked about it."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _

from accounting_export import services
from accounting_export.models import JournalEntry
from sphinx.core import clock
from sphinx.core.errors import SphinxError
from sphinx.core.pages import back_office_page
from sphinx.core.typed import key_of


@login_required
@permission_required("accounting_export.view_journalentry", raise_exception=True)
def entry(request: HttpRequest, entry_id: int) -> HttpResponse:
    """Read it, ask about it, answer."""
    found = get_object_or_404(
        JournalEntry.objects.select_related(
            "journal", "invoice__order", "supplier_invoice", "payment__invoice", "bank_line"
        ),
        pk=entry_id,
    )
    if request.method == "POST":
        try:
            _speak(request, found)
        except SphinxError as error:
            messages.error(request, error.message)
        return redirect("accounting_export:entry", found.pk)
    return back_office_page(
        request,
        "accounting_export/entry.html",
        title=_("Écriture %s") % found.number,
        entry=found,
        lines=found.lines.select_related("lettered"),
        batches=[mark.batch for mark in found.exports.select_related("batch").order_by("pk")],
        questions=found.questions.select_related("asked_by", "answered_by").order_by("pk"),
        may_ask=request.user.has_perm("accounting_export.add_entryquestion"),
        may_answer=request.user.has_perm("accounting_export.change_entryquestion"),
    )


def _speak(request: HttpRequest, found: JournalEntry) -> None:
    verb, _sep, key = request.POST.get("verb", "").partition("-")
    pk = key_of(key)
    text = request.POST.get("text", "")
    if verb == "ask" and request.user.has_perm("accounting_export.add_entryquestion"):
        services.ask(entry_id=found.pk, text=text, at=clock.now(), actor=request.user)
        messages.success(request, _("Question posée : elle est sur la page d'accueil de l'équipe."))
    elif (
        verb == "answer"
        and pk is not None
        and found.questions.filter(pk=pk).exists()
        and request.user.has_perm("accounting_export.change_entryquestion")
    ):
        services.answer(question_id=pk, text=text, at=clock.now(), actor=request.user)
        messages.success(request, _("Réponse donnée."))
    else:
        raise Http404
