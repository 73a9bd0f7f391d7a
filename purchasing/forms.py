"""What people type about purchases."""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from inventory.forms import GoodsForm, warehouses
from inventory.models import Product, ProductCategory
from inventory.selectors import find_product
from purchasing.models import Receipt, ReceiptLine, SupplierInvoice
from purchasing.services import Charged
from sphinx.core.clock import PARIS
from sphinx.core.exchange import EURO
from sphinx.core.money import plain
from sphinx.core.templatetags.numbers import sign
from sphinx.core.validators import validate_upload_size
from suppliers.models import Supplier
from suppliers.units import PIECE

_TEXT = forms.TextInput(attrs={"class": "sx-select"})
_CHOICE = forms.Select(attrs={"class": "sx-select"})
_DAY = forms.DateInput(attrs={"class": "sx-select", "type": "date"}, format="%Y-%m-%d")


def money(label: Any, *, required: bool = True) -> forms.DecimalField:
    """An amount."""
    return forms.DecimalField(
        label=label,
        required=required,
        min_value=Decimal(0),
        max_digits=12,
        decimal_places=2,
        widget=forms.NumberInput(attrs={"class": "sx-select", "step": "0.01"}),
    )


def rate() -> forms.DecimalField:
    """Units of a currency for one euro, where it isn't the ECB's of the day."""
    return forms.DecimalField(
        label=_("Cours (unités pour 1 €)"),
        required=False,
        min_value=Decimal("0.000001"),
        max_digits=14,
        decimal_places=6,
        help_text=_("Vide : celui du jour de la facture (le vôtre, sinon celui de la BCE)."),
        widget=forms.NumberInput(attrs={"class": "sx-select", "step": "0.000001"}),
    )


class OrderForm(GoodsForm):
    """An order by hand."""

    field_order = ("supplier", "warehouse", "lines", "note")
    supplier = forms.ModelChoiceField(
        Supplier.objects.filter(is_active=True),
        label=_("Fournisseur"),
        widget=_CHOICE,
        empty_label=None,
    )
    warehouse = warehouses()


class AdjustmentForm(forms.Form):
    """A forecast changed for a time. The service says what doesn't go together."""

    sku = forms.CharField(
        label=_("Article (référence)"),
        required=False,
        max_length=80,
        widget=_TEXT,
        help_text=_("Rien dans ces trois cases : tous les articles."),
    )
    category = forms.ModelChoiceField(
        ProductCategory.objects.all(), label=_("ou catégorie"), required=False, widget=_CHOICE
    )
    supplier = forms.ModelChoiceField(
        Supplier.objects.filter(is_active=True),
        label=_("ou tout ce que vend le fournisseur"),
        required=False,
        widget=_CHOICE,
    )
    first_day = forms.DateField(label=_("Du"), widget=_DAY)
    last_day = forms.DateField(label=_("Au (compris)"), widget=_DAY)
    percent = forms.DecimalField(
        label=_("En plus ou en moins (%)"),
        required=False,
        max_digits=7,
        decimal_places=2,
        widget=forms.NumberInput(attrs={"class": "sx-select", "step": "0.01"}),
        help_text=_("40 : deux cinquièmes de plus ; −100 : rien."),
    )
    weekly = forms.DecimalField(
        label=_("ou pièces par semaine, à la place de la prévision"),
        required=False,
        max_digits=12,
        decimal_places=3,
        min_value=Decimal(0),
        widget=forms.NumberInput(attrs={"class": "sx-select", "step": "0.001"}),
        help_text=_("D'un seul article."),
    )
    reason = forms.CharField(
        label=_("Pourquoi"),
        max_length=200,
        widget=forms.TextInput(attrs={"class": "sx-select", "placeholder": _("soldes, presse…")}),
    )
    is_exceptional = forms.BooleanField(
        label=_("Exceptionnel : une fois passés, ces jours n'apprennent rien"), required=False
    )

    def clean_sku(self) -> Product | None:
        """The article that the reference names."""
        sku = self.cleaned_data["sku"].strip()
        if not sku:
            return None
        found = find_product(sku)
        if found is None:
            raise forms.ValidationError(_("« %s » n'est pas une référence connue.") % sku)
        return found


class InvoiceForm(forms.Form):
    """A supplier's invoice against what came of an order."""

    kind = forms.ChoiceField(label=_("Genre"), choices=SupplierInvoice.Kind, widget=_CHOICE)
    supplier_number = forms.CharField(label=_("N° de la pièce"), max_length=60, widget=_TEXT)
    issued_on = forms.DateField(label=_("Datée du"), widget=_DAY)
    due_on = forms.DateField(label=_("Échéance"), widget=_DAY, required=False)
    carriage = money(_("Port HT"), required=False)
    tax = money(_("TVA"))
    total_incl_tax = money(_("Total TTC"))
    exchange_rate = rate()
    tax_eur = money(_("TVA en euros"), required=False)

    def __init__(
        self,
        *args: Any,
        lines: list[ReceiptLine],
        currency: str,
        is_credit: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        for name in ("carriage", "tax", "total_incl_tax"):
            self.fields[name].label = f"{self.fields[name].label} ({sign(currency)})"
        if currency == EURO:
            del self.fields["exchange_rate"], self.fields["tax_eur"]
        else:
            self.fields["tax_eur"].help_text = _("Si la facture la donne aussi en euros.")
        self.lines = lines
        self.is_credit = is_credit
        for line in lines:
            due = line.quantity - line.quantity_returned - line.quantity_invoiced
            due = max(-due if is_credit else due, Decimal(0))
            unit = line.order_line.unit
            count = unit.whole(due)
            price = line.unit_price_excl_tax
            if not unit.is_piece:
                self.fields[f"u{line.pk}"] = forms.ChoiceField(
                    choices=[("unit", str(unit)), ("piece", _("pièces"))],
                    initial="piece" if count is None else "unit",
                    required=False,
                    widget=_CHOICE,
                )
            self.fields[f"q{line.pk}"] = _figure(plain(due if count is None else count))
            self.fields[f"p{line.pk}"] = _figure(
                plain(price if count is None else unit.price(price))
            )
            if is_credit:
                # Pieces that stay, and what each costs less.
                self.fields[f"s{line.pk}"] = _figure()
                self.fields[f"l{line.pk}"] = _figure()

    def heading(self) -> list[Any]:
        """The fields of the invoice as a whole."""
        return [self[name] for name in self.base_fields if name in self.fields]

    def rows(self) -> list[tuple[ReceiptLine, dict[str, Any]]]:
        """Each receipt line with its fields: quantity, price; what they count, where not pieces;
        of a credit note pieces that stay and what each costs less."""
        names = {"quantity": "q", "price": "p", "unit": "u", "stay": "s", "less": "l"}
        return [
            (
                line,
                {
                    name: self[f"{letter}{line.pk}"]
                    for name, letter in names.items()
                    if f"{letter}{line.pk}" in self.fields
                },
            )
            for line in self.lines
        ]

    def charged(self) -> list[Charged]:
        """What was typed of each line that is charged, or costs less and stays."""
        data, found = self.cleaned_data, []
        for line in self.lines:
            if quantity := data[f"q{line.pk}"]:
                unit = line.order_line.unit if data.get(f"u{line.pk}") == "unit" else PIECE
                price = data[f"p{line.pk}"] or Decimal(0)
                found.append(Charged(line.pk, quantity, price, unit))
            if quantity := data.get(f"s{line.pk}"):
                less = data[f"l{line.pk}"] or Decimal(0)
                found.append(Charged(line.pk, quantity, less, lowers_price=True))
        return found


def _figure(initial: str = "") -> forms.DecimalField:
    """Pieces, or a price a piece."""
    return forms.DecimalField(
        min_value=Decimal(0),
        required=False,
        initial=initial,
        widget=forms.NumberInput(attrs={"class": "sx-select sx-qty", "step": "any"}),
    )


class _Receipts(forms.ModelMultipleChoiceField):
    """Receipts to tick."""

    widget = forms.CheckboxSelectMultiple

    def label_from_instance(self, obj: Any) -> str:
        day = f"{obj.received_at.astimezone(PARIS):%d/%m/%Y}"
        return f"{obj.number}, {day}, {obj.purchase_order.supplier}"


class LandedCostsForm(forms.Form):
    """A carrier's, forwarder's or customs invoice, and the receipts that bear it."""

    supplier = forms.ModelChoiceField(
        Supplier.objects.filter(is_active=True),
        label=_("Transporteur, transitaire"),
        widget=_CHOICE,
        empty_label=None,
    )
    supplier_number = forms.CharField(label=_("N° de la pièce"), max_length=60, widget=_TEXT)
    issued_on = forms.DateField(label=_("Datée du"), widget=_DAY)
    due_on = forms.DateField(label=_("Échéance"), widget=_DAY, required=False)
    amount = money(_("Frais HT"))
    tax = money(_("TVA"))
    total_incl_tax = money(_("Total TTC"))
    exchange_rate = rate()
    spread_by = forms.ChoiceField(
        label=_("Répartir par"), choices=SupplierInvoice.SpreadBy, widget=_CHOICE
    )
    receipts = _Receipts(
        Receipt.objects.none(),
        label=_("Réceptions"),
        error_messages={"required": _("Choisissez au moins une réception.")},
    )

    def __init__(self, *args: Any, since: datetime, chosen: Collection[int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["receipts"]
        assert isinstance(field, _Receipts)  # noqa: S101 (for the types)
        field.queryset = (
            Receipt.objects.filter(Q(received_at__gte=since) | Q(pk__in=chosen))
            .select_related("purchase_order__supplier")
            .order_by("-received_at", "-pk")
        )

    def heading(self) -> list[Any]:
        """All but the receipts."""
        return [self[name] for name in self.base_fields if name != "receipts"]


class _Inputs(forms.FileInput):
    allow_multiple_selected = True


class _Files(forms.FileField):
    """Several files, each checked as one would be."""

    def clean(self, data: Any, initial: Any = None) -> Any:
        return [super(_Files, self).clean(file, initial) for file in data or [None]]


class EinvoiceForm(forms.Form):
    """Electronic invoices as suppliers or a platform sent them."""

    einvoices = _Files(
        label=_("Factur-X (PDF), CII ou UBL (XML)"),
        validators=[validate_upload_size],
        widget=_Inputs(attrs={"class": "sx-select", "multiple": True, "accept": ".pdf,.xml"}),
    )
