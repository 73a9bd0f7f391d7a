"""Why an amount goes to its account: the rules that fit, in the order in which they win."""

from decimal import Decimal
from typing import Any

from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from accounting_export.accounts import AccountBook, Question
from accounting_export.forms import WhyForm
from accounting_export.models import JournalLine
from sphinx.core.pages import back_office_page
from sphinx.core.typed import key_of


@login_required
@permission_required("accounting_export.view_accountrule", raise_exception=True)
def why(request: HttpRequest) -> HttpResponse:
    """Asked of a line of an entry, or of an amount described by hand."""
    line = _line(request.GET.get("ligne", ""))
    form = WhyForm(_described(line) if line else request.GET or None)
    rules = None
    if form.is_valid():
        rules = AccountBook().fitting(_question(form.cleaned_data))
    return back_office_page(
        request,
        "accounting_export/why.html",
        title=_("Pourquoi ce compte ?"),
        form=form,
        line=line,
        rules=rules,
        is_same=bool(line and rules and rules[0].account.number == line.account),
    )


def _line(pk: str) -> JournalLine | None:
    rows = JournalLine.objects.select_related(
        "entry__invoice__shop", "entry__supplier_invoice__supplier", "entry__journal"
    )
    return rows.filter(pk=key_of(pk) or 0).first()


def _described(line: JournalLine) -> dict[str, Any]:
    """The question that the line's account answered."""
    invoice = line.entry.invoice
    described: dict[str, Any] = {"nature": line.nature}
    if invoice:
        described |= {
            "regime": invoice.tax_regime,
            "country": invoice.country,
            "shop": invoice.shop_id,
        }
    if line.tax_rate is not None:
        described["tax_rate"] = line.tax_rate
    return described


def _question(data: dict[str, Any]) -> Question:
    rate: Decimal | None = data["tax_rate"]
    shop = data["shop"]
    return Question(data["nature"], data["regime"], rate, data["country"], shop and shop.pk)
