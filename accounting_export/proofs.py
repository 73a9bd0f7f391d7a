"""What the accounts can prove."""

from django.db.models import Sum
from django.db.models.functions import Coalesce

from accounting_export.models import JournalEntry, JournalLine
from accounting_export.selectors import (
    invoices_to_post,
    purchases_to_post,
    purchases_to_reverse,
)
from sphinx.core.money import ZERO
from sphinx.core.proofs import Proof, proves


@proves("entries_balanced")
def entries_balance(proof: Proof) -> None:
    """Each entry's debit is its credit, and 411 or 401 is the document's total."""
    sums = {
        row["entry"]: (row["debits"], row["credits"])
        for row in JournalLine.objects.order_by()
        .values("entry")
        .annotate(debits=Sum("debit"), credits=Sum("credit"))
    }
    partners = {
        row["entry"]: row["debits"] + row["credits"]
        for row in JournalLine.objects.order_by()
        .filter(position=1)
        .exclude(auxiliary="")
        .values("entry")
        .annotate(debits=Sum("debit"), credits=Sum("credit"))
    }
    for pk, number, total in JournalEntry.objects.order_by("pk").values_list(
        "pk", "number", Coalesce("invoice__total_incl_tax", "supplier_invoice__total_incl_tax")
    ):
        proof.checked += 1
        debit, credit = sums.get(pk, (ZERO, ZERO))
        if debit != credit:
            proof.faults.append(f"{number} : débit {debit}, crédit {credit}")
        if partners.get(pk, ZERO) != total:
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
    """No issued document is missing from its journal, nor an invoice that is good to pay."""
    proof.checked = JournalEntry.objects.count()
    proof.faults = [
        f"{number} n'est pas dans le journal"
        for missing in (invoices_to_post(), purchases_to_post(), purchases_to_reverse())
        for number in missing.values_list("number", flat=True)
    ]
