"""One balanced entry for each payment, each payout of a provider, each of them at the bank."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounting_export.accounts import AccountBook, Question
from accounting_export.chart import BANK
from accounting_export.means import MeansBook
from accounting_export.models import (
    Account,
    AccountRule,
    JournalEntry,
    PostedTransaction,
)
from accounting_export.selectors import movements_to_post, payments_to_post, payouts_to_post
from accounting_export.services.entries import Draft, entry_line, lock_journal, write_entries
from accounting_export.services.left_out import LeftOut, Swept, swept
from accounting_export.services.lettering import letter_advances, letter_invoices, root_of
from accounting_export.services.payment_entries import PaymentBooks
from invoicing.models import BankLine, Payment, ProviderTransaction
from sphinx.core import clock
from sphinx.core.clock import business_date
from sphinx.core.errors import BusinessRuleError
from sphinx.core.money import ZERO

Nature = AccountRule.Nature
Kind = ProviderTransaction.Kind
_BATCH = 500


def post_money() -> int:
    """Sweep: book payments, providers' payouts and what of them reached the bank.

    Returns how many entries were made; twice makes none twice.

    Raises:
        NoAccount: a means of payment or an account is missing; all that could be is booked.
    """
    return sweep_money().or_raise()


def sweep_money() -> Swept:
    """The same; what can't be booked is named."""
    found = swept(
        list(payments_to_post().values_list("pk", flat=True)),
        lambda pks: len(post_payments(payment_ids=pks)),
        _named,
        _BATCH,
    )
    for what, post in ((_("Virements des prestataires"), post_payouts), (BANK, post_arrivals)):
        try:
            found = found.plus(Swept(len(post()), []))
        except BusinessRuleError as error:
            found = found.plus(Swept(0, [LeftOut(what, clock.today(), error)]))
    return found


def _named(pks: Iterable[int]) -> dict[int, tuple[str, date]]:
    payments = Payment.objects.filter(pk__in=pks).select_related("invoice", "order")
    return {p.pk: (str(p.invoice or p.order or p), business_date(p.paid_at)) for p in payments}


@transaction.atomic
def post_payments(*, payment_ids: Iterable[int]) -> list[JournalEntry]:
    """Book payments in the journal of their means: debit where the money lies, credit 411.

    Money given back swaps sides; an advance is credited to 4191 until an invoice takes it. The
    customer's account is the one of the invoice's entry, so that both are lettered. What moved no
    money is in the journal of sundries. Dated of the day of payment.

    Raises:
        NoAccount: no means fits, or no account; nothing of the batch is booked.
    """
    payments = list(_with_places(payments_to_post().filter(pk__in=list(payment_ids))))
    books = PaymentBooks()
    by_journal: dict[str, list[int]] = defaultdict(list)
    for payment in payments:
        by_journal[books.journal_of(payment)].append(payment.pk)
    made: list[JournalEntry] = []
    for code in sorted(by_journal):
        journal = lock_journal(code)
        # Read again under the lock: somebody may have booked them meanwhile.
        mine = list(_with_places(payments_to_post().filter(pk__in=by_journal[code])))
        books.read_customers(mine)
        drafts = [books.draft(payment) for payment in mine]
        if drafts:
            made += write_entries(journal, drafts, on=drafts[-1].entry.entry_date)
    places = [place for p in payments for place in (p, p.giver) if place]
    letter_invoices({root_of(p.invoice) for p in places if p.invoice})
    letter_advances({p.order_id for p in places if p.invoice_id is None})
    return made


def _with_places(payments: QuerySet[Payment]) -> QuerySet[Payment]:
    return payments.select_related(
        "invoice",
        "order__customer",
        "order__shop",
        "transfer__given__invoice",
        "transfer__given__order__customer",
        "transfer__given__order__shop",
    )


@transaction.atomic
def post_payouts() -> list[JournalEntry]:
    """Book what providers kept and paid out: one entry a payout, or a day where none is named.

    Debit fees and internal transfers, credit the provider's account; what is neither sale, refund
    nor transfer goes to the suspense account. Sales themselves came in with their payments.

    Raises:
        NoAccount: no means for a provider, or no account.
    """
    groups: dict[tuple[str, str], list[ProviderTransaction]] = defaultdict(list)
    for movement in movements_to_post():
        own = movement.reference if movement.kind == Kind.PAYOUT else movement.payout
        groups[movement.provider, own or movement.occurred_on.isoformat()].append(movement)
    means, book = MeansBook(), AccountBook()
    by_journal: dict[str, list[tuple[str, list[ProviderTransaction]]]] = defaultdict(list)
    for (provider, reference), movements in groups.items():
        by_journal[means.of_provider(provider).journal.code].append((reference, movements))
    made: list[JournalEntry] = []
    for code in sorted(by_journal):
        journal = lock_journal(code)
        posted = set(
            PostedTransaction.objects.filter(
                transaction__in=[m.pk for _r, movements in by_journal[code] for m in movements]
            ).values_list("transaction_id", flat=True)
        )
        drafts, sources = [], []
        for reference, movements in by_journal[code]:
            fresh = [m for m in movements if m.pk not in posted]
            account = means.of_provider(movements[0].provider).account
            draft = _payout_draft(reference, fresh, account, book) if fresh else None
            if draft:
                drafts.append(draft)
                sources.append(fresh)
        if not drafts:
            continue
        entries = write_entries(journal, drafts, on=max(d.entry.entry_date for d in drafts))
        PostedTransaction.objects.bulk_create(
            PostedTransaction(entry=entry, transaction=movement)
            for entry, movements in zip(entries, sources, strict=True)
            for movement in movements
        )
        made += entries
    return made


def _payout_draft(
    reference: str, movements: Sequence[ProviderTransaction], account: Account, book: AccountBook
) -> Draft | None:
    """None where nothing is left to book: sales without fee, not paid out yet."""
    fees = sum((m.fee for m in movements), ZERO)
    strange = sum((m.gross for m in movements if m.kind == Kind.OTHER), ZERO)
    transfers = -sum((m.gross for m in movements if m.kind == Kind.PAYOUT), ZERO)
    paid_out = sum((m.net for m in movements if m.payout), ZERO) + transfers
    held = strange - fees - paid_out
    natures = ((Nature.TRANSIT, paid_out), (Nature.FEES, fees), (Nature.SUSPENSE, -strange))
    lines = [
        entry_line(0, book.account_for(_question(nature)), amount, nature=nature)
        for nature, amount in natures
        if amount
    ]
    if held:
        lines.append(entry_line(0, account, held))
    if not lines:
        return None
    for position, line in enumerate(lines, start=1):
        line.position = position
    first = movements[0]
    name = f"{first.get_provider_display()} {reference}"
    day = max(m.occurred_on for m in movements)
    entry = JournalEntry(
        entry_date=day,
        piece_ref=(reference if len(reference) <= _PIECE else name)[:_PIECE],
        piece_date=day,
        label=_("Virement et frais %s") % name if paid_out else _("Frais %s") % name,
        validated_on=clock.today(),
        provider=first.provider,
    )
    entry.label = entry.label[:120]
    return Draft(entry, lines)


_PIECE = 40


def _question(nature: str) -> Question:
    return Question(nature, "", None, "", None)


@transaction.atomic
def post_arrivals() -> list[JournalEntry]:
    """Book providers' payouts that are at the bank: debit bank, credit internal transfers.

    Raises:
        NoAccount: no means is the bank.
    """
    if not payouts_to_post().exists():
        return []
    bank, book = MeansBook().bank(), AccountBook()
    journal = lock_journal(bank.journal.code)
    drafts = [_arrival_draft(line, bank.account, book) for line in payouts_to_post()]
    return write_entries(journal, drafts, on=_last_day(drafts)) if drafts else []


def _arrival_draft(line: BankLine, bank: Account, book: AccountBook) -> Draft:
    entry = JournalEntry(
        entry_date=line.booked_on,
        piece_ref=line.payout.partition(":")[2][:_PIECE],
        piece_date=line.booked_on,
        label=line.label[:120],
        validated_on=clock.today(),
        bank_line=line,
    )
    transit = book.account_for(_question(Nature.TRANSIT))
    return Draft(
        entry,
        [
            entry_line(1, bank, line.amount),
            entry_line(2, transit, -line.amount, nature=Nature.TRANSIT),
        ],
    )


def _last_day(drafts: Sequence[Draft]) -> date:
    return max(draft.entry.entry_date for draft in drafts)
