"""The entry of one payment: what it debits and credits, by its kind."""

from collections.abc import Sequence

from accounting_export.accounts import AccountBook, Question
from accounting_export.means import MeansBook
from accounting_export.models import Account, AccountRule, JournalEntry, JournalLine
from accounting_export.services.entries import Draft, entry_line
from customers.selectors import auxiliary_of
from invoicing.models import Payment
from sales.models import Order
from sphinx.core import clock
from sphinx.core.clock import business_date

Nature, Kind = AccountRule.Nature, Payment.Kind
SUNDRIES = "OD"


class PaymentBooks:
    """What the entries of a batch of payments share, read once."""

    def __init__(self) -> None:
        self._means = MeansBook()
        self._accounts = AccountBook()
        self._customers: dict[int, JournalLine] = {}

    def journal_of(self, payment: Payment) -> str:
        """The code of the journal that tells of it. Raises NoAccount."""
        if payment.kind != Kind.MONEY:
            return SUNDRIES
        code: str = self._means.of_payment(payment).journal.code
        return code

    def read_customers(self, payments: Sequence[Payment]) -> None:
        """Fetch the customer's line of each invoice's entry."""
        places = [place for p in payments for place in (p, p.giver) if place]
        lines = JournalLine.objects.filter(
            entry__invoice__in={p.invoice_id for p in places if p.invoice_id}, position=1
        ).select_related("entry")
        self._customers = {line.entry.invoice_id or 0: line for line in lines}

    def draft(self, payment: Payment) -> Draft:
        """The entry: one side what is settled, the other what settles it.

        Raises:
            NoAccount: no means or no rule fits.
        """
        invoice, day = payment.invoice, business_date(payment.paid_at)
        settled = invoice or payment.order
        entry = JournalEntry(
            entry_date=day,
            piece_ref=settled.number[:40],
            piece_date=day,
            label=f"{_word(payment)} {invoice.customer_name if invoice else settled.number}"[:120],
            validated_on=clock.today(),
            payment=payment,
        )
        return Draft(entry, [self._from(payment), self._place_line(2, payment)])

    def _from(self, payment: Payment) -> JournalLine:
        """What settles: the half it is taken from, an account of its own, or money."""
        if payment.giver:
            return self._place_line(1, payment.giver)
        if payment.kind == Kind.MONEY:
            return entry_line(1, self._means.of_payment(payment).account, payment.amount)
        if payment.kind == Kind.BANK_FEE:
            nature = Nature.BANK_FEE
        else:
            nature = Nature.SHORTFALL if payment.amount > 0 else Nature.SURPLUS
        account = self._account(nature, payment.order)
        return entry_line(1, account, payment.amount, nature=nature)

    def _place_line(self, position: int, payment: Payment) -> JournalLine:
        """The line of the customer's account, or of advances, that a payment credits."""
        if payment.invoice_id is None:
            return self._advance_line(position, payment)
        customer = self._customers[payment.invoice_id]
        account = Account(number=customer.account, label=customer.account_label)
        line = entry_line(position, account, -payment.amount, nature=Nature.CUSTOMERS)
        line.auxiliary, line.auxiliary_label = customer.auxiliary, customer.auxiliary_label
        return line

    def _advance_line(self, position: int, payment: Payment) -> JournalLine:
        order = payment.order
        account = self._account(Nature.ADVANCE, order)
        line = entry_line(position, account, -payment.amount, nature=Nature.ADVANCE)
        consumers = order.shop.consumer_account
        line.auxiliary = auxiliary_of(order.customer, consumers)
        line.auxiliary_label = (
            f"Clients divers {order.shop.name}"
            if line.auxiliary == consumers
            else order.customer.name[:200]
        )
        return line

    def _account(self, nature: str, order: Order) -> Account:
        country = order.shipping_country or order.billing_country
        return self._accounts.account_for(
            Question(nature, order.invoiced_regime, None, country, order.shop_id)
        )


def _word(payment: Payment) -> str:
    """What begins the entry's label: in French, it is what the accountant reads."""
    if payment.kind != Kind.MONEY:
        return payment.method
    if payment.invoice_id is None:
        return "Avance cde"
    return "Règlement" if payment.amount > 0 else "Remboursement"
