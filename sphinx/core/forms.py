"""Forms of the settings."""

from io import BytesIO
from typing import Any

from django import forms
from django.contrib.auth.models import Group
from django.utils.translation import gettext_lazy as _
from PIL import Image, UnidentifiedImageError
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminFileFieldWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminTextareaWidget,
    UnfoldBooleanSwitchWidget,
)

from sphinx.core.errors import ServerRejected
from sphinx.core.models import Company, ExchangeRate, Shop
from sphinx.core.ssh_keys import parse_host_keys, without_passphrase

MAX_LOGO = 500 * 1024
_FORMATS = ("PNG", "JPEG")


class CurrencyForm(forms.ModelForm):
    """A form with a currency's code, typed in any case."""

    def clean_currency(self) -> str:
        """In capitals, as files have it."""
        return str(self.cleaned_data["currency"]).strip().upper()


class ShopForm(CurrencyForm):
    """A shop."""

    class Meta:
        model = Shop
        fields = "__all__"  # noqa: DJ007 (every setting)


class ExchangeRateForm(CurrencyForm):
    """A rate typed by hand."""

    class Meta:
        model = ExchangeRate
        fields = ("currency", "valid_from", "units_per_euro")

    def _get_validation_exclusions(self) -> set[str]:
        """The source isn't typed, but there is one rate of each a day."""
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        return excluded - {"source"}


class CompanyForm(forms.ModelForm):
    """The firm, with its logo brought as a file."""

    logo_file = forms.FileField(
        label=_("Logo (PNG ou JPEG, 500 ko au plus)"),
        required=False,
        widget=UnfoldAdminFileFieldWidget,
        help_text=_("Laissez vide pour garder celui qui est imprimé."),
    )
    removes_logo = forms.BooleanField(
        label=_("Imprimer sans logo"), required=False, widget=UnfoldBooleanSwitchWidget
    )

    second_factor_roles = forms.ModelMultipleChoiceField(
        label=_("Second facteur exigé des rôles"),
        queryset=Group.objects.order_by("name"),
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("Sans téléphone ni clé de sécurité, leurs pages restent fermées."),
    )

    class Meta:
        model = Company
        exclude = ("logo",)  # noqa: DJ006 (every setting, and the logo by its file)

    def clean_logo_file(self) -> Any:
        """An image that printers can print."""
        file = self.cleaned_data["logo_file"]
        if not file:
            return None
        if file.size > MAX_LOGO:
            raise forms.ValidationError(_("Ce logo dépasse 500 ko."))
        data = file.read()
        try:
            Image.open(BytesIO(data), formats=_FORMATS).verify()
        except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
            raise forms.ValidationError(_("Ce n'est pas une image PNG ou JPEG.")) from error
        return data

    def save(self, commit: bool = True) -> Any:
        if self.cleaned_data["removes_logo"]:
            self.instance.logo = b""
        elif self.cleaned_data["logo_file"]:
            self.instance.logo = self.cleaned_data["logo_file"]
        return super().save(commit)


class ServerForm(forms.ModelForm):
    """A row with a server's account: its secrets are written here, tried, and never shown."""

    password = forms.CharField(
        label=_("mot de passe"),
        required=False,
        widget=UnfoldAdminPasswordWidget,
        help_text=_("Laissez vide pour garder celui qui est enregistré."),
    )
    private_key = forms.CharField(
        label=_("clé privée SSH"),
        required=False,
        widget=UnfoldAdminTextareaWidget,
        help_text=_("Laissez vide pour garder celle qui est enregistrée."),
    )
    passphrase = forms.CharField(
        label=_("phrase secrète de la clé"),
        required=False,
        strip=False,
        widget=UnfoldAdminPasswordWidget,
        help_text=_("Si la clé en a une : elle sert ici, une fois, et n'est pas gardée."),
    )

    def clean_host_key(self) -> str:
        """Keys that can be read, in whatever form they were pasted."""
        text = str(self.cleaned_data["host_key"])
        if text.strip():
            try:
                parse_host_keys(text)
            except ServerRejected as error:
                raise forms.ValidationError(error.message) from error
        return text

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("private_key"):
            try:
                data["private_key"] = without_passphrase(
                    data["private_key"], data.get("passphrase", "")
                )
            except ServerRejected as error:
                self.add_error("private_key", error.message)
        return data
