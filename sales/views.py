"""Documents of sales, for those who may see them."""

from django.contrib.auth.decorators import login_required, permission_required
from django.http import FileResponse, HttpRequest
from django.shortcuts import get_object_or_404

from sales.models import DeliveryNote
from sales.services import render_delivery_pdfs


@login_required
@permission_required("sales.view_deliverynote", raise_exception=True)
def delivery_pdf(request: HttpRequest, note_id: int) -> FileResponse:
    """The PDF of a delivery note, made when asked for."""
    note = get_object_or_404(DeliveryNote, pk=note_id)
    path = render_delivery_pdfs([note.pk])[note.pk]
    return FileResponse(path.open("rb"), as_attachment=True, filename=f"{note.number}.pdf")
