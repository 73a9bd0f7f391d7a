"""What people bring about suppliers."""

from itertools import pairwise
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from sphinx.core.validators import validate_upload_size
from suppliers.calendars import kept_as, weekdays_of
from suppliers.models import Supplier


class WeekdaysField(forms.TypedMultipleChoiceField):
    """Days of the week to tick, kept as a sum (suppliers.calendars)."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=list(WEEKDAYS.items()), coerce=int, required=False, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return weekdays_of(value) if isinstance(value, int) else value

    def clean(self, value: Any) -> Any:
        return kept_as(super().clean(value))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed([str(day) for day in weekdays_of(initial or 0)], data)


class ClosuresFormSet(forms.BaseInlineFormSet):
    """A supplier's closures: each in order, no two on the same day."""

    def clean(self) -> None:
        super().clean()
        kept = [
            (form.cleaned_data["first_day"], form.cleaned_data["last_day"])
            for form in self.forms
            if form.cleaned_data.get("first_day")
            and form.cleaned_data.get("last_day")
            and not form.cleaned_data.get("DELETE")
        ]
        for first, last in kept:
            if first > last:
                raise ValidationError(
                    gettext("Une fermeture finit avant de commencer : du %(first)s au %(last)s.")
                    % {"first": f"{first:%d/%m/%Y}", "last": f"{last:%d/%m/%Y}"}
                )
        kept.sort()
        for (_first, last), (first, _last) in pairwise(kept):
            if first <= last:
                raise ValidationError(
                    gettext("Deux fermetures se chevauchent le %s : réunissez-les.")
                    % f"{first:%d/%m/%Y}"
                )


class PriceListForm(forms.Form):
    """A price list as the supplier sent it."""

    supplier = forms.ModelChoiceField(
        Supplier.objects.filter(is_active=True),
        label=_("Fournisseur"),
        widget=forms.Select(attrs={"class": "sx-select"}),
        empty_label=None,
    )
    file = forms.FileField(
        label=_("Tarif (CSV ou Excel)"),
        validators=[validate_upload_size],
        widget=forms.FileInput(attrs={"class": "sx-select", "accept": ".csv,.txt,.xlsx"}),
        help_text=_("Tel que le fournisseur l'envoie : les colonnes sont reconnues toutes seules."),
    )
    applies_on = forms.DateField(
        label=_("Valable à partir du"),
        widget=forms.DateInput(attrs={"class": "sx-select", "type": "date"}, format="%Y-%m-%d"),
    )
