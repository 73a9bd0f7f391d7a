"""What invoicing can prove: numbers, chain, sums, and that the shop's total was invoiced."""

import hashlib
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal

from django.conf import settings
from django.db.models import Count, F, Q, Sum
from django.db.models.functions import Coalesce

from invoicing.chain import GENESIS, closing_form, document_hash, link
from invoicing.models import (
    BankLine,
    Closing,
    Invoice,
    InvoicedNote,
    InvoiceLine,
    InvoicePdf,
    Payment,
    TaxBreakdown,
)
from invoicing.selectors import (
    DONE_WITH,
    NOT_INVOICED,
    OF_ELSEWHERE,
    OF_KEPT,
    notes_to_invoice,
)
from sales.models import DeliveryNote, Order, OrderLine
from sphinx.core.clock import business_date
from sphinx.core.files import here
from sphinx.core.models import DocumentSequence, Seal
from sphinx.core.money import ZERO, to_cents
from sphinx.core.proofs import Proof, proves
from sphinx.core.sealing import positions, seals

seals(
    "payments",
    "Règlement",
    "invoicing.Payment",
    "kind order_id invoice_id amount method reference paid_at bank_line_id",
)
seals("transfers", "Imputation", "invoicing.Transfer", "given_id taken_id")
seals("pdfs", "PDF", "invoicing.InvoicePdf", "invoice_id path sha256 rendered_at")
seals(
    "closings",
    "Clôture",
    "invoicing.Closing",
    "kind first_on last_on closed_at documents chain_index chain_hash position previous_hash hash",
)


@proves("invoice_numbers")
def numbers_have_no_gap(proof: Proof) -> None:
    """Each series counts 1, 2, 3… to its counter, and dates never go down."""
    counters = {
        f"{c.series}{c.period}": c.last_number
        for c in DocumentSequence.objects.filter(series__in=("FA", "AV"))
    }
    last: dict[str, tuple[int, date]] = {}
    for number, issued_on in Invoice.objects.order_by("chain_index").values_list(
        "number", "issued_on"
    ):
        proof.checked += 1
        series, _dash, rank = number.rpartition("-")
        before, day = last.get(series, (0, issued_on))
        if int(rank) != before + 1:
            proof.faults.append(f"{number} suit {series}-{before:06d}")
        if issued_on < day:
            proof.faults.append(f"{number} est datée avant la précédente")
        last[series] = (int(rank), issued_on)
    for series, count in counters.items():
        if last.get(series, (0, date.min))[0] != count:
            proof.faults.append(f"{series} : compteur à {count}, dernier émis {last.get(series)}")


@proves("nothing_uninvoiced")
def orders_done_with_have_no_parcel_left(proof: Proof) -> None:
    """`notes_to_invoice` leaves out orders that are invoiced or cancelled: nothing hides there."""
    hidden = DeliveryNote.objects.filter(
        NOT_INVOICED,
        status=DeliveryNote.Status.SHIPPED,
        order__status__in=DONE_WITH,
        order__invoiced_elsewhere=False,
    )
    proof.checked = Order.objects.filter(status__in=DONE_WITH).count()
    for note in hidden.select_related("order"):
        proof.faults.append(
            f"{note.number} n'est pas facturé, mais la commande {note.order.number} est close"
        )


@proves("hash_chain")
def chain_is_whole(proof: Proof) -> None:
    """Every document hashes to what was written at issue, each on the one before."""
    previous = GENESIS
    documents = Invoice.objects.order_by("chain_index").prefetch_related("lines", "taxes")
    for index, invoice in enumerate(documents.iterator(chunk_size=500), start=1):
        proof.checked += 1
        whole = document_hash(invoice, invoice.lines.all(), invoice.taxes.all())
        if invoice.chain_index != index or invoice.previous_hash != previous:
            proof.faults.append(f"{invoice.number} : maillon manquant avant elle")
        elif invoice.hash != whole:
            proof.faults.append(f"{invoice.number} : modifiée après émission")
        previous = invoice.hash


@proves("invoice_sums")
def sums_add_up(proof: Proof) -> None:
    """Lines and VAT by rate make the totals of each document."""
    lines = {
        row["invoice"]: (row["incl"], row["excl"])
        for row in InvoiceLine.objects.order_by()
        .values("invoice")
        .annotate(incl=Sum("total_incl_tax"), excl=Sum("total_excl_tax"))
    }
    taxes = {
        row["invoice"]: (row["incl"], row["excl"])
        for row in TaxBreakdown.objects.order_by()
        .values("invoice")
        .annotate(incl=Sum("total_incl_tax"), excl=Sum("base_excl_tax"))
    }
    for pk, number, incl, excl in Invoice.objects.values_list(
        "pk", "number", "total_incl_tax", "total_excl_tax"
    ):
        proof.checked += 1
        if not lines.get(pk) == taxes.get(pk) == (incl, excl):
            proof.faults.append(f"{number} : {incl} € TTC, lignes {lines.get(pk)}")


@proves("grouped_invoices")
def grouped_invoices_are_their_notes(proof: Proof) -> None:
    """What a grouped invoice charges at a rate is what it charges its notes."""
    stated = {
        (row["invoice"], row["tax_rate"]): (to_cents(row["total"]), to_cents(row["vat"]))
        for row in InvoicedNote.objects.order_by()
        .values("invoice", "tax_rate")
        .annotate(total=Sum("total_incl_tax"), vat=Sum("tax"))
    }
    rows = TaxBreakdown.objects.filter(invoice__is_grouped=True).select_related("invoice")
    for tax in rows.iterator():
        proof.checked += 1
        found = stated.get((tax.invoice_id, tax.tax_rate))
        if found != (tax.total_incl_tax, tax.tax):
            proof.faults.append(f"{tax.invoice.number} à {tax.tax_rate} % : {found} de ses bons")


@proves("invoices_equal_shop")
def invoiced_is_what_the_shop_charged(proof: Proof) -> None:
    """Of every order whole delivered and invoiced, the invoices sum to the shop's total, less the
    pieces that it took out before they left. Where it took out all of them, what it kept was
    invoiced, and what it gave back since is credited at most.

    An order whose rest was cancelled is compared on what was delivered, by its invoices never
    exceeding the total; credit notes never exceed the invoices.
    """
    sums: dict[int, dict[str, Decimal]] = defaultdict(
        lambda: {"invoice": ZERO, "credit_note": ZERO}
    )
    for order, kind, total in (
        Invoice.objects.filter(is_grouped=False)
        .exclude(OF_ELSEWHERE)
        .order_by()
        .values_list("order", "kind")
        .annotate(total=Sum("total_incl_tax"))
    ):
        sums[order][kind] = total
    for order, total in (
        InvoicedNote.objects.order_by()
        .values_list("delivery_note__order")
        .annotate(total=Sum("total_incl_tax"))
    ):
        sums[order]["invoice"] += total
    # A down payment that was given back is invoiced again with the goods.
    for order, total in (
        Invoice.objects.filter(credited_invoice__is_down_payment=True)
        .order_by()
        .values_list("order")
        .annotate(total=Sum("total_incl_tax"))
    ):
        sums[order]["invoice"] -= total
        sums[order]["credit_note"] -= total
    short = set(
        OrderLine.objects.filter(
            quantity__gt=F("quantity_delivered") + F("quantity_removed")
        ).values_list("order_id", flat=True)
    )
    removed = dict(
        OrderLine.objects.filter(removed_incl_tax__gt=0)
        .order_by()
        .values_list("order_id")
        .annotate(total=Sum("removed_incl_tax"))
    )
    kept = dict(
        Invoice.objects.filter(OF_KEPT).order_by().values_list("order").annotate(Count("pk"))
    )
    waiting = set(notes_to_invoice().values_list("order_id", flat=True))
    for pk, number, charged, refunded in Order.objects.filter(pk__in=sums).values_list(
        "pk", "number", "total_incl_tax", "refunded_incl_tax"
    ):
        proof.checked += 1
        invoiced, credited = sums[pk]["invoice"], sums[pk]["credit_note"]
        total = charged - to_cents(removed.get(pk, ZERO))
        if pk in kept:
            due = charged - refunded + credited
            total = invoiced if due <= invoiced <= charged else due
        complete = pk not in short and pk not in waiting
        if (complete and invoiced != total) or invoiced > total or credited > invoiced:
            proof.faults.append(
                f"commande {number} : {invoiced} € facturés, {credited} € en avoirs, "
                f"{total} € à la boutique"
            )


@proves("credited_elsewhere")
def no_more_is_credited_than_was_sold(proof: Proof) -> None:
    """Credit notes on another system's invoices never exceed what their order was charged."""
    rows = (
        Order.objects.filter(pk__in=Invoice.objects.filter(OF_ELSEWHERE).values("order"))
        .annotate(
            credited=Sum(
                "invoices__total_incl_tax",
                filter=Q(invoices__in=Invoice.objects.filter(OF_ELSEWHERE)),
            )
        )
        .values_list("number", "total_incl_tax", "credited")
    )
    for number, charged, credited in rows:
        proof.checked += 1
        if to_cents(credited) > charged:
            proof.faults.append(f"commande {number} : {credited} € en avoirs, {charged} € vendus")


@proves("invoice_pdfs")
def pdfs_are_as_made(proof: Proof) -> None:
    """The PDFs on disk are the bytes that were made."""
    for pdf in InvoicePdf.objects.select_related("invoice"):
        proof.checked += 1
        path = here(settings.DATA_DIR / pdf.path)
        if not path.exists():
            proof.faults.append(f"{pdf.invoice.number} : {path} manque")
        elif hashlib.sha256(path.read_bytes()).hexdigest() != pdf.sha256:
            proof.faults.append(f"{pdf.invoice.number} : {path} a changé")


@proves("closings")
def closings_hold(proof: Proof) -> None:
    """Closings are chained without a gap, and their totals are those of the documents."""
    by_day: dict[date, dict[str, Decimal]] = defaultdict(
        lambda: {"invoice": ZERO, "credit_note": ZERO, "documents": ZERO}
    )
    for day, kind, count, total in (
        Invoice.objects.order_by()
        .values_list("issued_on", "kind")
        .annotate(count=Count("pk"), total=Sum("total_incl_tax"))
    ):
        by_day[day][kind] += to_cents(total)
        by_day[day]["documents"] += count
    previous, perpetual = GENESIS, ZERO
    for position, closing in enumerate(Closing.objects.order_by("position"), start=1):
        proof.checked += 1
        if closing.position != position or closing.previous_hash != previous:
            proof.faults.append(f"{closing} : clôture manquante avant elle")
        if closing.hash != link(closing.previous_hash, closing_form(closing)):
            proof.faults.append(f"{closing} : modifiée après coup")
        sums = (
            [by_day[closing.first_on]]
            if closing.kind == Closing.Kind.DAY
            else [s for day, s in by_day.items() if closing.first_on <= day <= closing.last_on]
        )
        invoiced = sum((s["invoice"] for s in sums), ZERO)
        credited = sum((s["credit_note"] for s in sums), ZERO)
        if closing.kind == Closing.Kind.DAY:
            perpetual += invoiced - credited
        stated = (closing.invoiced_incl_tax, closing.credited_incl_tax, closing.documents)
        count = int(sum((s["documents"] for s in sums), ZERO))
        if stated != (invoiced, credited, count) or closing.perpetual_incl_tax != perpetual:
            proof.faults.append(f"{closing} : {stated}, pièces {invoiced} − {credited}, {count}")
        previous = closing.hash


@proves("closings_bind")
def closings_bind_the_chains(proof: Proof) -> None:
    """What a closing names is still there: the document that the chain ended with, by its hash,
    and the last seal of every book."""
    documents = dict(Invoice.objects.values_list("chain_index", "hash")) | {0: GENESIS}
    named: dict[str, set[int]] = defaultdict(set)
    closings = list(Closing.objects.order_by("position"))
    for closing in closings:
        for book, (position, _hash) in closing.details.get("seals", {}).items():
            named[book].add(position)
    sealed = {
        (book, position): found
        for book, wanted in named.items()
        for position, found in Seal.objects.filter(
            book=book, position__range=(min(wanted), max(wanted))
        ).values_list("position", "hash")
    }
    for closing in closings:
        proof.checked += 1
        if documents.get(closing.chain_index) != closing.chain_hash:
            proof.faults.append(
                f"{closing} : la chaîne des pièces n'est plus celle qui a été close "
                f"(rang {closing.chain_index})"
            )
        proof.faults += [
            f"{closing} : le scellé {book} n° {position} n'est plus celui qui a été clos"
            for book, (position, told) in closing.details.get("seals", {}).items()
            if sealed.get((book, position)) != told
        ]


@proves("closing_details")
def closings_are_their_rows(proof: Proof) -> None:
    """The VAT by rate and the payments by means of each closing are those of the rows.

    A payment told later than its day was closed is in none of that day's closings: which were
    there is known by the seals that the closing names.
    """
    taxes = _taxes_by_day()
    payments = _payments_by_day()
    for closing in Closing.objects.order_by("position"):
        proof.checked += 1
        days = [
            closing.first_on + timedelta(days=n)
            for n in range((closing.last_on - closing.first_on).days + 1)
        ]
        rates: dict[str, Decimal] = defaultdict(Decimal)
        for day in days:
            for rate, tax in taxes.get(day, ()):
                rates[rate] += tax
        told = {rate: Decimal(tax) for rate, (_base, tax) in closing.details["rates"].items()}
        if dict(rates) != told:
            proof.faults.append(f"{closing} : TVA {told}, pièces {dict(rates)}")
        if "payments" not in closing.details.get("seals", {}):
            # Closed before payments were sealed: which were known then can't be told.
            continue
        last = closing.details["seals"]["payments"][0]
        paid: dict[str, Decimal] = defaultdict(Decimal)
        for day in days:
            for position, method, amount in payments.get(day, ()):
                if position <= last:
                    paid[method] += amount
        told = {method: Decimal(total) for method, total in closing.details["payments"].items()}
        if dict(paid) != told:
            proof.faults.append(f"{closing} : règlements {told}, trouvés {dict(paid)}")


def _taxes_by_day() -> dict[date, list[tuple[str, Decimal]]]:
    """VAT of the documents of each day by rate, credit notes taken off."""
    found: dict[date, list[tuple[str, Decimal]]] = defaultdict(list)
    for day, kind, rate, tax in (
        TaxBreakdown.objects.order_by()
        .values_list("invoice__issued_on", "invoice__kind", "tax_rate")
        .annotate(total=Sum("tax"))
    ):
        sign = -1 if kind == Invoice.Kind.CREDIT_NOTE else 1
        found[day].append((f"{rate:.2f}", sign * to_cents(tax)))
    return found


def _payments_by_day() -> dict[date, list[tuple[int, str, Decimal]]]:
    """Money of each day that is sealed: by which seal, by what means, how much."""
    sealed = positions("payments")
    found: dict[date, list[tuple[int, str, Decimal]]] = defaultdict(list)
    money = Payment.objects.filter(kind=Payment.Kind.MONEY).order_by()
    for pk, at, method, amount in money.values_list("pk", "paid_at", "method", "amount"):
        if pk in sealed:
            found[business_date(at)].append((sealed[pk], method, amount))
    return found


@proves("bank_lines")
def matched_lines_are_their_payments(proof: Proof) -> None:
    """The payments of each matched line of the bank make its amount; others have none.

    A line that is a provider's payout was matched without any.
    """
    sums = dict(
        Payment.objects.filter(bank_line__isnull=False)
        .order_by()
        .values_list("bank_line")
        .annotate(total=Sum("amount"))
    )
    for line in BankLine.objects.order_by("pk").iterator():
        proof.checked += 1
        paid = to_cents(sums.get(line.pk) or ZERO)
        is_paid = line.status == BankLine.Status.MATCHED and not line.payout
        due = line.amount if is_paid else ZERO
        if paid != due:
            proof.faults.append(f"{line} : {paid} € de règlements")


@proves("transfers")
def transfers_come_to_zero(proof: Proof) -> None:
    """Each half of a transfer has its other, and no more of an advance is used than came in."""
    halves = Payment.objects.filter(kind=Payment.Kind.TRANSFER)
    rows = halves.order_by("pk").annotate(
        other=Coalesce("transfer__given__amount", "transfer_out__taken__amount")
    )
    for half in rows.iterator():
        proof.checked += 1
        if half.other != -half.amount:
            proof.faults.append(f"{half.reference} : {half.amount} € sans contrepartie")
    left = (
        Payment.objects.filter(invoice=None)
        .order_by()
        .values_list("order__number")
        .annotate(total=Sum("amount"))
    )
    for number, total in left:
        proof.checked += 1
        if (cents := to_cents(total)) < 0:
            proof.faults.append(f"commande {number} : {cents} € d'avance")
