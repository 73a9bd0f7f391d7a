"""What people type about stock."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldBooleanSwitchWidget

from inventory.models import Product, StockCount, Warehouse
from inventory.selectors import find_product
from sphinx.core.errors import InputError
from sphinx.core.images import bounded_jpeg

_TEXT = forms.TextInput(attrs={"class": "sx-select"})
_CHOICE = forms.Select(attrs={"class": "sx-select"})


def warehouses() -> forms.ModelChoiceField:
    """A warehouse to choose."""
    return forms.ModelChoiceField(
        # The one that orders draw on comes first.
        Warehouse.objects.filter(is_direct=False).order_by("-is_default", "code"),
        label=gettext_lazy("Dépôt"),
        widget=_CHOICE,
        empty_label=None,
    )


class CountForm(forms.Form):
    """A count to open."""

    warehouse = warehouses()
    scope = forms.ChoiceField(
        choices=StockCount.Scope, label=gettext_lazy("Que compter ?"), widget=_CHOICE
    )
    scope_value = forms.CharField(
        label=gettext_lazy("Emplacement ou classe"),
        required=False,
        max_length=30,
        widget=_TEXT,
        help_text=gettext_lazy("Le début de l'emplacement (A3), ou la classe (A, B ou C)."),
    )
    is_blind = forms.BooleanField(
        label=gettext_lazy("À l'aveugle : ne pas montrer l'attendu"), required=False, initial=True
    )


class ScanForm(forms.Form):
    """A code read by a scanner, or typed; and how many pieces."""

    code = forms.CharField(max_length=80, label=gettext_lazy("Code-barres ou référence"))
    quantity = forms.DecimalField(
        min_value=Decimal(0), max_digits=12, decimal_places=3, required=False, initial=1
    )
    mode = forms.ChoiceField(choices=[("add", ""), ("set", "")], required=False)
    lot = forms.IntegerField(required=False)
    # The bin at which one stands; ticked, what lies in none.
    place = forms.CharField(required=False, max_length=30)
    bin = forms.CharField(required=False, max_length=30)


class WalkForm(forms.Form):
    """The bins of a warehouse along the walk, a line each."""

    codes = forms.CharField(
        label=gettext_lazy("Emplacements"),
        required=False,
        max_length=200_000,
        widget=forms.Textarea(attrs={"class": "sx-select sx-wide", "rows": 16}),
        help_text=gettext_lazy(
            "Un par ligne, dans l'ordre où l'on passe devant : la liste de prélèvement le suit."
        ),
    )


class MoveGoodsForm(forms.Form):
    """Pieces of an article to take from one bin to another."""

    article = forms.CharField(
        label=gettext_lazy("Code-barres ou référence"), max_length=80, widget=_TEXT
    )
    source = forms.CharField(
        label=gettext_lazy("De l'emplacement"),
        required=False,
        max_length=30,
        widget=_TEXT,
        help_text=gettext_lazy("Vide : de ce qui n'est pas encore rangé."),
    )
    to = forms.CharField(label=gettext_lazy("Vers l'emplacement"), max_length=30, widget=_TEXT)
    quantity = forms.DecimalField(
        label=gettext_lazy("Pièces"),
        min_value=Decimal("0.001"),
        max_digits=12,
        decimal_places=3,
        widget=forms.NumberInput(attrs={"class": "sx-select", "step": "any"}),
    )


class GoodsForm(forms.Form):
    """Goods to move or to buy: a line each, reference then pieces."""

    lines = forms.CharField(
        label=gettext_lazy("Articles"),
        widget=forms.Textarea(attrs={"class": "sx-select sx-wide", "rows": 8}),
        help_text=gettext_lazy("Une ligne par article : référence, puis quantité (TASSE-01 12)."),
    )
    note = forms.CharField(
        label=gettext_lazy("Motif"), required=False, max_length=200, widget=_TEXT
    )

    def clean_lines(self) -> dict[int, Decimal]:
        """Product id → pieces. Each wrong line is named."""
        found: dict[int, Decimal] = {}
        wrong: list[str] = []
        for number, text in enumerate(self.cleaned_data["lines"].splitlines(), start=1):
            if not text.strip():
                continue
            sku, _space, pieces = text.strip().replace(";", " ").rpartition(" ")
            product = find_product(sku) if sku else None
            try:
                quantity = Decimal(pieces.replace(",", "."))
            except ArithmeticError:
                quantity = Decimal(0)
            if product is None:
                wrong.append(
                    _("Ligne %(n)s : « %(sku)s » n'est pas une référence connue.")
                    % {"n": number, "sku": sku or text}
                )
            elif not quantity.is_finite() or quantity <= 0:
                wrong.append(
                    _("Ligne %(n)s : « %(pieces)s » n'est pas une quantité.")
                    % {"n": number, "pieces": pieces}
                )
            else:
                found[product.pk] = found.get(product.pk, Decimal(0)) + quantity
        if wrong:
            raise forms.ValidationError(wrong)
        return found


class TransferForm(GoodsForm):
    """Goods to send from one warehouse to another."""

    field_order = ("source", "destination", "lines", "note")
    source = warehouses()
    destination = warehouses()


class CorrectionForm(forms.Form):
    """Pieces to take out or add, with the reason."""

    kind = forms.ChoiceField(
        choices=[
            ("loss", gettext_lazy("Perte, casse, vol : sortir")),
            ("less", gettext_lazy("Erreur de saisie : sortir")),
            ("more", gettext_lazy("Erreur de saisie : ajouter")),
        ],
        label=gettext_lazy("Que s'est-il passé ?"),
        widget=_CHOICE,
    )
    quantity = forms.DecimalField(
        label=gettext_lazy("Pièces"),
        min_value=Decimal("0.001"),
        max_digits=12,
        decimal_places=3,
        widget=forms.NumberInput(attrs={"class": "sx-select", "step": "any"}),
    )
    lot = forms.ChoiceField(label=gettext_lazy("Lot"), required=False, widget=_CHOICE)
    reason = forms.CharField(label=gettext_lazy("Motif"), max_length=200, widget=_TEXT)

    def __init__(self, *args: Any, lots: list[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["lot"].choices = [("", _("Le premier périmé")), *lots]  # type: ignore[attr-defined]
        if not lots:
            del self.fields["lot"]


class ProductForm(forms.ModelForm):
    """An article, with its picture brought as a file."""

    picture_file = forms.FileField(
        label=gettext_lazy("Image (PNG, JPEG ou WebP, 10 Mo au plus)"),
        required=False,
        widget=UnfoldAdminFileFieldWidget,
        help_text=gettext_lazy("Réduite à 1 200 points. Laissez vide pour garder celle d'avant."),
    )
    removes_picture = forms.BooleanField(
        label=gettext_lazy("Sans image"), required=False, widget=UnfoldBooleanSwitchWidget
    )

    class Meta:
        model = Product
        fields = "__all__"  # noqa: DJ007 (the admin chooses)

    def clean_picture_file(self) -> bytes | None:
        """The picture made anew, ready to be kept."""
        file = self.cleaned_data["picture_file"]
        if not file:
            return None
        try:
            return bounded_jpeg(file)
        except InputError as error:
            raise forms.ValidationError(error.message) from error
