"""The page of questions: what a shop's files don't say, asked once for all that waits."""

from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ftp_ingest import services
from ftp_ingest.errors import SPOILT_REFERENCE
from ftp_ingest.models import ShopState
from ftp_ingest.selectors import questions, states_answered, waiting_states
from ftp_ingest.services.answering import BY_ARTICLE, FRANCHISE
from ftp_ingest.services.mending import untaxed_articles, untaxed_categories
from sales.errors import CurrencyUnsaid, NoExchangeRate, TaxUndecided
from sphinx.core import cells, clock
from sphinx.core.errors import InputError, SphinxError
from sphinx.core.models import Shop
from sphinx.core.pages import back_office_page
from sphinx.core.services import company

# Rates that a shop in France charges on all it sells; overseas shops give them by article.
MAIN_RATES = ("20", "10", "5.5", "2.1")
_ARTICLE_RATES = (*MAIN_RATES, "8.5", "0")
# Articles on a page: those that most orders wait for.
ARTICLES = 200
_MAY = "ftp_ingest.change_quarantinedrow"
_MAY_CHANGE_FIRM = "core.change_company"


@login_required
@permission_required(_MAY, raise_exception=True)
def all_shops(request: HttpRequest) -> HttpResponse:
    """Each shop with how many of its orders wait for an answer."""
    return back_office_page(
        request,
        "ftp_ingest/questions.html",
        title=_("Questions"),
        shops=questions(Shop.objects.filter(is_active=True)),
    )


@login_required
@permission_required(_MAY, raise_exception=True)
def shop(request: HttpRequest, shop_code: str) -> HttpResponse:
    """What one shop is asked, and what was answered before."""
    found = get_object_or_404(Shop, code=shop_code)
    if request.method == "POST":
        try:
            _answer(request, found)
        except SphinxError as error:
            messages.error(request, error.message)
        return redirect("ftp_ingest:shop_questions", found.code)
    waiting = questions([found])[0].waiting
    untaxed = waiting.get(TaxUndecided.code, 0)
    by_article = bool(untaxed) and "articles" in request.GET
    articles = untaxed_articles(found) if by_article else []
    return back_office_page(
        request,
        "ftp_ingest/shop_questions.html",
        title=_("Questions : %s") % found,
        shop=found,
        meanings=ShopState.Meaning.choices,
        states=waiting_states(found),
        answered=states_answered(found),
        untaxed=untaxed,
        untaxed_rate=found.untaxed_rate,
        is_tax_exempt=company().is_tax_exempt,
        main_rates=MAIN_RATES,
        article_rates=_ARTICLE_RATES,
        articles=articles[:ARTICLES],
        categories=untaxed_categories(articles),
        more_articles=max(len(articles) - ARTICLES, 0),
        by_article=by_article,
        without_rate=waiting.get(NoExchangeRate.code, 0),
        without_currency=waiting.get(CurrencyUnsaid.code, 0),
        spoilt=waiting.get(SPOILT_REFERENCE, 0),
        may_change_firm=request.user.has_perm(_MAY_CHANGE_FIRM),
        may_change_shop=request.user.has_perm("core.change_shop"),
        may_give_rates=request.user.has_perm("core.add_exchangerate"),
    )


def _answer(request: HttpRequest, found: Shop) -> None:
    if "vat" in request.POST:
        _answer_untaxed(request, found)
    else:
        _answer_states(request, found)


def _answer_states(request: HttpRequest, found: Shop) -> None:
    given: Any = request.POST
    answers = {
        key.removeprefix("state_"): str(value)
        for key, value in given.items()
        if key.startswith("state_") and value
    }
    if not answers:
        raise InputError(_("Choisissez ce que veut dire un état au moins."), code="state.none")
    new = services.answer_states(
        shop_id=found.pk, answers=answers, at=clock.now(), actor=request.user
    )
    text = ngettext(
        "%(n)s réponse retenue : les commandes qui l'attendaient entrent d'elles-mêmes.",
        "%(n)s réponses retenues : les commandes qui les attendaient entrent d'elles-mêmes.",
        new,
    )
    messages.success(request, text % {"n": new})


def _answer_untaxed(request: HttpRequest, found: Shop) -> None:
    given: Any = request.POST
    choice = str(given["vat"])
    if choice == FRANCHISE and not request.user.has_perm(_MAY_CHANGE_FIRM):
        raise PermissionDenied
    by_article = given if choice == BY_ARTICLE else {}
    rate = _rate(str(given["rate"])) if given.get("rate") else None
    services.answer_untaxed(
        shop_id=found.pk,
        choice=choice,
        rate=None if choice == FRANCHISE else rate,
        rates=_rates(by_article, "rate_"),
        category_rates={int(pk): rate for pk, rate in _rates(by_article, "category_").items()},
        actor=request.user,
    )
    messages.success(
        request, _("C'est retenu : les commandes qui attendaient entrent d'elles-mêmes.")
    )


def _rates(given: Any, prefix: str) -> dict[str, Decimal]:
    """The rates given in fields whose name begins with `prefix`, by what follows it."""
    return {
        key.removeprefix(prefix): _rate(str(value))
        for key, value in given.items()
        if key.startswith(prefix) and value
    }


def _rate(text: str) -> Decimal:
    rate = cells.rate(text, 0, "TVA")
    if rate is None:
        raise InputError(_("Donnez un taux."), code="cell.bad_rate")
    return rate
