from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectWidget,
)

from ftp_ingest.models import Feed
from ftp_ingest.transports import enclosure
from ftp_ingest.transports.base import is_safe
from sphinx.core.errors import ServerRejected
from sphinx.core.forms import ServerForm
from sphinx.core.models import Shop

_WAY_OUT = _("Un nom de fichier, un dossier devant au besoin, sans « .. » ni « / » au début.")


class FeedForm(ServerForm):
    """A feed; see ServerForm for its secrets."""

    class Meta:
        model = Feed
        fields = (
            "code shop protocol host port username host_key tls_certificate directory pattern "
            "subfolders is_passive readiness ready_mark after_fetch keep_days interval_minutes "
            "next_due_at warn_after warn_emails silent_after_hours stock_file "
            "shipment_file shipments_since is_active"
        ).split()

    def clean_shipment_file(self) -> str:
        """The name of a file, with folders before it perhaps: no way out of the feed's."""
        name = str(self.cleaned_data["shipment_file"]).strip()
        if name and not is_safe(name):
            raise forms.ValidationError(_WAY_OUT)
        return name

    def clean(self) -> dict[str, Any]:
        """On this machine a feed stays below the folder that the operator names."""
        data = super().clean()
        if data.get("protocol") != Feed.Protocol.FOLDER:
            return data
        try:
            enclosure.steps_to(data.get("directory") or ".")
        except ServerRejected as error:
            self.add_error("directory", error.message)
        if (name := data.get("stock_file")) and not is_safe(name):
            self.add_error("stock_file", _WAY_OUT)
        return data


class UploadForm(forms.Form):
    """Files brought by hand, for one shop."""

    shop = forms.ModelChoiceField(
        label=_("Boutique"),
        queryset=Shop.objects.filter(is_active=True),
        widget=UnfoldAdminSelectWidget,
    )
    customers = forms.FileField(
        label=_("Fichier des clients"), required=False, widget=UnfoldAdminFileFieldWidget
    )
    orders = forms.FileField(
        label=_("Fichier des commandes"), required=False, widget=UnfoldAdminFileFieldWidget
    )
    dry_run = forms.BooleanField(
        label=_("Essai : montrer ce qui se passerait, ne rien garder"), required=False
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not data.get("customers") and not data.get("orders"):
            raise forms.ValidationError(_("Choisissez au moins un fichier."))
        return data
