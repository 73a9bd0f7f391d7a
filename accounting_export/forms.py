from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminDateWidget, UnfoldAdminSelectWidget

from accounting_export.formats import formats
from accounting_export.models import Journal


class ExportForm(forms.Form):
    """The period and the accountant's format."""

    date_from = forms.DateField(label=_("Du"), widget=UnfoldAdminDateWidget)
    date_to = forms.DateField(label=_("Au"), widget=UnfoldAdminDateWidget)
    format_code = forms.ChoiceField(
        label=_("Format"),
        choices=lambda: [(f.code, f.label) for f in formats()],
        widget=UnfoldAdminSelectWidget,
    )
    journals = forms.ModelMultipleChoiceField(
        queryset=Journal.objects.all(),
        to_field_name="code",
        label=_("Journaux"),
        widget=forms.CheckboxSelectMultiple,
    )
