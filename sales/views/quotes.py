"""Quotes in the browser: who waits for what, one page to write and to follow each."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.db.models import Q
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django_countries import countries

from customers.models import Customer
from customers.services import add_professional
from sales import services
from sales.forms import ProfessionalForm, ShopForm
from sales.models import OrderAddresses, Quote
from sales.services import Offered, Terms
from sphinx.core import clock
from sphinx.core.errors import InputError, SphinxError
from sphinx.core.history import history_of
from sphinx.core.pages import back_office_page
from sphinx.core.typed import key_of, typed_day, typed_number

SHOWN = 100
FOUND = 20
BLANK_ROWS = 3
Status = Quote.Status
_CELLS = ("sku", "label", "quantity", "price", "discount", "rate")
Row = dict[str, Any]


@login_required
@permission_required("sales.view_quote", raise_exception=True)
def quotes(request: HttpRequest) -> HttpResponse:
    """Quotes to finish, those that wait for an answer, the last answers."""
    rows = Quote.objects.select_related("customer", "order")
    return back_office_page(
        request,
        "sales/quotes.html",
        title=_("Devis"),
        today=clock.today(),
        groups=[
            (Status.SENT.label, "warning", rows.filter(status=Status.SENT).order_by("valid_until")),
            (Status.DRAFT.label, "info", rows.filter(status=Status.DRAFT)),
            (_("Acceptés"), "success", rows.filter(status=Status.ACCEPTED)[:20]),
            (Status.REFUSED.label, "", rows.filter(status=Status.REFUSED)[:20]),
        ],
        shown=SHOWN,
    )


@login_required
@permission_required("sales.add_quote", raise_exception=True)
def new_quote(request: HttpRequest) -> HttpResponse:
    """For whom: a customer who is known, or a professional entered here."""
    asked = request.GET.get("q", "").strip()
    shop_form = ShopForm(request.POST or None)
    form = ProfessionalForm(request.POST if request.POST.get("verb") == "new" else None)
    if request.method == "POST" and shop_form.is_valid():
        try:
            customer = _customer(request, form, shop_form.cleaned_data["shop"])
        except SphinxError as error:
            messages.error(request, error.message)
        else:
            if customer:
                made = services.start_quote(
                    customer_id=customer.pk,
                    shop=shop_form.cleaned_data["shop"],
                    at=clock.now(),
                    actor=request.user,
                )
                return redirect("sales:quote", made.pk)
    return back_office_page(
        request,
        "sales/new_quote.html",
        title=_("Nouveau devis"),
        asked=asked,
        found=_customers(asked, request.GET.get("client", "")),
        shop_form=shop_form,
        form=form,
    )


def _customer(request: HttpRequest, form: ProfessionalForm, shop: Any) -> Customer | None:
    """Who was chosen, or entered; None when the form has faults.

    Raises:
        BusinessRuleError: an identifier isn't one.
    """
    if request.POST.get("verb") != "new":
        pk = key_of(request.POST.get("customer"))
        return get_object_or_404(Customer, pk=pk, merged_into=None)
    if not form.is_valid():
        return None
    before = Customer.objects.filter(email=form.cleaned_data["email"].lower()).exists()
    customer = add_professional(shop=shop, draft=form.draft(), at=clock.now())
    if before:
        messages.info(request, _("%s est déjà connu par son e-mail.") % customer.name)
    return customer


def _customers(asked: str, pk: str) -> list[Customer]:
    known = Customer.objects.filter(merged_into=None)
    if key := key_of(pk):
        return list(known.filter(pk=key))
    if not asked:
        return []
    names = ("company_name", "last_name", "email", "code", "siren", "vat_number")
    wanted = Q()
    for name in names:
        wanted |= Q(**{f"{name}__icontains": asked})
    return list(known.filter(wanted).order_by("-kind", "-pk")[:FOUND])


@login_required
@permission_required("sales.view_quote", raise_exception=True)
def quote(request: HttpRequest, quote_id: int) -> HttpResponse:
    """A quote: written while a draft, then followed until its answer."""
    found = get_object_or_404(
        Quote.objects.select_related("customer", "shop", "order"), pk=quote_id
    )
    may_change = request.user.has_perm("sales.change_quote")
    typed: list[Row] | None = None
    if request.method == "POST":
        act = _VERBS.get(request.POST.get("verb", ""))
        if act is None or not may_change:
            raise Http404
        try:
            return redirect("sales:quote", act(request, found))
        except SphinxError as error:
            messages.error(request, error.message)
            typed = _typed_rows(request)
    return back_office_page(
        request,
        "sales/quote_page.html",
        title=_("Devis %s") % found.number,
        history=history_of(found),
        quote=found,
        may_change=may_change,
        rows=_shown_rows(found, typed),
        lines=list(found.lines.all()),
        terms=request.POST if typed else None,
        addresses=_shown_addresses(found, request),
        countries=list(countries),
        is_over=found.status == Status.SENT and found.valid_until < clock.today(),
    )


def _typed_rows(request: HttpRequest) -> list[Row]:
    rows = []
    for n in range(services.MAX_QUOTE_LINES + BLANK_ROWS):
        if f"sku-{n}" not in request.POST:
            break
        rows.append({name: request.POST.get(f"{name}-{n}", "").strip() for name in _CELLS})
    return rows


def _shown_rows(found: Quote, typed: list[Row] | None) -> list[Row]:
    rows = typed or [
        {
            "sku": line.sku,
            "label": line.label,
            "quantity": line.quantity,
            "price": line.unit_price_excl_tax,
            "discount": line.discount_percent or "",
            "rate": line.tax_rate,
            "total": line.total_excl_tax,
        }
        for line in found.lines.all()
    ]
    filled = [row for row in rows if any(row.values())]
    return filled + [dict.fromkeys(_CELLS, "") for _n in range(BLANK_ROWS)]


def _address_fields() -> list[Any]:
    return list(OrderAddresses._meta.get_fields())


def _shown_addresses(found: Quote, request: HttpRequest) -> list[tuple[str, list[Any]]]:
    """Both addresses as (title, fields): name, label, longest, what it says."""

    def fields(prefix: str) -> list[Any]:
        return [
            (f.name, f.verbose_name, f.max_length, request.POST.get(f.name, getattr(found, f.name)))
            for f in _address_fields()
            if f.name.startswith(prefix)
        ]

    return [(_("Facturé à"), fields("billing")), (_("Livré à"), fields("shipping"))]


def _offered(request: HttpRequest) -> list[Offered]:
    """The lines as typed.

    Raises:
        InputError: a cell isn't a number; each is named.
    """
    lines, wrong = [], []
    for n, row in enumerate(_typed_rows(request), start=1):
        if not any(row.values()):
            continue
        try:
            lines.append(
                Offered(
                    sku=row["sku"],
                    label=row["label"],
                    quantity=typed_number(row["quantity"] or "1"),
                    unit_price=typed_number(row["price"], places=6, digits=7)
                    if row["price"]
                    else None,
                    discount_percent=typed_number(row["discount"], places=2, digits=3),
                    tax_rate=typed_number(row["rate"], places=2, digits=3) if row["rate"] else None,
                )
            )
        except InputError as error:
            wrong.append(_("Ligne %(n)s : %(reason)s") % {"n": n, "reason": error.message})
    if wrong:
        raise InputError(" ".join(wrong), code="typed.number")
    return lines


def _terms(request: HttpRequest) -> Terms:
    posted = request.POST
    rate = posted.get("shipping_rate", "").strip()
    addresses = {
        f.name: posted[f.name].strip()[: f.max_length]
        for f in _address_fields()
        if f.name in posted
    }
    for name in ("billing_country", "shipping_country"):
        if addresses.get(name) and not countries.name(addresses[name]):
            raise InputError(_("Choisissez un pays de la liste."), code="typed.country")
    return Terms(
        valid_until=typed_day(posted.get("valid_until", "")),
        shipping=typed_number(posted.get("shipping", ""), places=2),
        shipping_tax_rate=typed_number(rate, places=2, digits=3) if rate else None,
        reference=posted.get("reference", ""),
        note=posted.get("note", "")[:2000],
        addresses=addresses,
    )


def _write(request: HttpRequest, found: Quote) -> int:
    services.write_quote(
        quote_id=found.pk, lines=_offered(request), terms=_terms(request), actor=request.user
    )
    return found.pk


def _send(request: HttpRequest, found: Quote) -> int:
    if found.status == Status.DRAFT:
        _write(request, found)
    by_email = request.POST["verb"] == "mail"
    services.send_quote(quote_id=found.pk, by_email=by_email, at=clock.now(), actor=request.user)
    told = _("L'e-mail part avec le PDF.") if by_email else _("Noté comme remis au client.")
    messages.success(request, told)
    return found.pk


def _prolong(request: HttpRequest, found: Quote) -> int:
    until = typed_day(request.POST.get("valid_until", ""))
    services.prolong_quote(quote_id=found.pk, until=until, actor=request.user)
    return found.pk


def _accept(request: HttpRequest, found: Quote) -> int:
    order = services.accept_quote(quote_id=found.pk, at=clock.now(), actor=request.user)
    messages.success(request, _("Accepté : la commande %s est à préparer.") % order.number)
    return found.pk


def _refuse(request: HttpRequest, found: Quote) -> int:
    reason = request.POST.get("reason", "")
    services.refuse_quote(quote_id=found.pk, reason=reason, at=clock.now(), actor=request.user)
    return found.pk


def _copy(request: HttpRequest, found: Quote) -> int:
    made = services.copy_quote(quote_id=found.pk, at=clock.now(), actor=request.user)
    return made.pk


_VERBS: dict[str, Callable[[HttpRequest, Quote], int]] = {
    "write": _write,
    "send": _send,
    "mail": _send,
    "prolong": _prolong,
    "accept": _accept,
    "refuse": _refuse,
    "copy": _copy,
}


@login_required
@permission_required("sales.view_quote", raise_exception=True)
def quote_pdf(request: HttpRequest, quote_id: int) -> FileResponse:
    """The quote as the customer gets it."""
    found = get_object_or_404(Quote.objects.select_related("customer"), pk=quote_id)
    path = services.render_quote(found)
    return FileResponse(path.open("rb"), as_attachment=True, filename=path.name)
