"""Documents of invoicing, for those who may see them."""

from django.contrib.auth.decorators import login_required, permission_required
from django.http import FileResponse, HttpRequest
from django.shortcuts import get_object_or_404

from invoicing.models import Invoice
from invoicing.services import render_pdfs


@login_required
@permission_required("invoicing.view_invoice", raise_exception=True)
def invoice_pdf(request: HttpRequest, invoice_id: int) -> FileResponse:
    """The PDF of an invoice or credit note; made now if it wasn't yet."""
    invoice = get_object_or_404(Invoice, pk=invoice_id)
    path = render_pdfs([invoice.pk])[invoice.pk]
    return FileResponse(path.open("rb"), as_attachment=True, filename=f"{invoice.number}.pdf")
