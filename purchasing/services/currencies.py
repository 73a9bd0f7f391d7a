"""Suppliers in another currency: at which rate their documents are in the books.

Goods are entered at the rate of the day that they came, a debt at that of its invoice; what it
then costs to pay is a difference of exchange and changes neither (PCG, art. 420-1 and 420-5;
before regulation ANC 2014-03 art. 341-1 and 342-5).
"""

from collections.abc import Collection
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from django.utils.translation import gettext as _

from purchasing.errors import NoRate, WrongState
from purchasing.models import PurchaseOrder
from purchasing.models.currencies import InCurrency
from purchasing.models.invoices import Euros
from sphinx.core.exchange import EURO, Rate, Source, rates_of
from sphinx.core.money import ZERO, settle, to_cents

_LARGEST = Decimal(10) ** 8


class Terms(NamedTuple):
    """A document's currency and rate; of one in euros there is no rate."""

    currency: str = EURO
    rate: Rate | None = None

    def put_on(self, document: InCurrency) -> None:
        """Note them on a document that isn't saved yet."""
        document.currency = self.currency
        if self.rate is not None:
            document.exchange_rate = self.rate.units
            document.exchange_rate_on = self.rate.day
            document.exchange_rate_source = self.rate.source

    def cents(self, amount: Decimal) -> Decimal:
        """An amount in euros, rounded half up to cents."""
        return to_cents(amount / self.rate.units) if self.rate else amount


def terms_on(currency: str, day: date, typed: Decimal | None = None) -> Terms:
    """The rate of a document of that day: the one typed, else the firm's or the ECB's.

    Raises:
        WrongState: a rate is typed that can't be one, or for a document in euros.
        NoRate: none is known for the day.
    """
    if typed is not None:
        return Terms(currency, Rate(_typed(currency, typed), day, Source.MANUAL))
    if currency == EURO:
        return Terms()
    rates = rates_of({currency}, {day})
    found = rates.at(currency, day)
    if found is None:
        raise _no_rate(currency, day, rates.known_until(currency))
    return Terms(currency, found)


def _typed(currency: str, units: Decimal) -> Decimal:
    if currency == EURO:
        raise WrongState(_("La pièce est en euros : elle n'a pas de cours."))
    if not 0 < units < _LARGEST or units != round(units, 6):
        raise WrongState(_("Donnez combien de %s vaut 1 €, six décimales au plus.") % currency)
    return units


def _no_rate(currency: str, day: date, until: date | None) -> NoRate:
    common = {"currency": currency, "day": f"{day:%d/%m/%Y}"}
    if until is None or day <= until:
        return NoRate(
            _(
                "La BCE ne donne pas de cours de %(currency)s pour le %(day)s : donnez-en un, ici "
                "ou dans Réglages › Cours de change."
            )
            % common
        )
    return NoRate(
        _(
            "Les cours de la BCE connus ici s'arrêtent au %(until)s, avant le %(day)s : "
            "faites-les relever chaque jour (Réglages › Société), ou donnez un cours de "
            "%(currency)s, ici ou dans Réglages › Cours de change."
        )
        % (common | {"until": f"{until:%d/%m/%Y}"})
    )


def price_in(order: PurchaseOrder, currency: str, units: Decimal | None, on: date) -> None:
    """Give an order its currency; `units`, the last rate known on that day, say what it comes to
    in euros, where there is one."""
    order.currency = currency
    order.exchange_rate = units if order.is_foreign else None
    order.exchange_rate_on = on if order.exchange_rate else None


def currency_of(documents: Collection[InCurrency], said: str = "") -> str:
    """The one currency of what a supplier invoices.

    Raises:
        WrongState: they are in several, or the invoice says another.
    """
    found = sorted({document.currency for document in documents})
    if len(found) > 1:
        raise WrongState(
            _("Ces réceptions sont en %s : saisissez une facture par devise.") % ", ".join(found)
        )
    if said and found and said != found[0]:
        raise WrongState(
            _(
                "La facture est en %(said)s, la commande en %(ordered)s : vérifiez avec le "
                "fournisseur."
            )
            % {"said": said, "ordered": found[0]}
        )
    return found[0] if found else said or EURO


def euros_of(
    terms: Terms,
    *,
    goods: Decimal,
    carriage: Decimal,
    tax: Decimal,
    tax_eur: Decimal | None,
    expenses: Decimal = ZERO,
    rounding: Decimal = ZERO,
) -> Euros:
    """An invoice in the books: its total converted once, the parts within its rounding.

    VAT that it states in euros (EN 16931, BT-111) is taken as stated, and the rest converted.

    Raises:
        WrongState: it states VAT in euros where it has none, or is in euros itself.
    """
    if tax_eur is not None and (terms.rate is None or (not tax) != (not tax_eur)):
        raise WrongState(_("La TVA en euros ne se donne que d'une facture en devise qui en a."))
    if terms.rate is None:
        total = goods + carriage + expenses + tax + rounding
        return Euros(goods, carriage, tax, total, expenses, rounding)
    net = [goods, carriage, expenses, rounding]
    parts = net if tax_eur is not None else [*net, tax]
    units = terms.rate.units
    total = to_cents(sum(parts, ZERO) / units)
    settled = settle(total, [part / units for part in parts])
    vat = tax_eur if tax_eur is not None else settled[4]
    in_books = settled[:4]
    return Euros(in_books[0], in_books[1], vat, sum(in_books, vat), in_books[2], in_books[3])
