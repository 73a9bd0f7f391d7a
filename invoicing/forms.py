"""What people type about money."""

from decimal import Decimal

from django import forms
from django.utils.translation import gettext_lazy as _

from sphinx.core.validators import validate_upload_size

_TEXT = {"class": "sx-select"}


class PaymentForm(forms.Form):
    """Money received for an invoice, or given back."""

    amount = forms.DecimalField(
        label=_("Montant (€)"),
        min_value=Decimal("0.01"),
        max_digits=12,
        decimal_places=2,
        widget=forms.NumberInput(attrs={**_TEXT, "step": "0.01"}),
    )
    paid_on = forms.DateField(
        label=_("Le"), widget=forms.DateInput(attrs={**_TEXT, "type": "date"}, format="%Y-%m-%d")
    )
    method = forms.CharField(
        label=_("Moyen"),
        max_length=80,
        initial=_("Virement"),
        widget=forms.TextInput(attrs={**_TEXT, "list": "methods"}),
    )
    reference = forms.CharField(
        label=_("Référence"),
        required=False,
        max_length=80,
        widget=forms.TextInput(attrs=_TEXT),
        help_text=_("Celle de la banque : la même deux fois est refusée."),
    )
    is_refund = forms.BooleanField(label=_("Rendu au client"), required=False)
    payments = forms.IntegerField(widget=forms.HiddenInput, required=False)


class ElsewhereForm(forms.Form):
    """The invoice of another system that a credit note corrects, and why."""

    number = forms.CharField(
        label=_("Facture d'origine, n°"), max_length=20, widget=forms.TextInput(attrs=_TEXT)
    )
    issued_on = forms.DateField(
        label=_("du"), widget=forms.DateInput(attrs={**_TEXT, "type": "date"}, format="%Y-%m-%d")
    )
    reason = forms.CharField(
        label=_("Motif"),
        max_length=200,
        initial=_("Retour"),
        widget=forms.TextInput(attrs=_TEXT),
    )


class StatementForm(forms.Form):
    """The bank's statement."""

    file = forms.FileField(
        label=_("Relevé de compte (CSV, OFX ou CAMT.053)"),
        validators=[validate_upload_size],
        widget=forms.FileInput(attrs={**_TEXT, "accept": ".csv,.txt,.ofx,.xml,.xlsx,.qfx"}),
    )


class PayoutForm(forms.Form):
    """A payment provider's file."""

    file = forms.FileField(
        label=_("Export de Stripe, PayPal ou Shopify Payments (CSV)"),
        validators=[validate_upload_size],
        widget=forms.FileInput(attrs={**_TEXT, "accept": ".csv,.txt,.xlsx"}),
    )
