"""Pages of purchases in another currency: typed there, read there, kept in the books in euros."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from purchasing.models import PurchaseOrder, Receipt, SupplierInvoice, SupplierPayment
from purchasing.services import order_csv
from sphinx.core import clock
from suppliers.models import Supplier, SupplierPrice, SupplierProduct
from tests.purchasing.test_currencies import an_order, invoiced, paid, received

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def pages(admin_client: Client) -> Client:
    return admin_client


def text(pages: Client, name: str, *args: Any) -> str:
    page = pages.get(reverse(name, args=args))
    assert page.status_code == 200
    return page.content.decode().replace("\u202f", " ").replace("\xa0", " ")


def test_an_order_shows_its_currency_on_its_page_in_its_csv_and_in_the_list(pages: Client) -> None:
    order = an_order()

    assert "12,00 USD" in text(pages, "purchasing:proposal", order.pk)
    assert "120,00 USD" in text(pages, "admin:purchasing_purchaseorder_changelist")
    header, row = order_csv(order).splitlines()
    assert dict(zip(header.split(";"), row.split(";"), strict=True))["currency"] == "USD"


def test_the_list_of_orders_adds_up_in_euros(pages: Client) -> None:
    an_order()
    PurchaseOrder.objects.update(exchange_rate=D("1.25"))
    an_order(currency="EUR", price="1.00")

    # 120.00 USD at 1.25 and 10.00 €.
    page = pages.get(reverse("admin:purchasing_purchaseorder_changelist"))
    assert [total for _label, total in page.context["list_totals"]] == [D("106.00")]


def test_a_rate_is_typed_on_the_receipt(pages: Client) -> None:
    order = an_order()
    line = order.lines.get()
    assert 'name="exchange_rate"' in text(pages, "purchasing:receive", order.pk)

    pages.post(
        reverse("purchasing:receive", args=[order.pk]),
        {"verb": "receive", f"q{line.pk}": "10", "receipts": "0", "exchange_rate": "1,2"},
    )

    receipt = Receipt.objects.get()
    assert receipt.exchange_rate == D("1.2")
    shown = text(pages, "purchasing:receipt", receipt.pk)
    assert "12,00 USD" in shown
    assert "10,00 €" in shown
    assert "1 € = 1,2 USD" in shown


def test_a_receipt_in_euros_asks_for_no_rate(pages: Client) -> None:
    assert 'name="exchange_rate"' not in text(
        pages, "purchasing:receive", an_order(currency="EUR").pk
    )


def test_an_invoice_is_typed_in_its_currency_with_its_rate(pages: Client) -> None:
    row = received()
    order = row.receipt.purchase_order

    pages.post(
        reverse("purchasing:enter_invoice", args=[order.pk]),
        {
            "kind": "invoice",
            "supplier_number": "US-1",
            "issued_on": "2026-03-02",
            f"q{row.pk}": "10",
            f"p{row.pk}": "12",
            "tax": "0",
            "total_incl_tax": "120",
            "exchange_rate": "1.25",
        },
    )

    invoice = SupplierInvoice.objects.get()
    assert (invoice.total_incl_tax, invoice.total_eur) == (D("120.00"), D("96.00"))
    shown = text(pages, "purchasing:invoice", invoice.pk)
    assert "120,00 USD" in shown
    assert "96,00 € en comptabilité" in shown


def test_a_payment_is_noted_on_the_invoice_and_taken_back(pages: Client) -> None:
    invoice = invoiced(received())
    url = reverse("purchasing:invoice", args=[invoice.pk])
    yesterday = clock.today() - timedelta(days=1)

    pages.post(
        url,
        {"verb": "pay", "amount": "120", "paid_eur": "100,00", "paid_on": yesterday.isoformat()},
    )

    payment = SupplierPayment.objects.get()
    assert (payment.paid_eur, payment.paid_on) == (D("100.00"), yesterday)
    assert payment.number in text(pages, "purchasing:invoice", invoice.pk)
    pages.post(url, {"verb": f"unpay-{payment.pk}", "reason": "mauvais montant"})
    payment.refresh_from_db()
    assert payment.cancelled_at is not None


def test_the_same_payment_sent_twice_is_noted_once(pages: Client) -> None:
    invoice = invoiced(received())
    typed = {
        "verb": "pay",
        "amount": "50",
        "paid_eur": "41",
        "paid_on": clock.today().isoformat(),
        "payments": "0",
    }

    for _twice in range(2):
        pages.post(reverse("purchasing:invoice", args=[invoice.pk]), typed)

    assert SupplierPayment.objects.count() == 1


def test_a_credit_note_is_ticked_to_be_taken_off(pages: Client) -> None:
    row = received()
    invoice = invoiced(row)
    credit = invoiced(row, number="US-CN", pieces=2, kind="credit_note")
    credit = approved(credit)

    pages.post(
        reverse("purchasing:invoice", args=[invoice.pk]),
        {
            "verb": "pay",
            "amount": "120",
            "credit": str(credit.pk),
            "paid_eur": "80",
            "paid_on": clock.today().isoformat(),
        },
    )

    # 120.00 less 24.00 USD.
    assert SupplierPayment.objects.get().amount == D("96.00")


def approved(invoice: SupplierInvoice) -> SupplierInvoice:
    from purchasing.services import approve_supplier_invoice
    from tests.factories import NOON

    return approve_supplier_invoice(invoice_id=invoice.pk, at=NOON, reason="rendu")


def test_who_may_not_pay_may_not(client: Client, django_user_model: Any) -> None:
    from django.contrib.auth.models import Permission

    user = django_user_model.objects.create_user("lecteur", password="x", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_supplierinvoice"))
    client.force_login(user)
    invoice = invoiced(received())

    page = client.post(
        reverse("purchasing:invoice", args=[invoice.pk]),
        {"verb": "pay", "amount": "120", "paid_eur": "100", "paid_on": "2026-03-02"},
    )

    assert page.status_code == 404
    assert not SupplierPayment.objects.exists()


def test_the_page_of_an_invoice_asks_no_more_for_more_payments(
    pages: Client, django_assert_max_num_queries: Any
) -> None:
    invoice = invoiced(received())
    for amount in ("10.00", "20.00", "30.00"):
        paid(invoice, amount, amount)

    with django_assert_max_num_queries(32):
        pages.get(reverse("purchasing:invoice", args=[invoice.pk]))


def test_a_suppliers_currency_is_typed_in_any_case_and_says_when_no_rate_is_known(
    pages: Client,
) -> None:
    supplier = Supplier.objects.get(pk=an_order(currency="EUR").supplier_id)
    form = pages.get(reverse("admin:suppliers_supplier_change", args=[supplier.pk]))
    values = {
        k: v
        for k, v in form.context["adminform"].form.initial.items()
        if v is not None and k not in ("currency",)
    }
    for inline in form.context["inline_admin_formsets"]:
        prefix = inline.formset.prefix
        values |= {f"{prefix}-TOTAL_FORMS": 0, f"{prefix}-INITIAL_FORMS": 0}

    page = pages.post(
        reverse("admin:suppliers_supplier_change", args=[supplier.pk]),
        values | {"currency": "xts", "initial-iban": "", "initial-bic": ""},
        follow=True,
    )

    supplier.refresh_from_db()
    assert supplier.currency == "XTS"
    assert "Aucun cours de XTS" in page.content.decode()


def test_a_price_typed_is_in_the_suppliers_currency(pages: Client) -> None:
    item = SupplierProduct.objects.get(product=an_order(currency="GBP").lines.get().product)
    price = SupplierPrice.objects.get()
    SupplierPrice.objects.update(currency="EUR")

    pages.post(
        reverse("admin:suppliers_supplierproduct_change", args=[item.pk]),
        {
            "supplier": item.supplier_id,
            "product": item.product_id,
            "minimum_quantity": "1",
            "pack_size": "1",
            "unit_size": "1",
            "prices-TOTAL_FORMS": "1",
            "prices-INITIAL_FORMS": "1",
            "prices-0-id": price.pk,
            "prices-0-item": item.pk,
            "prices-0-from_quantity": "1",
            "prices-0-unit_price_excl_tax": "11",
        },
    )

    price.refresh_from_db()
    assert (price.unit_price_excl_tax, price.currency) == (D("11"), "GBP")
