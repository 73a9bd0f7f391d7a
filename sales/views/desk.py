"""Documents of sales, for those who may see them; goods that come back."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _

from customers.models import Customer
from inventory.selectors import serials_in
from sales.models import DeliveryNote, DeliveryNoteLine, Order
from sales.selectors import lines_with_serials
from sales.services import (
    Back,
    announce_return,
    merge_customers,
    render_delivery_pdfs,
    return_goods,
)
from sphinx.core import clock
from sphinx.core.errors import SphinxError
from sphinx.core.pages import back_office_page
from sphinx.core.typed import key_of, typed_number


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
    both = [get_object_or_404(Customer, pk=key_of(request.GET.get(name))) for name in ("a", "b")]
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


@login_required
@permission_required("sales.add_goodsreturn", raise_exception=True)
def take_back(request: HttpRequest, note_id: int) -> HttpResponse:
    """Goods of a delivery note that came back: how many, to the shelf or to scrap."""
    note = get_object_or_404(DeliveryNote.objects.select_related("order"), pk=note_id)
    lines = list(note.lines.select_related("order_line").filter(move__isnull=False))
    if request.method == "POST" and request.POST.get("verb") == "announce":
        return _announce(request, note, lines)
    if request.method == "POST":
        try:
            made = return_goods(
                note_id=note.pk,
                back=[
                    Back(
                        line.pk,
                        typed_number(request.POST.get(f"quantity-{line.pk}", "")),
                        f"scrap-{line.pk}" in request.POST,
                        serials_in(request.POST.get(f"serials-{line.pk}", "")),
                    )
                    for line in lines
                ],
                reason=request.POST.get("reason", ""),
                after_returns=int(typed_number(request.POST.get("returns", ""), places=0)),
                at=clock.now(),
                actor=request.user,
            )
        except SphinxError as error:
            messages.error(request, error.message)
        else:
            messages.success(request, _("Retour %s enregistré : le stock est à jour.") % made)
            return redirect("admin:sales_goodsreturn_change", made.pk)
    return back_office_page(
        request,
        "sales/take_back.html",
        title=_("Retour sur %s") % note.number,
        note=note,
        lines=lines,
        with_serials=lines_with_serials(note),
        returns=note.returns.count(),
    )


def _announce(
    request: HttpRequest, note: DeliveryNote, lines: list[DeliveryNoteLine]
) -> HttpResponse:
    """The parcel isn't here yet: it is expected, and has its slip."""
    try:
        made = announce_return(
            note_id=note.pk,
            quantities={
                line.pk: typed_number(request.POST.get(f"quantity-{line.pk}", "")) for line in lines
            },
            reason=request.POST.get("reason", ""),
            at=clock.now(),
            actor=request.user,
        )
    except SphinxError as error:
        messages.error(request, error.message)
        return redirect("sales:take_back", note.pk)
    messages.success(request, _("Retour %s annoncé : donnez son bon au client.") % made)
    return redirect("sales:return", made.pk)
