"""Suppliers paid: what left the bank, and which of their documents it settles."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from purchasing.errors import WrongState
from purchasing.events import supplier_paid
from purchasing.models import SupplierInvoice, SupplierPayment, SupplierPaymentPart
from purchasing.selectors import Owing, what_is_owed
from purchasing.services.currencies import Terms, terms_on
from sphinx.core.clock import business_date
from sphinx.core.events import announce
from sphinx.core.exchange import EURO
from sphinx.core.money import ZERO, to_cents
from sphinx.core.services import allocate_number, record
from sphinx.core.texts import said


@transaction.atomic
def pay_supplier(
    *,
    parts: Mapping[int, Decimal],
    paid_on: date,
    at: datetime,
    paid_eur: Decimal | None = None,
    exchange_rate: Decimal | None = None,
    reference: str = "",
    after_payments: Mapping[int, int] | None = None,
    actor: Any = None,
) -> SupplierPayment:
    """Note a payment of invoices, less credit notes: document id → what of it is settled.

    Amounts are positive and in the documents' currency; those of credit notes are taken off, and
    what is below zero in all came back from the supplier. Of documents in another currency
    `paid_eur` is what the bank's statement says in euros; without it the money left an account in
    that currency, at the rate of the day or at `exchange_rate` (units for one euro). Each document
    keeps how much of what the books hold of it is settled; the accounts book the difference as
    exchange. `after_payments` is how many payments a document had when somebody looked: the same
    form sent twice is noted once.

    Raises:
        WrongState: nothing to pay, documents of several suppliers or currencies, one that isn't
            good to pay, more than is owed, a day to come, or amounts that don't go together.
        NoRate: no rate of the currency is known for the day.
    """
    wanted = {pk: amount for pk, amount in parts.items() if amount}
    invoices = list(
        SupplierInvoice.objects.select_for_update(of=("self",), no_key=True)
        .filter(pk__in=wanted)
        .select_related("supplier")
        .order_by("pk")
    )
    if not wanted or len(invoices) != len(wanted):
        raise WrongState(_("Dites ce qui est payé, et de quelle facture."))
    if paid_on > business_date(at):
        raise WrongState(_("Un règlement ne se note pas à un jour qui vient."))
    _check_together(invoices)
    _check_as_seen(after_payments or {})
    made = [_part(owing, wanted[owing.invoice.pk]) for owing in what_is_owed(invoices)]
    amount = sum((part.amount for part in made), ZERO)
    currency = invoices[0].currency
    terms, euros = _paid(currency, amount, paid_eur, paid_on, exchange_rate)
    payment = SupplierPayment(
        number=allocate_number(series="RG", on=business_date(at)),
        supplier=invoices[0].supplier,
        paid_on=paid_on,
        amount=amount,
        paid_eur=euros,
        reference=reference.strip()[:100],
        noted_at=at,
    )
    terms.put_on(payment)
    payment.save()
    for part in made:
        part.payment = payment
    SupplierPaymentPart.objects.bulk_create(made)
    about = [payment, *invoices]
    record("supplier_payment.noted", about, actor=actor, amount=str(amount), eur=str(euros))
    announce(supplier_paid, payment_id=payment.pk)
    return payment


def _check_together(invoices: Iterable[SupplierInvoice]) -> None:
    found = list(invoices)
    if len({(i.supplier_id, i.currency) for i in found}) > 1:
        raise WrongState(_("Un règlement est à un fournisseur, dans une devise."))
    waiting = [i for i in found if i.status != SupplierInvoice.Status.APPROVED]
    if waiting:
        raise WrongState(_("%s n'est pas bonne à payer.") % waiting[0].supplier_number)


def _check_as_seen(after_payments: Mapping[int, int]) -> None:
    for pk, seen in after_payments.items():
        if SupplierPaymentPart.objects.filter(invoice=pk).count() != seen:
            raise WrongState(_("Un règlement vient d'être noté : relisez ce qui reste."))


def _part(owing: Owing, amount: Decimal) -> SupplierPaymentPart:
    """A part of a document; what of it the books hold is settled with it, all parts making it
    exactly.

    Raises:
        WrongState: it is more than is left.
    """
    if not 0 < amount <= owing.left:
        raise WrongState(
            _("%(number)s : il reste %(left)s %(currency)s, pas %(amount)s.")
            % said(
                {
                    "number": owing.invoice.supplier_number,
                    "left": owing.left,
                    "currency": owing.invoice.currency,
                    "amount": amount,
                }
            )
        )
    total, euros = owing.invoice.total_incl_tax, owing.invoice.euros.total
    booked = to_cents(euros * (owing.settled + amount) / total) - owing.settled_eur
    sign = owing.invoice.sign
    return SupplierPaymentPart(
        invoice=owing.invoice, amount=sign * amount, booked_eur=sign * booked
    )


def _paid(
    currency: str, amount: Decimal, euros: Decimal | None, on: date, typed: Decimal | None
) -> tuple[Terms, Decimal]:
    """Currency, rate where it left an account in that currency, and what left in euros."""
    if currency == EURO or not amount:
        if typed is not None or euros not in (None, amount):
            raise WrongState(
                _("Ce règlement est de %(amount)s €, sans change.") % said({"amount": amount})
            )
        return Terms(currency), amount
    if euros is None:
        terms = terms_on(currency, on, typed)
        if not terms.cents(amount):
            raise WrongState(_("Ce règlement ne fait pas un centime d'euro."))
        return terms, terms.cents(amount)
    if typed is not None or not euros or (euros > 0) != (amount > 0):
        raise WrongState(
            _(
                "Donnez les euros que dit le relevé, ou le cours d'un compte en devise : l'un ou "
                "l'autre."
            )
        )
    return Terms(currency), euros


@transaction.atomic
def cancel_supplier_payment(
    *, payment_id: int, reason: str, at: datetime, actor: Any = None
) -> SupplierPayment:
    """Take back a payment that was noted wrong: what it settled is owed again. Twice is once.

    Raises:
        WrongState: no reason.
    """
    known = SupplierPaymentPart.objects.filter(payment=payment_id).values("invoice")
    invoices = list(
        SupplierInvoice.objects.select_for_update(no_key=True).filter(pk__in=known).order_by("pk")
    )
    payment = SupplierPayment.objects.select_for_update(no_key=True).get(pk=payment_id)
    if payment.cancelled_at is not None:
        return payment
    if not reason.strip():
        raise WrongState(_("Dites pourquoi le règlement est repris."))
    payment.cancelled_at, payment.decision = at, reason.strip()[:200]
    payment.save(update_fields=["cancelled_at", "decision"])
    about = [payment, *invoices]
    record("supplier_payment.cancelled", about, actor=actor, reason=payment.decision)
    announce(supplier_paid, payment_id=payment.pk)
    return payment
