"""What the back-office's lists share: read-only rows, totals, actions that call services."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from import_export.admin import ImportExportModelAdmin
from unfold.admin import ModelAdmin
from unfold.contrib.import_export.forms import ExportForm, ImportForm
from unfold.decorators import display

from sphinx.core.errors import SphinxError
from sphinx.core.jobs import Deed, start_job
from sphinx.core.lists import PersonalList
from sphinx.core.resources import FORMATS
from sphinx.core.templatetags.numbers import bare

# More rows than this are done by a worker.
AT_ONCE = 20


class _Tones(dict[str, str]):
    """What isn't named has no colour."""

    def __missing__(self, key: str) -> None:
        return None


def badge(field: str, title: Any, **tones: str) -> Callable[[Any, Any], tuple[str, str]]:
    """A column that says a choice in words on a colour; codes tell it, in any language."""

    @display(description=title, label=_Tones(tones), ordering=field)
    def column(_admin: Any, row: Any) -> tuple[str, str]:
        return getattr(row, field), getattr(row, f"get_{field}_display")()

    return column


class ReadOnlyAdmin(PersonalList, ModelAdmin):
    """Lists and pages of rows that only services write."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class OwnPageAdmin(ReadOnlyAdmin):
    """Lists whose rows open on a page of our own, `own_page`, and are added on `add_page`."""

    own_page = ""
    add_page = ""

    def own_page_id(self, row: Any) -> int:
        """What `own_page` is asked for; the row's id unless told otherwise."""
        return int(row.pk)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        name = f"{self.opts.app_label}.add_{self.opts.model_name}"
        return bool(self.add_page) and request.user.has_perm(name)

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not self.add_page:
            raise PermissionDenied
        return redirect(self.add_page)

    def change_view(
        self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        return redirect(self.own_page, self.own_page_id(row))


class MasterFileAdmin(ImportExportModelAdmin):
    """Lists that go out and come in as CSV or workbook, with preview."""

    formats = FORMATS
    import_form_class = ImportForm
    export_form_class = ExportForm


class KeptAdmin(PersonalList, ModelAdmin):
    """Rows that can be edited but that documents refer to: none is deleted."""

    compressed_fields = True
    warn_unsaved_form = True

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ListTotals:
    """Shows above a list the sums of `totals` (field → label) over all rows that it finds."""

    totals: Mapping[str, Any] = {}

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        response = super().changelist_view(request, extra_context)  # type: ignore[misc]
        if isinstance(response, TemplateResponse) and response.context_data:
            changelist = response.context_data.get("cl")
            if changelist is not None:
                response.context_data["list_totals"] = self.list_totals(changelist.queryset)
        return response

    def list_totals(self, rows: QuerySet[Any]) -> list[tuple[Any, Decimal]]:
        """(label, sum) of each field in `totals`."""
        sums = rows.order_by().aggregate(**{f"sum_{name}": Sum(name) for name in self.totals})
        return [(label, sums[f"sum_{name}"] or Decimal(0)) for name, label in self.totals.items()]


def number(name: str, label: Any, *, places: int = 0) -> Callable[[Any], str]:
    """A column of the field `name` without trailing zeros, `places` decimals at least.

    41 pieces, not 41,000, which reads as forty-one thousand.
    """

    def shown(row: Any) -> str:
        value: Decimal | None = getattr(row, name)
        return "—" if value is None else bare(value, places)

    shown.__name__ = f"shown_{name}"
    return display(description=label, ordering=None if name == "available" else name)(shown)


def run_each(request: HttpRequest, rows: QuerySet[Any], deed: Deed) -> HttpResponse | None:
    """Do the deed to each row: a few at once, many as long work whose page is then shown.

    Says how many were done, and of each that wasn't why.
    """
    ids = list(rows.order_by("pk").values_list("pk", flat=True))
    if len(ids) > AT_ONCE:
        started = start_job(deed.code, actor=request.user, ids=ids)
        return redirect("core:job", started.pk)
    count = 0
    for pk in ids:
        try:
            deed.act(pk, request.user)
            count += 1
        except SphinxError as error:
            messages.error(request, error.message)
    if count:
        messages.success(request, str(deed.done) % {"count": count})
    elif not ids:
        messages.warning(request, _("Rien n'était sélectionné."))
    return None
