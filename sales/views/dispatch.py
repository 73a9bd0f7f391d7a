"""The warehouse's worktop: what can leave, picked by shelf, checked by scanner, handed over."""

from decimal import Decimal

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.db.models import Count, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from inventory.selectors import expired_on_shelf, scanned_product, serial_on_shelf, serials_in
from sales import services
from sales.forms import TrackingForm
from sales.models import DeliveryNote, Order
from sales.picking import Piece, picking_list, pieces_of, weight_of
from sales.selectors import (
    lines_waiting_for_stock,
    notes_in_doubt,
    notes_short_of_stock,
    notes_to_ship,
    orders_ready_to_deliver,
)
from sphinx.core import clock
from sphinx.core.counting import count_up_to
from sphinx.core.errors import SphinxError
from sphinx.core.pages import back_office_page
from sphinx.core.typed import key_of, typed_number

SHOWN = 100
EXPIRED_SHOWN = 20


@login_required
@permission_required("sales.view_deliverynote", raise_exception=True)
def worktop(request: HttpRequest) -> HttpResponse:
    """What can leave today, oldest first; a note's number scanned opens its parcel."""
    scanned = request.GET.get("code", "").strip()
    if scanned:
        note = DeliveryNote.objects.filter(number__iexact=scanned).first()
        note = note or notes_to_ship().filter(order__number=scanned).first()
        if note is not None:
            return redirect("sales:parcel", note.pk)
        messages.error(request, _("« %s » : aucun bon de livraison.") % scanned[:40])
    # The oldest first, then what is shown of them: else all would be summed to show some.
    ready = list(orders_ready_to_deliver().values_list("pk", flat=True)[:SHOWN])
    drafts = list(notes_to_ship().values_list("pk", flat=True)[:SHOWN])
    notes = DeliveryNote.objects.filter(pk__in=drafts)
    return back_office_page(
        request,
        "sales/worktop.html",
        title=_("Expédier"),
        ready=Order.objects.filter(pk__in=ready)
        .select_related("shop")
        .annotate(line_count=Count("lines"))
        .order_by("placed_at", "pk"),
        ready_count=count_up_to(orders_ready_to_deliver()),
        drafts=notes.select_related("order__shop")
        .annotate(pieces=Sum("lines__quantity"))
        .order_by("pk"),
        draft_count=count_up_to(notes_to_ship()),
        short=set(notes_short_of_stock().filter(pk__in=drafts).values_list("pk", flat=True)),
        doubtful=set(notes_in_doubt().filter(pk__in=drafts).values_list("pk", flat=True)),
        expired=expired_on_shelf(clock.today())[:EXPIRED_SHOWN],
        waiting=count_up_to(lines_waiting_for_stock().values("order_id").distinct()),
        shown=SHOWN,
        may_ship=request.user.has_perm("sales.change_deliverynote"),
        form=TrackingForm(),
    )


@require_POST
@login_required
@permission_required("sales.change_deliverynote", raise_exception=True)
def prepare(request: HttpRequest) -> HttpResponse:
    """Make the notes of what is ready: of one order, or the oldest ones together."""
    ready = orders_ready_to_deliver()
    one = request.POST.get("order", "")
    ids = ready.filter(pk=key_of(one) or 0) if one else ready
    made = services.prepare_deliveries(
        order_ids=list(ids.values_list("pk", flat=True)[:SHOWN]),
        at=clock.now(),
        actor=request.user,
    )
    messages.success(request, _("%s bons en préparation.") % len(made))
    return redirect("sales:picking" if len(made) > 1 else "sales:worktop")


@login_required
@permission_required("sales.view_deliverynote", raise_exception=True)
def picking(request: HttpRequest) -> HttpResponse:
    """What to take from the shelves for all notes in preparation, shelf by shelf; to print."""
    notes = list(notes_to_ship()[:SHOWN])
    return back_office_page(
        request,
        "sales/picking.html",
        title=_("Liste de prélèvement"),
        notes=notes,
        picks=picking_list(notes),
        weight=weight_of(pieces_of(note.pk for note in notes)) if notes else None,
        now=clock.now(),
    )


@login_required
@permission_required("sales.change_deliverynote", raise_exception=True)
def parcel(request: HttpRequest, note_id: int) -> HttpResponse:
    """Check a parcel by scanner against its note, then hand it to the carrier."""
    note = get_object_or_404(DeliveryNote.objects.select_related("order"), pk=note_id)
    pieces = pieces_of([note.pk])
    packed = {p.product.pk: request.POST.get(f"q{p.product.pk}", "") for p in pieces}
    serials = serials_in(request.POST.get("serials", ""))
    seen, refused = None, ""
    if request.method == "POST":
        try:
            if request.POST.get("verb") in ("ship", "unchecked"):
                return _shipped(request, note, packed)
            if request.POST.get("verb") == "track":
                return _tracked(request, note)
            seen = _scanned(request, pieces, packed, serials)
        except SphinxError as error:
            refused = error.message
    rows = [(p, packed[p.product.pk], _is_complete(p, packed[p.product.pk])) for p in pieces]
    return back_office_page(
        request,
        "sales/parcel.html",
        title=_("Colis %s") % note.number,
        note=note,
        order=note.order,
        rows=rows,
        others=note.lines.filter(order_line__product__isnull=True).select_related("order_line"),
        serials="\n".join(serials),
        asks_serials=any(p.product.tracks_serials for p in pieces),
        seen=seen,
        seen_count=packed[seen.product.pk] if seen else "",
        refused=refused,
        complete=all(done for _p, _q, done in rows),
        weight=weight_of(pieces) if pieces else None,
        is_draft=note.status == DeliveryNote.Status.DRAFT,
        carrier=request.POST.get("carrier", note.carrier or request.session.get("carrier", "")),
        tracking_number=request.POST.get("tracking_number", note.tracking_number),
        tracking_url=services.tracking_url(note),
        carriers=services.CARRIERS,
    )


def _is_complete(piece: Piece, packed: str) -> bool:
    try:
        return typed_number(packed) == piece.quantity
    except SphinxError:
        return False


def _scanned(
    request: HttpRequest, pieces: list[Piece], packed: dict[int, str], serials: list[str]
) -> Piece:
    """One more piece in the parcel, by its article's code or its serial number.

    Raises SphinxError: it isn't on the note, is too many, or its serial number is asked for.
    """
    code = request.POST.get("code", "").strip()
    product = serial_on_shelf(code, {p.product.pk for p in pieces})
    if product is not None:
        if code in serials:
            raise SphinxError(
                _("N° de série %s : il est scanné deux fois.") % code, code="sales.serial_twice"
            )
    else:
        product = scanned_product(code)
        if product.tracks_serials:
            raise SphinxError(
                _("%s : scannez le numéro de série de la pièce.") % product,
                code="sales.serial_asked",
            )
    for piece in pieces:
        if piece.product.pk == product.pk:
            count = typed_number(packed[product.pk] or "0") + 1
            if count > piece.quantity:
                raise SphinxError(
                    _("%s : c'est une pièce de trop, laissez-la de côté.") % product,
                    code="sales.too_many_packed",
                )
            packed[product.pk] = f"{count:f}"
            if product.tracks_serials:
                serials.append(code)
            return piece
    raise SphinxError(_("%s n'est pas sur ce bon.") % product, code="sales.not_on_note")


def _shipped(request: HttpRequest, note: DeliveryNote, packed: dict[int, str]) -> HttpResponse:
    carrier = request.POST.get("carrier", "").strip()
    counted: dict[int, Decimal] = {pk: typed_number(text or "0") for pk, text in packed.items()}
    services.ship_parcel(
        note_id=note.pk,
        packed=None if request.POST.get("verb") == "unchecked" else counted,
        carrier=carrier,
        tracking_number=request.POST.get("tracking_number", "").strip(),
        serials=serials_in(request.POST.get("serials", "")),
        at=clock.now(),
        actor=request.user,
    )
    # The next parcel most likely goes the same way.
    request.session["carrier"] = carrier
    messages.success(request, _("%s est parti : le stock est sorti.") % note.number)
    following = notes_to_ship().first()
    return redirect("sales:parcel", following.pk) if following else redirect("sales:worktop")


def _tracked(request: HttpRequest, note: DeliveryNote) -> HttpResponse:
    services.set_tracking(
        note_id=note.pk,
        carrier=request.POST.get("carrier", ""),
        tracking_number=request.POST.get("tracking_number", ""),
        actor=request.user,
    )
    messages.success(request, _("Le suivi est noté."))
    return redirect("sales:parcel", note.pk)


@login_required
@permission_required("sales.view_deliverynote", raise_exception=True)
def labels(request: HttpRequest, layout: str) -> HttpResponse:
    """The parcels in preparation for the carrier's label program."""
    if layout not in services.FORMATS:
        raise Http404
    notes = notes_to_ship().select_related("order__customer")
    return HttpResponse(
        "\ufeff" + services.labels_csv(notes, layout=layout),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="etiquettes-{layout}.csv"'},
    )


@require_POST
@login_required
@permission_required("sales.change_deliverynote", raise_exception=True)
def tracking(request: HttpRequest) -> HttpResponse:
    """Tracking numbers out of the carrier's file."""
    form = TrackingForm(request.POST, request.FILES)
    if not form.is_valid():
        messages.error(request, _("Choisissez le fichier du transporteur."))
        return redirect("sales:worktop")
    data = form.cleaned_data
    try:
        done = services.import_tracking(
            name=data["file"].name,
            data=data["file"].read(),
            carrier=data["carrier"],
            ships=data["ships"],
            at=clock.now(),
            actor=request.user,
        )
    except SphinxError as error:
        messages.error(request, error.message)
        return redirect("sales:worktop")
    messages.success(
        request,
        _("%(noted)s n° de suivi notés, %(shipped)s bons expédiés.")
        % {"noted": done.noted, "shipped": done.shipped},
    )
    for fault in done.faults[:20]:
        messages.warning(request, fault)
    return redirect("sales:worktop")
