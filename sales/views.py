"""Documents of sales, for those who may see them."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _

from customers.models import Customer
from sales.models import DeliveryNote, Order
from sales.services import merge_customers, render_delivery_pdfs
from sphinx.core.errors import SphinxError
from sphinx.core.pages import back_office_page


@login_required
@permission_required("sales.view_deliverynote", raise_exception=True)
def delivery_pdf(request: HttpRequest, note_id: int) -> FileResponse:
    """The PDF of a delivery note, made when asked for."""
    note = get_object_or_404(DeliveryNote, pk=note_id)
    path = render_delivery_pdfs([note.pk])[note.pk]
    return FileResponse(path.open("rb"), as_attachment=True, filename=f"{note.number}.pdf")


@login_required
@permission_required("customers.change_customer", raise_exception=True)
def merge(request: HttpRequest) -> HttpResponse:
    """Two customers side by side; a person says which one stays."""
    given = request.GET
    if not (given.get("a", "").isdigit() and given.get("b", "").isdigit()):
        raise Http404
    both = [get_object_or_404(Customer, pk=int(given[name])) for name in ("a", "b")]
    if request.method == "POST":
        kept, absorbed = both if request.POST.get("keep") == str(both[0].pk) else reversed(both)
        try:
            merge_customers(keep_id=kept.pk, absorb_id=absorbed.pk, actor=request.user)
        except SphinxError as error:
            messages.error(request, error.message)
        else:
            shown = {"absorbed": absorbed.code, "kept": kept.code}
            messages.success(request, _("%(absorbed)s est fusionné dans %(kept)s.") % shown)
            return redirect("admin:customers_customer_change", kept.pk)
    return back_office_page(
        request,
        "sales/merge.html",
        title=_("Fusionner deux clients"),
        both=[(c, Order.objects.filter(customer=c).count(), c.identities.all()) for c in both],
    )
