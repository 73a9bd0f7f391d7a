from collections.abc import Sequence
from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminDateWidget,
    UnfoldAdminSelectWidget,
)

from accounting_export.formats import formats, shown_label
from accounting_export.models import AccountRule, Journal, Sending
from sphinx.core.forms import ServerForm
from sphinx.core.models import Shop
from sphinx.core.validators import validate_upload_size
from sphinx.core.vat import TaxRegime


class ExportForm(forms.Form):
    """What to hand over, in the accountant's format."""

    scope = forms.ChoiceField(
        label=_("Quoi"),
        choices=[
            ("new", _("Tout ce qui est nouveau depuis le dernier envoi")),
            ("period", _("Une période, sans ce qui a déjà été envoyé")),
            ("again", _("Une période entière, même ce qui a déjà été envoyé")),
        ],
        widget=forms.RadioSelect,
        initial="new",
    )
    date_from = forms.DateField(label=_("Du"), widget=UnfoldAdminDateWidget, required=False)
    date_to = forms.DateField(label=_("Au"), widget=UnfoldAdminDateWidget, required=False)
    format_code = forms.ChoiceField(
        label=_("Format"),
        choices=lambda: [(f.code, shown_label(f)) for f in formats()],
        widget=UnfoldAdminSelectWidget,
    )
    journals = forms.ModelMultipleChoiceField(
        queryset=Journal.objects.all(),
        to_field_name="code",
        label=_("Journaux"),
        widget=forms.CheckboxSelectMultiple,
    )

    is_to_send = forms.BooleanField(label=_("L'envoyer à l'expert-comptable"), required=False)

    def clean(self) -> dict[str, Any]:
        """A period has both its days."""
        data = super().clean() or {}
        if data.get("scope") != "new":
            for name in ("date_from", "date_to"):
                if name in data and not data[name]:
                    self.add_error(name, _("Donnez les deux dates de la période."))
        return data


_SELECT = forms.Select(attrs={"class": "sx-select"})


class SendingForm(ServerForm):
    """How and when batches are sent; see ServerForm for the server's secrets."""

    format = forms.ChoiceField(
        label=_("Format"),
        choices=lambda: [(f.code, shown_label(f)) for f in formats()],
        widget=UnfoldAdminSelectWidget,
    )

    class Meta:
        model = Sending
        fields = (
            "is_active rhythm next_on format journals way email host port username password "
            "private_key passphrase host_key directory"
        ).split()


class FecForm(forms.Form):
    """A fiscal year, by its last day, and the file's dialect."""

    year = forms.ChoiceField(label=_("Exercice clos le"), widget=_SELECT)
    separator = forms.ChoiceField(
        label=_("Séparateur"),
        choices=[("TAB", _("tabulation")), ("PIPE", _("barre « | »"))],
        widget=_SELECT,
    )
    encoding = forms.ChoiceField(
        label=_("Caractères"),
        choices=[("UTF8", "UTF-8"), ("LATIN", "ISO 8859-15")],
        widget=_SELECT,
    )

    def __init__(self, *args: Any, years: Sequence[tuple[date, date]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["year"]
        field.choices = [  # type: ignore[attr-defined]
            (last.isoformat(), f"{last:%d/%m/%Y}") for _first, last in years
        ]


class FecToCheckForm(forms.Form):
    """Any FEC, Sphinx's or another program's."""

    file = forms.FileField(
        label=_("FEC à contrôler"),
        validators=[validate_upload_size],
        widget=forms.FileInput(attrs={"class": "sx-select", "accept": ".txt,.csv"}),
    )


class WhyForm(forms.Form):
    """An amount, by what decides on its account."""

    nature = forms.ChoiceField(label=_("Nature"), choices=AccountRule.Nature, widget=_SELECT)
    regime = forms.ChoiceField(
        label=_("Régime de TVA"),
        choices=[("", "—"), *TaxRegime.choices],
        required=False,
        widget=_SELECT,
    )
    tax_rate = forms.DecimalField(
        label=_("Taux (%)"),
        required=False,
        max_digits=5,
        decimal_places=2,
        widget=forms.TextInput(attrs={"class": "sx-select sx-qty", "inputmode": "decimal"}),
        localize=True,
    )
    country = forms.CharField(
        label=_("Pays (code)"),
        required=False,
        max_length=2,
        widget=forms.TextInput(attrs={"class": "sx-select sx-qty"}),
    )
    shop = forms.ModelChoiceField(
        Shop.objects.order_by("pk"),
        label=_("Boutique"),
        required=False,
        empty_label="—",
        widget=_SELECT,
    )

    def clean_country(self) -> str:
        """In capitals, as rules have it."""
        return str(self.cleaned_data["country"]).upper()
