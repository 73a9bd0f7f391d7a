"""What waits to be booked."""

from collections.abc import Collection

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounting_export.models import JournalEntry
from invoicing.models import BankLine, Invoice, InvoiceLine, Payment, ProviderTransaction
from purchasing.models import SupplierInvoice, SupplierPayment, SupplierPaymentPart


def invoices_to_post() -> QuerySet[Invoice]:
    """Issued documents without an entry; one on which nothing at all was charged has none."""
    charged = InvoiceLine.objects.filter(~Q(amount_excl_tax=0), invoice=OuterRef("pk"))
    return Invoice.objects.filter(Exists(charged), entry=None).order_by("chain_index")


def purchases_to_post() -> QuerySet[SupplierInvoice]:
    """Suppliers' invoices good to pay without an entry, in the order of their approval."""
    booked = JournalEntry.objects.filter(supplier_invoice=OuterRef("pk"), is_reversal=False)
    return SupplierInvoice.objects.filter(
        ~Exists(booked), ~Q(total_incl_tax=0), status=SupplierInvoice.Status.APPROVED
    ).order_by("approved_at", "pk")


def purchases_to_reverse() -> QuerySet[SupplierInvoice]:
    """Suppliers' invoices taken back whose entry stands."""
    booked = JournalEntry.objects.filter(supplier_invoice=OuterRef("pk"))
    return SupplierInvoice.objects.filter(
        Exists(booked.filter(is_reversal=False)),
        ~Exists(booked.filter(is_reversal=True)),
        status=SupplierInvoice.Status.CANCELLED,
    ).order_by("cancelled_at", "pk")


def supplier_payments_to_post() -> QuerySet[SupplierPayment]:
    """Payments of suppliers without an entry, once all that they settle has its own.

    One taken back before it was booked never is.
    """
    booked = JournalEntry.objects.filter(supplier_payment=OuterRef("pk"), is_reversal=False)
    entry = JournalEntry.objects.filter(supplier_invoice=OuterRef("invoice"), is_reversal=False)
    unbooked = SupplierPaymentPart.objects.filter(~Exists(entry), payment=OuterRef("pk"))
    return SupplierPayment.objects.filter(
        ~Exists(booked), ~Exists(unbooked), cancelled_at=None
    ).order_by("paid_on", "pk")


def supplier_payments_to_reverse() -> QuerySet[SupplierPayment]:
    """Payments of suppliers taken back whose entry stands."""
    booked = JournalEntry.objects.filter(supplier_payment=OuterRef("pk"))
    return SupplierPayment.objects.filter(
        Exists(booked.filter(is_reversal=False)),
        ~Exists(booked.filter(is_reversal=True)),
        cancelled_at__isnull=False,
    ).order_by("cancelled_at", "pk")


def payments_to_post() -> QuerySet[Payment]:
    """Payments without an entry whose invoice has its own, the oldest first.

    An advance has no invoice to wait for. A transfer has one entry, of the half that takes; both
    its invoices have theirs.
    """
    booked = JournalEntry.objects.filter(invoice=OuterRef("invoice"))
    giver_booked = JournalEntry.objects.filter(invoice=OuterRef("transfer__given__invoice"))
    return (
        Payment.objects.filter(
            Q(invoice=None) | Exists(booked),
            Q(transfer=None) | Q(transfer__given__invoice=None) | Exists(giver_booked),
            entry=None,
        )
        .exclude(kind=Payment.Kind.TRANSFER, amount__lt=0)
        .order_by("paid_at", "pk")
    )


def payments_of(invoice_ids: Collection[int]) -> list[int]:
    """Payments of some documents."""
    return list(Payment.objects.filter(invoice__in=invoice_ids).values_list("pk", flat=True))


def movements_to_post() -> QuerySet[ProviderTransaction]:
    """Movements of payment providers that are in no entry, the oldest first."""
    return ProviderTransaction.objects.filter(posted=None).order_by("occurred_on", "pk")


def payouts_to_post() -> QuerySet[BankLine]:
    """Lines of the bank that are a provider's payout, without an entry."""
    return BankLine.objects.filter(entry=None).exclude(payout="").order_by("booked_on", "pk")
