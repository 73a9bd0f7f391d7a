from typing import Any

from django.contrib import admin, messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.text import Truncator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from ftp_ingest import jobs, services, tasks
from ftp_ingest.forms import FeedForm
from ftp_ingest.models import Feed, FeedRun, QuarantinedRow, ReceivedFile, ShipmentFile
from ftp_ingest.selectors import reasons
from sphinx.core import clock
from sphinx.core.admin_tools import KeptAdmin, ReadOnlyAdmin, badge, run_each
from sphinx.core.credentials import set_credentials


@admin.register(Feed)
class FeedAdmin(KeptAdmin):
    form = FeedForm
    list_display = [
        "code",
        "shop",
        "protocol",
        "host",
        "interval_minutes",
        "next_due_at",
        "failures",
        "is_active",
        "test",
    ]
    list_filter = ["protocol", "is_active", "shop"]
    list_select_related = ["shop"]
    search_fields = ["code", "host"]
    actions = ["pull_now"]

    @display(description=_("Connexion"))
    def test(self, feed: Feed) -> str:
        url = reverse("ftp_ingest:probe", args=[feed.pk])
        return format_html('<a href="{}">{}</a>', url, _("Tester"))

    def save_model(self, request: HttpRequest, obj: Feed, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        set_credentials(
            obj,
            password=form.cleaned_data.get("password", ""),
            private_key=form.cleaned_data.get("private_key", ""),
        )
        services.begin_telling(feed_id=obj.pk, at=clock.now())

    @admin.action(description=_("Relever maintenant"), permissions=["change"])
    def pull_now(self, request: HttpRequest, queryset: Any) -> None:
        for feed in queryset:
            tasks.pull_feed.delay(feed_id=feed.pk)
        messages.info(
            request,
            _("Relève lancée. Suivez-la dans Passages : elle continue si vous quittez la page."),
        )


@admin.register(FeedRun)
class FeedRunAdmin(ReadOnlyAdmin):
    list_display = ["started_at", "feed", "shop", "state", "orders", "finished_at", "error", "page"]
    list_filter = ["status", "feed", "shop"]
    list_select_related = ["feed", "shop"]
    date_hierarchy = "started_at"

    state = badge(
        "status",
        _("État"),
        running="info",
        done="success",
        nothing_new="success",
        done_with_problems="warning",
        failed="danger",
        undone="warning",
    )

    @display(description=_("Détail"))
    def page(self, run: FeedRun) -> str:
        url = reverse("ftp_ingest:run", args=[run.pk])
        return format_html('<a href="{}">{}</a>', url, _("Ouvrir"))

    @display(description=_("Commandes nouvelles"))
    def orders(self, run: FeedRun) -> int:
        return run.counts.get("orders", {}).get("created", 0)


@admin.register(ReceivedFile)
class ReceivedFileAdmin(ReadOnlyAdmin):
    list_display = [
        "received_at",
        "name",
        "shop",
        "kind",
        "dialect",
        "row_count",
        "state",
        "download",
    ]
    list_filter = ["status", "kind", "dialect", "shop"]
    list_select_related = ["shop"]
    search_fields = ["name", "sha256"]
    date_hierarchy = "received_at"

    state = badge("status", _("État"), received="info", applied="success", refused="danger")

    @display(description=_("Fichier"))
    def download(self, file: ReceivedFile) -> str:
        if not file.is_recognised:
            return gettext("Pas un fichier de boutique")
        url = reverse("ftp_ingest:archived", args=[file.pk])
        return format_html('<a href="{}">{}</a>', url, _("Télécharger"))


@admin.register(ShipmentFile)
class ShipmentFileAdmin(ReadOnlyAdmin):
    list_display = ["made_at", "name", "feed", "notes", "sent_at", "failures", "error"]
    list_filter = ["feed"]
    list_select_related = ["feed"]
    search_fields = ["name"]
    date_hierarchy = "made_at"

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).annotate(note_count=Count("shipments"))

    @display(description=_("Bons de livraison"))
    def notes(self, file: Any) -> int:
        return int(file.note_count)


class CauseFilter(admin.SimpleListFilter):
    """By reason, in words; what waits most often first."""

    title = _("cause")
    parameter_name = "code"
    _LONGEST = 90

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            (code, f"{Truncator(cause).chars(self._LONGEST)} ({total})")
            for code, cause, total in reasons()
        ]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(code=self.value()) if self.value() else queryset


@admin.register(QuarantinedRow)
class QuarantinedRowAdmin(ReadOnlyAdmin):
    list_display = ["file", "line", "number", "message", "state", "resolution", "mend"]
    list_filter = ["status", CauseFilter, "file__shop"]
    list_select_related = ["file"]
    search_fields = ["number", "external_id", "message", "file__name"]
    actions = ["replay", "dismiss"]

    def has_mend_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("ftp_ingest.change_quarantinedrow")

    state = badge(
        "status",
        _("État"),
        open="danger",
        resolved="success",
        dismissed="warning",
        superseded="info",
    )

    @display(description=_("Corriger"))
    def mend(self, row: QuarantinedRow) -> str:
        url = reverse("ftp_ingest:mend", args=[row.pk])
        return format_html('<a href="{}">{}</a>', url, _("Ouvrir"))

    @admin.action(description=_("Rejouer (la cause est corrigée)"), permissions=["mend"])
    def replay(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        return run_each(request, queryset, jobs.REPLAY)

    @admin.action(description=_("Écarter (ne sera pas intégrée)"), permissions=["mend"])
    def dismiss(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        return run_each(request, queryset, jobs.DISMISS)
