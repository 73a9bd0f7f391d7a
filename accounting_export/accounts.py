"""Which account an amount goes to: the most specific rule wins."""

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from django.utils.translation import gettext as _

from accounting_export.errors import NoAccount
from accounting_export.models import Account, AccountRule


class Question(NamedTuple):
    """An amount, by what decides on its account; `tax_rate` in percent or None."""

    nature: str
    regime: str
    tax_rate: Decimal | None
    country: str
    shop_id: int | None


class AccountBook:
    """The rules, read once for a batch of entries."""

    def __init__(self) -> None:
        rules: Iterable[AccountRule] = AccountRule.objects.select_related("account").order_by("pk")
        self._rules = list(rules)
        self._answers: dict[Question, Account] = {}

    def account_for(self, question: Question) -> Account:
        """The account of the most specific rule that fits.

        Raises:
            NoAccount: no rule fits.
        """
        if question not in self._answers:
            self._answers[question] = self._find(question)
        return self._answers[question]

    def fitting(self, question: Question) -> list[AccountRule]:
        """The rules that fit, the one that wins first."""
        found = [rule for rule in self._rules if _fits(rule, question)]
        return sorted(found, key=_weight, reverse=True)

    def _find(self, question: Question) -> Account:
        fitting = self.fitting(question)
        if not fitting:
            nature = AccountRule.Nature(question.nature).label
            raise NoAccount(
                _(
                    "Aucune règle de compte pour « %(nature)s » (régime %(regime)s, taux %(rate)s, "
                    "pays %(country)s) : ajoutez-la dans Comptabilité › Règles de comptes."
                )
                % {
                    "nature": nature,
                    "regime": question.regime,
                    "rate": question.tax_rate,
                    "country": question.country,
                }
            )
        return fitting[0].account


def _fits(rule: AccountRule, question: Question) -> bool:
    return (
        rule.nature == question.nature
        and rule.regime in ("", question.regime)
        and rule.tax_rate in (None, question.tax_rate)
        and rule.country in ("", question.country)
        and rule.shop_id in (None, question.shop_id)
    )


def _weight(rule: AccountRule) -> tuple[bool, bool, bool, bool, int]:
    """Shop before country before rate before regime; of equals the oldest rule."""
    return (
        rule.shop_id is not None,
        bool(rule.country),
        rule.tax_rate is not None,
        bool(rule.regime),
        -rule.pk,
    )
