"""What a person answers about a shop's files, once for all that waits and for what comes later."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from ftp_ingest.errors import UNKNOWN_STATUS
from ftp_ingest.events import shop_answered
from ftp_ingest.models import QuarantinedRow, ShopState
from ftp_ingest.selectors import phrase_of, states_said
from inventory.services import set_category_rates, set_tax_rates
from sales.errors import TaxUndecided
from sphinx.core.errors import InputError
from sphinx.core.events import announce
from sphinx.core.models import Company, Shop
from sphinx.core.services import company, record, record_each
from sphinx.core.vat import FRENCH_RATES

FRANCHISE, ONE_RATE, BY_ARTICLE = "franchise", "rate", "articles"


@transaction.atomic
def answer_states(
    *, shop_id: int, answers: Mapping[str, str], at: datetime, actor: Any = None
) -> int:
    """Say what states mean in the words of a shop (text → meaning); how many answers are new.

    Orders that wait come in after commit; the same answer again lets in what still waits.

    Raises:
        InputError: a meaning that isn't one, or a text that can't be told from others.
    """
    shop = Shop.objects.select_for_update(no_key=True).get(pk=shop_id)
    said = [_said(shop, text, meaning, at, actor) for text, meaning in answers.items()]
    # The same words in another case are one state.
    states = list({state.phrase: state for state in said}.values())
    before = dict(
        ShopState.objects.filter(
            shop=shop, phrase__in=[state.phrase for state in states]
        ).values_list("phrase", "meaning")
    )
    new = [state for state in states if before.get(state.phrase) != state.meaning]
    ShopState.objects.bulk_create(
        new,
        update_conflicts=True,
        unique_fields=["shop", "phrase"],
        update_fields=["text", "meaning", "decided_at", "decided_by"],
    )
    record_each(
        "shop_state.answered",
        (
            (state, {"meaning": state.meaning, "before": before.get(state.phrase, "")})
            for state in new
        ),
        actor=actor,
    )
    if states:
        announce(shop_answered, shop_id=shop.pk, code=UNKNOWN_STATUS)
    return len(new)


def _said(shop: Shop, text: str, meaning: str, at: datetime, actor: Any) -> ShopState:
    phrase = phrase_of(text)
    if not phrase:
        raise InputError(
            _("L'état « %(state)s » ne peut pas être retenu : donnez-lui un nom en lettres latines "
              "à la boutique.")
            % {"state": text[:80]},
            code="state.unreadable",
        )  # fmt: skip
    if meaning not in ShopState.Meaning.values:
        raise InputError(
            _("Choisissez dans la liste ce que veut dire l'état « %(state)s ».")
            % {"state": text[:80]},
            code="state.unknown_meaning",
        )
    return ShopState(
        shop=shop,
        phrase=phrase,
        text=text[:200],
        meaning=meaning,
        decided_at=at,
        decided_by=actor,
    )


@transaction.atomic
def answer_untaxed(
    *,
    shop_id: int,
    choice: str,
    rate: Decimal | None = None,
    rates: Mapping[str, Decimal] | None = None,
    category_rates: Mapping[int, Decimal] | None = None,
    actor: Any = None,
) -> None:
    """Say which VAT the orders of a shop bear whose exports tell none; those that wait come in.

    `choice` is FRANCHISE (the firm charges none), ONE_RATE (`rate`, in percent, for all of the
    shop) or BY_ARTICLE (`rates` by SKU, `category_rates` by the id of a category; `rate` for lines
    that name no article).

    Raises:
        InputError: no such choice, or a rate that France doesn't have.
    """
    shop = Shop.objects.select_for_update(no_key=True).get(pk=shop_id)
    by_sku, by_category = rates or {}, category_rates or {}
    for given in (rate, *by_sku.values(), *by_category.values()):
        if given is not None and given not in FRENCH_RATES:
            raise InputError(_("Choisissez un taux de la liste."), code="cell.bad_rate")
    if choice == FRANCHISE:
        _set_franchise(actor)
        for waiting in _shops_without_tax() | {shop.pk}:
            announce(shop_answered, shop_id=waiting, code=TaxUndecided.code)
        return
    if choice == BY_ARTICLE and (by_sku or by_category or rate is not None):
        _set_rates(by_sku, by_category, actor)
    elif choice != ONE_RATE or rate is None:
        raise InputError(_("Choisissez la TVA de ces commandes."), code="shop.untaxed_unsaid")
    if rate is not None and rate != shop.untaxed_rate:
        shop.untaxed_rate = rate
        shop.save(update_fields=["untaxed_rate"])
        record("shop.untaxed_rate", [shop], actor=actor, rate=str(rate))
    announce(shop_answered, shop_id=shop.pk, code=TaxUndecided.code)


def _set_franchise(actor: Any) -> None:
    company()
    firm = Company.objects.select_for_update(no_key=True).get(pk=1)
    if not firm.is_tax_exempt:
        firm.is_tax_exempt = True
        firm.save(update_fields=["is_tax_exempt"])
        record("firm.changed", [firm], actor=actor, settings=["is_tax_exempt"])


def _shops_without_tax() -> set[int]:
    return set(
        QuarantinedRow.objects.filter(
            code=TaxUndecided.code, status=QuarantinedRow.Status.OPEN
        ).values_list("file__shop", flat=True)
    )


def _set_rates(
    by_sku: Mapping[str, Decimal], by_category: Mapping[int, Decimal], actor: Any
) -> None:
    record_each(
        "category.rate_decided",
        ((found, {"rate": str(found.tax_rate)}) for found in set_category_rates(by_category)),
        actor=actor,
    )
    products = set_tax_rates(by_sku)
    record_each(
        "product.rate_decided",
        ((product, {"rate": str(product.tax_rate)}) for product in products),
        actor=actor,
    )


def announce_answers(shop: Shop, states: Mapping[str, str]) -> None:
    """After a file was read with `states`: who answered meanwhile is heard too.

    Orders that were set aside since for want of the answer are tried again.
    """
    if states_said(shop) != states:
        announce(shop_answered, shop_id=shop.pk, code=UNKNOWN_STATUS)
    rate = Shop.objects.values_list("untaxed_rate", flat=True).get(pk=shop.pk)
    if rate != shop.untaxed_rate:
        announce(shop_answered, shop_id=shop.pk, code=TaxUndecided.code)
