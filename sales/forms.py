"""What people bring about deliveries and quotes."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django_countries import countries

from customers.drafts import AddressDraft, CustomerDraft
from sphinx.core.models import Shop
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


_TEXT = forms.TextInput(attrs={"class": "sx-select"})


def _text(label: Any, length: int, *, required: bool = False) -> forms.CharField:
    return forms.CharField(label=label, max_length=length, required=required, widget=_TEXT)


class ShopForm(forms.Form):
    """The shop whose stock and accounts an order will draw on."""

    shop = forms.ModelChoiceField(
        Shop.objects.filter(is_active=True).order_by("pk"),
        label=_("Boutique"),
        empty_label=None,
        widget=forms.Select(attrs={"class": "sx-select"}),
    )


class ProfessionalForm(forms.Form):
    """A professional who hasn't bought yet."""

    company = _text(_("Raison sociale"), 120, required=True)
    email = forms.EmailField(
        label=_("E-mail"), max_length=254, widget=forms.EmailInput(attrs={"class": "sx-select"})
    )
    siret = _text(_("SIREN ou SIRET"), 14)
    vat_number = _text(_("N° de TVA"), 20)
    first_name = _text(_("Prénom du contact"), 80)
    last_name = _text(_("Nom du contact"), 80)
    phone = _text(_("Téléphone"), 30)
    address1 = _text(_("Adresse"), 120)
    address2 = _text(_("Complément"), 120)
    postcode = _text(_("Code postal"), 16)
    city = _text(_("Ville"), 80)
    country = forms.ChoiceField(
        label=_("Pays"),
        choices=countries,
        initial="FR",
        widget=forms.Select(attrs={"class": "sx-select"}),
    )

    def clean_siret(self) -> str:
        """Digits only."""
        return "".join(self.cleaned_data["siret"].split())

    def draft(self) -> CustomerDraft:
        """What was typed, as customers come in."""
        data = self.cleaned_data
        person = ("email", "first_name", "last_name", "company", "vat_number", "siret", "phone")
        where = ("address1", "address2", "postcode", "city", "country")
        name = f"{data['first_name']} {data['last_name']}".strip()
        return CustomerDraft(
            is_business=True,
            address=AddressDraft(name=name, **{field: data[field] for field in where}),
            **{field: data[field] for field in person},
        )
