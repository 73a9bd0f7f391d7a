"""Orders in other currencies, converted to euros at the rate of their day."""

from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

from django.utils.translation import gettext as _

from sales.drafts import OrderDraft
from sales.errors import CurrencyUnsaid, NoExchangeRate
from sales.models import Order
from sales.services.order_work import OrderResult, rejection
from sales.services.releasing import OPEN_STATES
from sphinx.core.clock import business_date
from sphinx.core.exchange import Rate, Rates, Source, rates_of
from sphinx.core.models import Shop
from sphinx.core.money import CENT, to_cents, to_unit_price
from sphinx.core.validators import is_currency

EURO = "EUR"


class Converted(NamedTuple):
    """An order in euros, and what it was: currency, total, the rate it came in at."""

    draft: OrderDraft
    currency: str = ""
    total: Decimal | None = None
    rate: Rate | None = None


# --- Which currency -----------------------------------------------------------------------


def with_currencies(
    shop: Shop, drafts: Sequence[OrderDraft], result: OrderResult
) -> Sequence[OrderDraft]:
    """The drafts, each with its currency: the shop's where the file names none.

    A shop that never said its currency sells in euros as long as no file of it names another;
    then the orders that don't say wait, until the shop does. Call with the shop locked.
    """
    _note_other_currencies(shop, drafts)
    silent = [draft for draft in drafts if not draft.currency]
    if not silent:
        return drafts
    usual = shop.currency or _assumed(shop)
    known = {} if usual else _currencies_of_known(shop, [d.external_id for d in silent])
    found = []
    for draft in drafts:
        currency = draft.currency or usual or known.get(draft.external_id, "")
        if currency:
            found.append(draft._replace(currency=currency))
        else:
            result.rejections.append(rejection(draft, _unsaid(shop, draft)))
    return found


def _note_other_currencies(shop: Shop, drafts: Iterable[OrderDraft]) -> None:
    """Remember that the shop named another currency, even on orders that then wait."""
    named = {draft.currency for draft in drafts} - {"", EURO}
    if any(is_currency(currency) for currency in named):
        Shop.objects.filter(pk=shop.pk, names_other_currencies=False).update(
            names_other_currencies=True
        )


def _assumed(shop: Shop) -> str:
    """The currency of a shop that never said it; asked anew for each chunk, files go on long."""
    asked = Shop.objects.filter(pk=shop.pk, names_other_currencies=True).exists()
    return "" if asked else EURO


def _currencies_of_known(shop: Shop, external_ids: Collection[str]) -> dict[str, str]:
    """An order that is in the books keeps the currency that it came in."""
    known = Order.objects.filter(shop=shop, external_id__in=external_ids)
    rows = known.values_list("external_id", "original_currency")
    return {external_id: currency or EURO for external_id, currency in rows}


def _unsaid(shop: Shop, draft: OrderDraft) -> CurrencyUnsaid:
    return CurrencyUnsaid(
        _(
            "Commande %(number)s : la devise de la boutique n'est pas dite. Ce fichier n'en nomme "
            "aucune, et « %(shop)s » en a nommé d'autres que l'euro. Dites-la dans Réglages › "
            "Boutiques : la commande entrera d'elle-même."
        ),
        own={"number": draft.number},
        common={"shop": shop.name},
        line=draft.line,
        column="currency",
    )


# --- At which rate ------------------------------------------------------------------------


def stated_rates(drafts: Iterable[OrderDraft]) -> Rates:
    """The rates that the database holds for `drafts`; a query when any isn't in euros."""
    foreign = [draft for draft in drafts if draft.currency != EURO]
    return rates_of(
        {draft.currency for draft in foreign}, {business_date(d.placed_at) for d in foreign}
    )


def in_euros(draft: OrderDraft, rates: Rates, known: Order | None = None) -> Converted:
    """The order in euros at the rate of its day; `known` is how it stands in the books.

    Raises:
        NoExchangeRate: no rate is known for its day.
    """
    if draft.currency == EURO:
        return Converted(draft)
    rate = _rate_for(draft, rates, known)
    if rate is None:
        raise _no_rate(draft, rates)
    return Converted(_converted(draft, rate.units), draft.currency, draft.total_incl_tax, rate)


def _rate_for(draft: OrderDraft, rates: Rates, known: Order | None) -> Rate | None:
    """The rate in force; an order in the books keeps its own, so that its refunds match it.

    Until it has left, only a rate typed by hand since goes before the ECB's it came in at.
    """
    found = rates.at(draft.currency, business_date(draft.placed_at))
    own = _own_rate(known) if known and known.original_currency == draft.currency else None
    if known is None or own is None:
        return found
    has_left = known.status not in OPEN_STATES
    same_day = business_date(known.placed_at) == business_date(draft.placed_at)
    is_the_ecbs = found is not None and Source.MANUAL not in (found.source, own.source)
    return own if has_left or (is_the_ecbs and same_day) else found


def _own_rate(known: Order) -> Rate | None:
    if known.exchange_rate is None:
        return None
    return Rate(known.exchange_rate, known.exchange_rate_on, known.exchange_rate_source)


def _no_rate(draft: OrderDraft, rates: Rates) -> NoExchangeRate:
    day = business_date(draft.placed_at)
    until = rates.known_until(draft.currency)
    own = {"number": draft.number, "day": f"{day:%d/%m/%Y}"}
    common = {"currency": draft.currency}
    if until is None or day <= until:
        return NoExchangeRate(
            _(
                "Commande %(number)s en %(currency)s du %(day)s : la BCE ne donne pas de cours de "
                "cette devise à cette date. Donnez-en un dans Réglages › Cours de change : la "
                "commande entrera d'elle-même."
            ),
            own=own,
            common=common,
            line=draft.line,
            column="currency",
        )
    return NoExchangeRate(
        _(
            "Commande %(number)s en %(currency)s du %(day)s : les cours de la BCE connus ici "
            "s'arrêtent au %(until)s. Faites-les relever chaque jour (Réglages › Société), ou "
            "donnez un cours dans Réglages › Cours de change : la commande entrera d'elle-même."
        ),
        own=own,
        common=common | {"until": f"{until:%d/%m/%Y}"},
        line=draft.line,
        column="currency",
    )


def _converted(draft: OrderDraft, rate: Decimal) -> OrderDraft:
    """Every amount divided by `rate`; the total rules, the lines may be off by their rounding."""
    lines = tuple(
        line._replace(
            unit_price=to_unit_price(line.unit_price / rate),
            discount=to_cents(line.discount / rate),
            refunded_amount=line.refunded_amount
            if line.refunded_amount is None
            else to_cents(line.refunded_amount / rate),
        )
        for line in draft.lines
    )
    return draft._replace(
        lines=lines,
        total_incl_tax=to_cents(draft.total_incl_tax / rate),
        shipping_amount=to_cents(draft.shipping_amount / rate),
        discount=to_cents(draft.discount / rate),
        refunded=to_cents(draft.refunded / rate),
        shipping_refunded=to_cents(draft.shipping_refunded / rate),
        stated_taxes=tuple(
            tax._replace(amount=to_cents(tax.amount / rate)) for tax in draft.stated_taxes
        ),
        tolerance=draft.tolerance + CENT * (len(lines) + 2),
    )
