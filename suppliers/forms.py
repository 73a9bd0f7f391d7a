"""What people bring about suppliers."""

from django import forms
from django.utils.translation import gettext_lazy as _

from sphinx.core.validators import validate_upload_size
from suppliers.models import Supplier


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
