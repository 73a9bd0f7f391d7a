"""What people bring about deliveries."""

from django import forms
from django.utils.translation import gettext_lazy as _

from sphinx.core.validators import validate_upload_size


class TrackingForm(forms.Form):
    """The carrier's file of parcels."""

    file = forms.FileField(
        label=_("Fichier du transporteur (CSV ou Excel)"),
        validators=[validate_upload_size],
        widget=forms.FileInput(attrs={"class": "sx-select", "accept": ".csv,.txt,.xlsx"}),
    )
    carrier = forms.CharField(
        label=_("Transporteur"),
        required=False,
        max_length=60,
        widget=forms.TextInput(attrs={"class": "sx-select"}),
    )
    ships = forms.BooleanField(label=_("Expédier aussi les bons en préparation"), required=False)
