"""The register of personal data, and what is held of one customer: taken away, or forgotten."""

import json

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from sphinx.core import privacy
from sphinx.core.errors import SphinxError
from sphinx.core.pages import back_office_page

_may_answer = permission_required("customers.forget_customer", raise_exception=True)


@login_required
@permission_required("core.view_company", raise_exception=True)
def register(request: HttpRequest) -> HttpResponse:
    """What is held, why, on what ground, how long."""
    return back_office_page(
        request,
        "core/privacy.html",
        title=_("Registre des données personnelles"),
        holdings=privacy.holdings(),
    )


@login_required
@_may_answer
def person(request: HttpRequest, customer_id: int) -> HttpResponse:
    """What is held of a customer, and what stands against forgetting it."""
    told = privacy.told(customer_id)
    rows = [(h, len(told[h.name])) for h in privacy.holdings() if h.tell]
    return back_office_page(
        request,
        "core/privacy_person.html",
        title=_("Données personnelles"),
        rows=rows,
        customer_id=customer_id,
        against=privacy.refusals(customer_id),
    )


@login_required
@_may_answer
def take_away(request: HttpRequest, customer_id: int) -> HttpResponse:
    """All of it as JSON: a structured, commonly used format (GDPR art. 20)."""
    data = json.dumps(
        privacy.told(customer_id), cls=DjangoJSONEncoder, ensure_ascii=False, indent=1
    )
    response = HttpResponse(data, content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="donnees-client-{customer_id}.json"'
    return response


@login_required
@_may_answer
@require_POST
def forget(request: HttpRequest, customer_id: int) -> HttpResponse:
    """Cut what the law doesn't keep."""
    if request.POST.get("sure") != "1":
        messages.error(request, _("Cochez la case : ce qui est effacé ne revient pas."))
        return redirect("core:privacy_person", customer_id)
    try:
        cut = privacy.forget(customer_id, actor=request.user)
    except SphinxError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("Effacé : %s lignes.") % sum(cut.values()))
    return redirect("core:privacy_person", customer_id)
