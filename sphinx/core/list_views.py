"""What a reader chooses of a list."""

from typing import Any

from django.apps import apps
from django.contrib import admin, messages
from django.contrib.admin.exceptions import NotRegistered
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from sphinx.core.errors import InputError
from sphinx.core.lists import choose_columns, keep_filter
from sphinx.core.models import SavedFilter


def _page_of(request: HttpRequest, of_list: str) -> str:
    """The list's address. Raises Http404: there is no such list, or not for this reader."""
    try:
        model: Any = apps.get_model(of_list)
        may_see = admin.site.get_model_admin(model).has_view_or_change_permission(request)
        page = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    except (LookupError, ValueError, NotRegistered, NoReverseMatch) as error:
        raise Http404 from error
    # As the address has it: what is kept is found again by that name.
    if not may_see or of_list != model._meta.label_lower:
        raise Http404
    return page


@login_required
@require_POST
def columns(request: HttpRequest, of_list: str) -> HttpResponse:
    """Show these columns from now on."""
    page = _page_of(request, of_list)
    chosen = (
        [] if "all" in request.POST else [name[:80] for name in request.POST.getlist("column")[:50]]
    )
    choose_columns(owner=request.user, of_list=of_list, columns=chosen)
    return redirect(page)


@login_required
@require_POST
def keep(request: HttpRequest, of_list: str) -> HttpResponse:
    """Keep what the list is filtered by."""
    page, name = _page_of(request, of_list), request.POST.get("name", "").strip()
    query = request.POST.get("query", "")
    if not name:
        messages.error(request, _("Donnez un nom à ce filtre pour le retrouver."))
        return redirect(f"{page}?{query}")
    try:
        kept = keep_filter(
            owner=request.user,
            of_list=of_list,
            name=name,
            query=query,
            is_shared="shared" in request.POST,
        )
    except InputError as error:
        messages.error(request, error.message)
        return redirect(page)
    messages.success(request, _("Le filtre « %(name)s » est gardé.") % {"name": kept.name})
    return redirect(f"{page}?{kept.query}")


@login_required
@require_POST
def forget(request: HttpRequest, pk: int) -> HttpResponse:
    """Forget a filter of one's own."""
    found = get_object_or_404(SavedFilter, pk=pk, owner=request.user)
    found.delete()
    try:
        return redirect(_page_of(request, found.of_list))
    except Http404:
        # A list that the reader may not open any more.
        return redirect("/")
