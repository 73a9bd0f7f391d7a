"""VAT regimes and places: which rule an order falls under, by where the goods go.

The rate a shop applied is a fact (the customer paid it): it is booked as charged. What is
decided here is the regime, on which accounts and the legal sentence depend.
"""

from decimal import Decimal

from django.db import models
from django.utils.translation import gettext_lazy as _

from sphinx.core.territories import (
    EU_COUNTRIES,
    OVERSEAS_COUNTRIES,
    is_overseas,
    leaves_union,
    vat_place,
)

# Where firms are French ones for VAT, overseas departments and Monaco included.
FRENCH_COUNTRIES = frozenset({"FR", "MC", *OVERSEAS_COUNTRIES})
NORMAL_RATE = Decimal("20.00")
FRENCH_RATES = tuple(Decimal(r) for r in ("20.00", "10.00", "5.50", "2.10", "8.50", "0.00"))


class TaxRegime(models.TextChoices):
    """How VAT applies to a sale of goods shipped from France."""

    DOMESTIC = "domestic", _("France")
    EU_BUSINESS = "eu_business", _("Livraison intracommunautaire")
    OSS = "oss", _("Vente à distance UE (OSS)")
    EXPORT = "export", _("Exportation")
    EXEMPT = "exempt", _("Franchise en base")


# Sentence printed when no VAT is charged, with its article (CGI, ann. II, art. 242 nonies A).
LEGAL_SENTENCES = {
    TaxRegime.EU_BUSINESS: _("Exonération de TVA, article 262 ter I du CGI"),
    TaxRegime.EXPORT: _("Exonération de TVA, article 262 I du CGI"),
    TaxRegime.EXEMPT: _("TVA non applicable, article 293 B du CGI"),
}
OVERSEAS_SENTENCE = _("Exonération de TVA, articles 294 et 262 I du CGI")


def regime_of(
    *, country: str, postcode: str, vat_number: str, charged: bool, franchise: bool, oss: bool
) -> TaxRegime:
    """The regime of a sale shipped from France to `country` (ISO 3166-1 alpha-2).

    `charged` says whether the shop charged any VAT. When it did, the sale is booked as
    taxed, at destination's rate (OSS) or at the French one, wherever it goes. Sources:
    CGI art. 258 A (distance sales), 262 I, 262 ter I, 293 B, 294.
    """
    if franchise and not charged:
        return TaxRegime.EXEMPT
    is_french = vat_place(country, postcode) == "FR"
    exported = leaves_union(country, postcode)
    if charged:
        return TaxRegime.OSS if oss and not (exported or is_french) else TaxRegime.DOMESTIC
    if exported:
        return TaxRegime.EXPORT
    if vat_number and not is_french:
        return TaxRegime.EU_BUSINESS
    return TaxRegime.DOMESTIC


def purchase_regime(country: str) -> TaxRegime:
    """The regime of goods bought from a supplier in `country`.

    Within the Union VAT is owed by the buyer (CGI art. 283-2 bis, acquisitions); what is
    imported is taxed on the customs declaration (art. 293 A), not on the invoice.
    """
    place = vat_place(country, "")
    if place == "FR":
        return TaxRegime.DOMESTIC
    return TaxRegime.EU_BUSINESS if place in EU_COUNTRIES else TaxRegime.EXPORT


def legal_sentence(regime: str, country: str, postcode: str) -> str:
    """The sentence an invoice must carry under `regime`, in the active language; empty when VAT
    is charged."""
    if regime == TaxRegime.EXPORT and is_overseas(country, postcode):
        return str(OVERSEAS_SENTENCE)
    return str(LEGAL_SENTENCES.get(TaxRegime(regime), ""))
