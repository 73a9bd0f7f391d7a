"""Lists as each person likes them: columns chosen, filters kept under a name and shared."""

from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.contrib.admin.utils import label_for_field
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from sphinx.core.errors import InputError
from sphinx.core.models import ListColumns, SavedFilter

# Which page and which order by place are of the moment: places move with the columns.
_OF_THE_MOMENT = ("p", "o", "e", "all")
MOST_CHARS = 1000


@transaction.atomic
def choose_columns(*, owner: Any, of_list: str, columns: list[str]) -> None:
    """Show only these columns of a list ("app.model") to its reader; none chosen: all of them."""
    if columns:
        ListColumns.objects.update_or_create(
            owner=owner, of_list=of_list, defaults={"columns": columns}
        )
    else:
        ListColumns.objects.filter(owner=owner, of_list=of_list).delete()


@transaction.atomic
def keep_filter(*, owner: Any, of_list: str, name: str, query: str, is_shared: bool) -> SavedFilter:
    """Keep what a list is filtered and searched by; the same name of the same person again.

    Raises:
        InputError: it is longer than anybody filters by.
    """
    asked = [(k, v) for k, v in parse_qsl(query) if k not in _OF_THE_MOMENT]
    query = urlencode(asked)
    if len(query) > MOST_CHARS:
        raise InputError(
            gettext("Ce filtre est trop long pour être gardé."), code="core.long_filter"
        )
    kept, _is_new = SavedFilter.objects.update_or_create(
        owner=owner,
        of_list=of_list,
        name=name[:60],
        defaults={"query": query, "is_shared": is_shared},
    )
    return kept


def filters_for(owner: Any, of_list: str) -> QuerySet[SavedFilter]:
    """One's own filters of a list, and those that others share."""
    return SavedFilter.objects.filter(
        Q(owner=owner) | Q(is_shared=True), of_list=of_list
    ).select_related("owner")


class PersonalList:
    """A list whose reader chooses columns and keeps filters."""

    list_before_template = "core/list_head.html"
    # What else stands above the list, where something does.
    list_head_extra = ""
    search_help_text = _("Chercher dans cette liste")
    # A row costs a millisecond and a half: what one looks at fits in fifty.
    list_per_page = 50

    def get_list_display(self, request: HttpRequest) -> Any:
        columns = list(super().get_list_display(request))  # type: ignore[misc]
        chosen = self._chosen(request)
        # The first column is the link to the row.
        return columns[:1] + [c for c in columns[1:] if not chosen or _key(c) in chosen]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        response = super().changelist_view(request, extra_context)  # type: ignore[misc]
        if isinstance(response, TemplateResponse) and response.context_data is not None:
            of_list = self.opts.label_lower  # type: ignore[attr-defined]
            chosen = self._chosen(request)
            all_columns = super().get_list_display(request)  # type: ignore[misc]
            response.context_data |= {
                "list_name": of_list,
                "list_query": request.GET.urlencode(),
                "list_filters": filters_for(request.user, of_list),
                "list_columns": [
                    (_key(c), self._label(c), not chosen or _key(c) in chosen)
                    for c in list(all_columns)[1:]
                ],
                "list_head_extra": self.list_head_extra,
            }
        return response

    def _chosen(self, request: HttpRequest) -> list[str]:
        """Read once a request."""
        if not hasattr(request, "_sphinx_columns"):
            of_list = self.opts.label_lower  # type: ignore[attr-defined]
            reader: Any = request.user
            found = ListColumns.objects.filter(owner=reader, of_list=of_list).first()
            request._sphinx_columns = found.columns if found else []  # type: ignore[attr-defined]
        return request._sphinx_columns  # type: ignore[attr-defined, no-any-return]

    def _label(self, column: Any) -> str:
        owner: Any = self
        return capfirst(str(label_for_field(column, owner.model, owner)))


def _key(column: Any) -> str:
    return column if isinstance(column, str) else str(column.__name__)
