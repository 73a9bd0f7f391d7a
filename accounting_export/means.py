"""Where money of a payment lies: by its line of the bank, else by the words of the shop."""

from collections.abc import Callable

from django.utils.translation import gettext as _

from accounting_export.errors import NoAccount
from accounting_export.models import PaymentMeans
from invoicing.models import Payment
from sphinx.core.texts import fold


class MeansBook:
    """The means of payment, read once for a batch of entries."""

    def __init__(self) -> None:
        self._all = list(PaymentMeans.objects.select_related("account", "journal").order_by("pk"))
        self._words = [
            (f" {fold(word)}", means)
            for means in self._all
            for word in means.keywords.split(",")
            if word.strip()
        ]
        self._answers: dict[str, PaymentMeans] = {}

    def of_payment(self, payment: Payment) -> PaymentMeans:
        """The bank for what its statement shows, else by the payment's own words.

        Raises:
            NoAccount: no means is the one of all others.
        """
        return self.bank() if payment.bank_line_id else self.by_words(payment.method)

    def by_words(self, method: str) -> PaymentMeans:
        """The means with the longest of the words that begin one in `method`; raises NoAccount."""
        if method not in self._answers:
            text = f" {fold(method)}"
            found = [(len(word), means) for word, means in self._words if word in text]
            self._answers[method] = max(found, key=lambda f: f[0])[1] if found else self._other()
        return self._answers[method]

    def bank(self) -> PaymentMeans:
        """Raises NoAccount when no means is the bank."""
        return self._first(lambda means: means.is_bank, _("la banque"))

    def of_currency(self, currency: str) -> PaymentMeans:
        """The account in a currency: the means that has its code among its words, else the bank.

        Raises NoAccount when no means is the bank.
        """
        wanted = f" {fold(currency)}"
        return next((means for word, means in self._words if word == wanted), None) or self.bank()

    def of_provider(self, provider: str) -> PaymentMeans:
        """Raises NoAccount when no means is this provider's."""
        return self._first(lambda means: means.provider == provider, provider)

    def _other(self) -> PaymentMeans:
        return self._first(lambda means: not means.keywords.strip(), _("les autres règlements"))

    def _first(self, is_it: Callable[[PaymentMeans], bool], name: str) -> PaymentMeans:
        found = next(filter(is_it, self._all), None)
        if found is None:
            raise NoAccount(
                _("Aucun moyen de paiement pour %s : ajoutez-le dans Comptabilité.") % name
            )
        return found
