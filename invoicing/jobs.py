"""Long work of invoicing: credit notes, invoices of all that left, PDFs to take away."""

import zipfile
from typing import Any

from django.utils.translation import gettext, gettext_lazy, ngettext
from django.utils.translation import gettext_lazy as _

from invoicing import services
from invoicing.errors import StructureRefused
from invoicing.models import Invoice
from invoicing.selectors import notes_ready_to_invoice
from sphinx.core import clock
from sphinx.core.files import whole_file
from sphinx.core.four_eyes import submit
from sphinx.core.jobs import Deed, Work, deed, job

_BATCH = 50
CREDIT = deed(
    Deed(
        "invoicing.credit",
        _("Établir des avoirs"),
        "invoicing.add_invoice",
        Invoice,
        lambda pk, actor: submit(
            "invoicing.credit",
            about=gettext("Avoir de %s") % Invoice.objects.get(pk=pk).number,
            actor=actor,
            invoice_id=pk,
            reason=gettext("Annulation de la facture"),
        ),
        _("%(count)s avoirs émis, ou demandés si la société les veut à deux."),
    )
)


@job("invoicing.issue", gettext_lazy("Facturer ce qui est parti"), "invoicing.add_invoice")
def issue_all(work: Work, *, actor: Any) -> str:
    """Invoice each parcel that left; who is invoiced by the month waits for the month's end."""
    ids = list(
        notes_ready_to_invoice()
        .exclude(order__customer__invoiced_each="month", order__payment_status="unpaid")
        .values_list("pk", flat=True)
    )
    work.of(len(ids))
    made = 0
    for start in range(0, len(ids), _BATCH):
        batch = ids[start : start + _BATCH]
        try:
            made += len(services.issue_invoices(note_ids=batch, at=clock.now(), actor=actor))
            work.step(len(batch))
        except StructureRefused:
            for note_id in batch:
                made += _issue_one(work, note_id, actor)
    return ngettext("%(count)s facture émise.", "%(count)s factures émises.", made) % {
        "count": made
    }


def _issue_one(work: Work, note_id: int, actor: Any) -> int:
    try:
        made = services.issue_invoices(note_ids=[note_id], at=clock.now(), actor=actor)
    except StructureRefused as error:
        work.refuse(error.context.get("order", note_id), error.message)
        made = []
    work.step()
    return len(made)


@job(
    "invoicing.pdfs",
    gettext_lazy("PDF des factures (zip)"),
    "invoicing.view_invoice",
    queue="exports",
)
def pack_pdfs(work: Work, *, actor: Any, ids: list[int]) -> str:
    """The PDFs of the invoices chosen, in one zip."""
    numbers = dict(Invoice.objects.filter(pk__in=ids).order_by("pk").values_list("pk", "number"))
    work.of(len(numbers))
    chosen = list(numbers)
    with (
        whole_file(work.file(f"factures-{clock.today():%Y%m%d}.zip")) as stream,
        zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as package,
    ):
        for start in range(0, len(chosen), _BATCH):
            part = chosen[start : start + _BATCH]
            paths = services.render_pdfs(part)
            for pk in part:
                package.writestr(f"{numbers[pk]}.pdf", paths[pk].read_bytes())
            work.step(len(part))
    return ngettext("%(count)s PDF.", "%(count)s PDF.", len(chosen)) % {"count": len(chosen)}
