"""What the accounts can prove."""

import hashlib
from pathlib import Path

from django.db.models import Case, Count, OuterRef, Subquery, Sum, Value, When
from django.db.models.functions import Abs, Coalesce

from accounting_export.models import (
    ClosedMonth,
    ExportBatch,
    JournalEntry,
    JournalLine,
    LetteredLine,
)
from accounting_export.selectors import (
    invoices_to_post,
    month_sums,
    payments_to_post,
    payouts_to_post,
    purchases_to_post,
    purchases_to_reverse,
    supplier_payments_to_post,
    supplier_payments_to_reverse,
)
from invoicing.models import Payment
from purchasing.models import SupplierPaymentPart
from sphinx.core.money import ZERO, to_cents
from sphinx.core.proofs import Proof, proves
from sphinx.core.sealing import seals

seals(
    "entries",
    "Écriture",
    "accounting_export.JournalEntry",
    "journal_id number entry_date piece_ref piece_date label validated_on invoice_id "
    "supplier_invoice_id supplier_payment_id payment_id bank_line_id provider is_reversal",
)
seals(
    "entry_lines",
    "Ligne d'écriture",
    "accounting_export.JournalLine",
    "entry_id position account account_label auxiliary auxiliary_label debit credit tax_rate "
    "nature section currency currency_amount",
)

# What a payment settles on the supplier's account, invoices and credit notes alike.
_settled = (
    SupplierPaymentPart.objects.filter(payment=OuterRef("supplier_payment"))
    .order_by()
    .values("payment")
    .annotate(total=Sum(Abs("booked_eur")))
    .values("total")
)


@proves("entries_balanced")
def entries_balance(proof: Proof) -> None:
    """Each entry's debit is its credit, and 411 or 401 is the document's or payment's amount."""
    sums = {
        row["entry"]: (row["debits"], row["credits"])
        for row in JournalLine.objects.order_by()
        .values("entry")
        .annotate(debits=Sum("debit"), credits=Sum("credit"))
    }
    partners = {
        row["entry"]: row["debits"] + row["credits"]
        for row in JournalLine.objects.order_by()
        .exclude(auxiliary="")
        .values("entry")
        .annotate(debits=Sum("debit"), credits=Sum("credit"))
    }
    for pk, number, total in JournalEntry.objects.order_by("pk").values_list(
        "pk",
        "number",
        Coalesce(
            "invoice__total_incl_tax",
            "supplier_invoice__total_eur",
            "supplier_invoice__total_incl_tax",
            Subquery(_settled),
            # Of a transfer both sides are a customer's.
            Abs("payment__amount")
            * Case(When(payment__kind=Payment.Kind.TRANSFER, then=Value(2)), default=Value(1)),
        ),
    ):
        proof.checked += 1
        debit, credit = sums.get(pk, (ZERO, ZERO))
        if debit != credit:
            proof.faults.append(f"{number} : débit {debit}, crédit {credit}")
        if total is not None and partners.get(pk, ZERO) != to_cents(total):
            proof.faults.append(f"{number} : tiers {partners.get(pk)}, pièce {total}")


@proves("entry_numbers")
def numbers_have_no_gap(proof: Proof) -> None:
    """Numbers of a journal follow each other."""
    last: dict[str, int] = {}
    for code, number in JournalEntry.objects.order_by("pk").values_list("journal__code", "number"):
        proof.checked += 1
        rank = int(number.removeprefix(code))
        if rank != last.get(code, 0) + 1:
            proof.faults.append(f"{number} suit {code}{last.get(code, 0):06d}")
        last[code] = rank


@proves("documents_posted")
def every_document_has_its_entry(proof: Proof) -> None:
    """No document is missing from its journal, no payment, nothing that a provider kept."""
    proof.checked = JournalEntry.objects.count()
    proof.faults = [
        f"{name} n'est pas dans le journal"
        for missing, field in (
            (invoices_to_post(), "number"),
            (purchases_to_post(), "number"),
            (purchases_to_reverse(), "number"),
            (payments_to_post(), "reference"),
            (supplier_payments_to_post(), "number"),
            (supplier_payments_to_reverse(), "number"),
            (payouts_to_post(), "payout"),
        )
        for name in missing.values_list(field, flat=True)
    ]


@proves("lettering")
def lettered_lines_are_settled(proof: Proof) -> None:
    """Lines of one code are of one account and one customer, and come to zero."""
    groups = (
        LetteredLine.objects.order_by()
        .values("code")
        .annotate(
            debits=Sum("line__debit"),
            credits=Sum("line__credit"),
            accounts=Count("line__account", distinct=True),
            auxiliaries=Count("line__auxiliary", distinct=True),
        )
    )
    for group in groups.order_by("code"):
        proof.checked += 1
        if to_cents(group["debits"]) != to_cents(group["credits"]):
            proof.faults.append(
                f"{group['code']} : débit {group['debits']}, crédit {group['credits']}"
            )
        if group["accounts"] != 1 or group["auxiliaries"] != 1:
            proof.faults.append(f"{group['code']} : plusieurs comptes")


@proves("closed_months")
def closed_months_stay_as_they_were(proof: Proof) -> None:
    """The entries dated in a closed month are those that it was closed with."""
    for month in ClosedMonth.objects.order_by("month"):
        proof.checked += 1
        found = month_sums(month.month)
        if found != (month.entry_count, month.debit, month.credit):
            proof.faults.append(f"{month} : {found}")


@proves("export_batches")
def batches_hold_what_they_say(proof: Proof) -> None:
    """The bytes of each numbered file are as they were made, and count what its entries do."""
    sums = {
        row["exports__batch"]: (row["entries"], row["lines_count"], row["debits"], row["credits"])
        for row in JournalEntry.objects.filter(exports__isnull=False)
        .order_by()
        .values("exports__batch")
        .annotate(
            entries=Count("pk", distinct=True),
            lines_count=Count("lines"),
            debits=Sum("lines__debit"),
            credits=Sum("lines__credit"),
        )
    }
    for batch in ExportBatch.objects.order_by("pk"):
        proof.checked += 1
        entries, lines, debit, credit = sums.get(batch.pk, (0, 0, ZERO, ZERO))
        stated = (batch.entry_count, batch.line_count, batch.debit, batch.credit)
        if (entries, lines, to_cents(debit), to_cents(credit)) != stated:
            proof.faults.append(f"{batch} : {stated}, écritures {entries}, lignes {lines}")
        if Path(batch.path).is_absolute():
            # Made before files were kept here: it is where somebody wanted it.
            continue
        if not batch.file.exists():
            proof.faults.append(f"{batch} : {batch.path} manque")
        elif _sha256(batch.file) != batch.sha256:
            proof.faults.append(f"{batch} : {batch.path} a changé")


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
