"""Lines of received invoices that are no goods: the account proposed, and why."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from purchasing.expense_accounts import NEUTRAL, expense_chart, in_chart, usual_for
from purchasing.models import ExpenseLine, ReceivedInvoice, SupplierInvoice
from purchasing.services.invoices import Expense
from sphinx.core.money import HUNDRED, ZERO, spread
from sphinx.core.texts import fold, sku_key
from suppliers.models import SupplierProduct

# So many of a supplier's latest lines are remembered.
_REMEMBERED = 500


class Choice(NamedTuple):
    """The account of a line, and how much of its VAT is deducted (percent)."""

    account: str
    deductible_share: Decimal = HUNDRED


class Proposal(NamedTuple):
    """A choice that is proposed, and why in words; no account: something is to be done first."""

    account: str
    deductible_share: Decimal
    why: str


def expense_of(received: ReceivedInvoice, row: Mapping[str, str], choice: Choice) -> Expense:
    """A line of a received invoice with the account chosen."""
    rate = row.get("rate", "")
    return Expense(
        label=row["label"],
        account=choice.account,
        amount=Decimal(row["amount"]),
        tax=_tax_of(received, row),
        tax_rate=Decimal(rate) if rate else None,
        deductible_share=choice.deductible_share,
        reference=row["reference"] or row["sku"],
    )


def _tax_of(received: ReceivedInvoice, row: Mapping[str, str]) -> Decimal:
    """Its part of the VAT; of an invoice read before lines said theirs, in proportion."""
    if "tax" in row:
        return Decimal(row["tax"])
    amounts = [*(Decimal(line["amount"]) for line in received.lines), received.carriage_excl_tax]
    if not sum(amounts, ZERO):
        return ZERO
    return spread(received.tax, amounts)[received.lines.index(row)]


def propose_expenses(
    received: ReceivedInvoice, places: Iterable[int], today: date
) -> dict[int, Proposal]:
    """What is proposed for lines beside which nothing came, by their place.

    The account of the last time for the same supplier and the same reference or text; else of the
    last line of the same kind; else the supplier's last account; else what the words call for, else
    a neutral account. An article that the supplier sells has none: it is to be received first.
    """
    rows = {place: received.lines[place] for place in places}
    articles = _articles_among(received, rows) if rows else set()
    memory = _Memory(received, today) if rows else None
    return {
        place: _to_receive() if memory is None or place in articles else memory.propose(row)
        for place, row in rows.items()
    }


def _to_receive() -> Proposal:
    return Proposal("", HUNDRED, _("article connu, rien n'en est reçu : recevez-le d'abord"))


class _Memory:
    """The accounts that a supplier's lines went to, the latest first; a query."""

    def __init__(self, received: ReceivedInvoice, today: date) -> None:
        self._chart, self._today = expense_chart(), today
        self._is_credit = received.sign < 0
        found = (
            ExpenseLine.objects.filter(invoice__supplier=received.supplier)
            .exclude(invoice__status=SupplierInvoice.Status.CANCELLED)
            .select_related("invoice")
            .order_by("-pk")[:_REMEMBERED]
        )
        self._lines = list(found) if received.supplier else []

    def propose(self, row: Mapping[str, str]) -> Proposal:
        """The account of a line of the invoice."""
        usual = usual_for(row["label"], is_less=(Decimal(row["amount"]) < 0) != self._is_credit)
        last = self._last() if usual == NEUTRAL else None
        for like, why in (
            (self._same(row), _("comme le %(day)s")),
            (self._of_kind(usual.number), _("comme « %(label)s » le %(day)s")),
            (last, _("dernier compte de ce fournisseur, le %(day)s")),
        ):
            if like is not None:
                said = {"day": self._day(like.invoice.issued_on), "label": like.label}
                return Proposal(like.account, like.deductible_share, why % said)
        why = _("d'après le libellé") if usual != NEUTRAL else _("compte neutre, à choisir")
        return Proposal(in_chart(usual.number, self._chart), usual.share, why)

    def _same(self, row: Mapping[str, str]) -> ExpenseLine | None:
        references = {sku_key(row["reference"]), sku_key(row["sku"])} - {""}
        text = fold(row["label"])
        by_reference = (x for x in self._lines if sku_key(x.reference) in references)
        by_text = (x for x in self._lines if fold(x.label) == text)
        return next(by_reference, None) or next(by_text, None)

    def _of_kind(self, number: str) -> ExpenseLine | None:
        if number == NEUTRAL.number:
            return None
        kinds = (
            x
            for x in self._lines
            if usual_for(x.label, is_less=x.amount_excl_tax < 0).number == number
        )
        return next(kinds, None)

    def _last(self) -> ExpenseLine | None:
        return next(iter(self._lines), None)

    def _day(self, day: date) -> str:
        """« 3 novembre », with its year where that isn't this one."""
        return date_format(day, "j F" if day.year == self._today.year else "j F Y")


def _articles_among(received: ReceivedInvoice, rows: Mapping[int, Mapping[str, str]]) -> set[int]:
    """Lines that name an article the supplier sells, by its reference, ours or the barcode."""
    sold = SupplierProduct.objects.filter(supplier=received.supplier).values_list(
        "supplier_sku", "product__sku", "product__barcode"
    )
    references: set[str] = set()
    barcodes: set[str] = set()
    for theirs, ours, barcode in sold:
        references |= {sku_key(theirs), sku_key(ours)}
        barcodes.add(barcode.lstrip("0"))
    references.discard("")
    barcodes.discard("")
    return {
        place
        for place, row in rows.items()
        if references & {sku_key(row["reference"]), sku_key(row["sku"])}
        or row["barcode"].lstrip("0") in barcodes
    }
