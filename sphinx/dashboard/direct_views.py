"""What suppliers send straight to customers: what is awaited, their files, a departure typed."""

from decimal import Decimal

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from purchasing.models import EXPECTED, PurchaseOrder
from purchasing.services import pieces_too_many
from sales.services import CARRIERS
from sphinx.core import clock
from sphinx.core.errors import SphinxError
from sphinx.core.pages import back_office_page
from sphinx.core.typed import typed_number
from sphinx.core.validators import validate_upload_size
from sphinx.dashboard.direct import awaited_departures, confirm_departure, import_departures


class DeparturesForm(forms.Form):
    """A supplier's file."""

    departures = forms.FileField(
        label=gettext_lazy("Fichier du fournisseur (CSV ou Excel)"),
        validators=[validate_upload_size],
        widget=forms.FileInput(attrs={"class": "sx-select", "accept": ".csv,.txt,.xlsx"}),
    )


@login_required
@permission_required("purchasing.view_purchaseorder", raise_exception=True)
def departures(request: HttpRequest) -> HttpResponse:
    """What suppliers have to send to customers; their files say what has left."""
    form = DeparturesForm(request.POST or None, request.FILES or None)
    if request.method == "POST":
        if not request.user.has_perm("purchasing.add_receipt"):
            raise Http404
        if form.is_valid():
            _read(request, form.cleaned_data["departures"])
            return redirect("dashboard:departures")
    return back_office_page(
        request,
        "dashboard/departures.html",
        title=_("Envois directs des fournisseurs"),
        form=form,
        awaited=awaited_departures(),
        may_confirm=request.user.has_perm("purchasing.add_receipt"),
    )


def _read(request: HttpRequest, file: UploadedFile) -> None:
    try:
        found = import_departures(
            name=file.name or "?", data=file.read(), at=clock.now(), actor=request.user
        )
    except SphinxError as error:
        messages.error(request, error.message)
        return
    for fault in found.faults:
        messages.error(request, fault)
    if found.notes:
        messages.success(
            request,
            _("Livré aux clients : %s.") % ", ".join(note.order.number for note in found.notes),
        )
    elif not found.faults:
        messages.info(request, _("Rien de nouveau dans ce fichier."))


@login_required
@permission_required("purchasing.add_receipt", raise_exception=True)
def departure(request: HttpRequest, order_id: int) -> HttpResponse:
    """Say what a supplier sent of one order: pieces, carrier, number."""
    order = get_object_or_404(
        PurchaseOrder.objects.select_related("supplier", "direct_delivery"),
        pk=order_id,
        direct_delivery__isnull=False,
    )
    lines = list(order.lines.select_related("product").order_by("product__sku"))
    if request.method == "POST":
        try:
            note = confirm_departure(
                order_id=order.pk,
                quantities={
                    line.pk: typed_number(request.POST.get(f"q{line.pk}", "") or "0")
                    for line in lines
                },
                at=clock.now(),
                reference=request.POST.get("reference", "").strip()
                or request.POST.get("tracking_number", "").strip()
                or request.POST.get("form", ""),
                carrier=request.POST.get("carrier", ""),
                tracking_number=request.POST.get("tracking_number", ""),
                actor=request.user,
            )
        except SphinxError as error:
            messages.error(request, error.message)
        else:
            if note is None:
                messages.info(request, _("Ce départ était déjà confirmé."))
            else:
                messages.success(request, _("Bon %s expédié : la facture suit.") % note.number)
            return redirect("purchasing:proposal", order.pk)
    over = pieces_too_many([order]).get(order.pk, {})
    return back_office_page(
        request,
        "dashboard/departure.html",
        title=_("Départ de %s") % order.number,
        order=order,
        rows=[
            (
                line,
                left := max(line.quantity - line.quantity_received, Decimal(0)),
                # What the customer no longer wants is hoped to have been stopped.
                request.POST.get(f"q{line.pk}", left - over.get(line.product_id, Decimal(0))),
            )
            for line in lines
        ],
        is_open=order.status in EXPECTED,
        carriers=CARRIERS,
        # The same form sent twice is one parcel.
        form_key=f"{order.number}/{order.receipts.count() + 1}",
    )
