"""The months: closed ones, and what the next one still waits for."""

from datetime import timedelta

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from accounting_export.models import ClosedMonth
from accounting_export.selectors import month_sums, month_to_close, next_month
from accounting_export.services import close_month
from sphinx.core import clock
from sphinx.core.errors import SphinxError
from sphinx.core.month_checks import left_open
from sphinx.core.pages import back_office_page
from sphinx.core.typed import day_of

SHOWN = 36


@login_required
@permission_required("accounting_export.view_closedmonth", raise_exception=True)
def months(request: HttpRequest) -> HttpResponse:
    """The next month to close with what is open in it, and those that are closed."""
    if request.method == "POST":
        if not request.user.has_perm("accounting_export.add_closedmonth"):
            raise Http404
        _close(request)
        return redirect("accounting_export:months")
    month = month_to_close()
    last = next_month(month) - timedelta(days=1) if month else None
    return back_office_page(
        request,
        "accounting_export/months.html",
        title=_("Clôtures mensuelles"),
        month=month,
        is_over=bool(last and last < clock.today()),
        answers=left_open(month, last) if month and last else [],
        allowed=request.user.get_all_permissions(),
        sums=month_sums(month) if month else None,
        closed=ClosedMonth.objects.select_related("closed_by")[:SHOWN],
        may_close=request.user.has_perm("accounting_export.add_closedmonth"),
    )


def _close(request: HttpRequest) -> None:
    month = day_of(request.POST.get("month"))
    if month is None:
        raise Http404
    try:
        closed = close_month(
            month=month,
            accepts_open="accepts" in request.POST,
            at=clock.now(),
            actor=request.user,
        )
    except SphinxError as error:
        messages.error(request, error.message)
    else:
        shown = {"month": f"{closed.month:%m/%Y}", "count": closed.entry_count}
        messages.success(request, _("%(month)s est clos : %(count)s écritures.") % shown)
