"""Documents of invoicing, for those who may see them."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect

from invoicing.errors import StructureRefused
from invoicing.models import Closing, Invoice
from invoicing.services import closing_pdf as closing_page
from invoicing.services import render_pdfs, structured_xml


@login_required
@permission_required("invoicing.view_invoice", raise_exception=True)
def invoice_pdf(request: HttpRequest, invoice_id: int) -> FileResponse:
    """The PDF of an invoice or credit note; made now if it wasn't yet."""
    invoice = get_object_or_404(Invoice, pk=invoice_id)
    path = render_pdfs([invoice.pk])[invoice.pk]
    return FileResponse(path.open("rb"), as_attachment=True, filename=f"{invoice.number}.pdf")


@login_required
@permission_required("invoicing.view_invoice", raise_exception=True)
def invoice_xml(request: HttpRequest, invoice_id: int, syntax: str) -> HttpResponse:
    """The document's data alone: CII, the XML of its Factur-X, or UBL."""
    invoice = get_object_or_404(Invoice, pk=invoice_id)
    try:
        xml = structured_xml(invoice, syntax=syntax)
    except StructureRefused as error:
        messages.error(request, error.message)
        return redirect("admin:invoicing_invoice_change", invoice.pk)
    return HttpResponse(
        xml,
        content_type="application/xml",
        headers={"Content-Disposition": f'attachment; filename="{invoice.number}-{syntax}.xml"'},
    )


@login_required
@permission_required("invoicing.view_closing", raise_exception=True)
def closing_pdf(request: HttpRequest, closing_id: int) -> FileResponse:
    """A closing with its totals and its anchor, to be kept elsewhere."""
    path = closing_page(get_object_or_404(Closing, pk=closing_id))
    return FileResponse(path.open("rb"), as_attachment=True, filename=path.name)
