"""Payment providers' files: read as each writes, compared with the books."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from hypothesis import given
from hypothesis import strategies as st

from invoicing.errors import BankLineClosed
from invoicing.models import BankLine, Payment, ProviderTransaction
from invoicing.payouts import arrived_payouts, payouts, provider_gaps
from invoicing.reading import read_payouts
from invoicing.services import import_payouts, match_payout, match_sure_lines
from sales.services import upsert_orders
from sphinx.core.errors import InputError
from tests.factories import NOON, SOURCE, ShopFactory, draft, line, placed
from tests.test_stock_pages import signed_in

D = Decimal
STRIPE = (
    "automatic_payout_id,balance_transaction_id,created_utc,currency,gross,fee,net,"
    "reporting_category,description,payment_metadata[order_id]\n"
    "po_1,txn_1,2026-03-02 10:00:00,eur,120.00,2.05,117.95,charge,Commande,1001\n"
    "po_1,txn_2,2026-03-03 10:00:00,eur,-30.00,0.00,-30.00,refund,,1001\n"
    "po_1,txn_3,2026-03-04 10:00:00,eur,-87.95,0.00,-87.95,payout,STRIPE PAYOUT,\n"
)
PAYPAL = (
    '"Date","Time","TimeZone","Name","Type","Status","Currency","Gross","Fee","Net",'
    '"Transaction ID","Invoice Number"\n'
    '"03/02/2026","10:00","CET","Léa","Express Checkout Payment","Completed","EUR","120,00",'
    '"-4,43","115,57","P1","1001"\n'
    '"13/02/2026","10:00","CET","","General Withdrawal","Completed","EUR","-100,00","0,00",'
    '"-100,00","P2",""\n'
    '"14/02/2026","10:00","CET","Zoé","Express Checkout Payment","Pending","EUR","9,00","0,00",'
    '"9,00","P3","1002"\n'
)
PAYPAL_FR = (
    "Date;Heure;Nom;Type;État;Devise;Brut;Frais;Net;Numéro de transaction;Numéro de facture\n"
    "03/02/2026;10:00;Léa;Paiement Express;Terminé;EUR;120,00;-4,43;115,57;P1;1001\n"
    "15/02/2026;10:00;Léa;Remboursement de paiement;Terminé;EUR;-30,00;1,00;-29,00;P4;1001\n"
)
SHOPIFY = (
    "Transaction Date,Type,Order,Card Brand,Payout Status,Payout Date,Amount,Fee,Net,Checkout,"
    "Currency\n"
    "2026-03-02 10:00:00 +0100,charge,#1001,visa,paid,2026-03-04,120.00,2.05,117.95,#C1,EUR\n"
    "2026-03-03 10:00:00 +0100,refund,#1001,visa,paid,2026-03-04,-30.00,0.00,-30.00,#C1,EUR\n"
)


def sums(data: str) -> list[tuple[str, str, Decimal, Decimal, Decimal]]:
    return [
        (m.kind, m.order_text.lstrip("#"), m.gross, m.fee, m.net)
        for m in read_payouts("x.csv", data.encode()).movements
    ]


def test_each_provider_is_read_as_it_writes() -> None:
    charge = ("charge", "1001", D("120.00"), D("2.05"), D("117.95"))
    refund = ("refund", "1001", D("-30.00"), D("0.00"), D("-30.00"))

    assert sums(STRIPE) == [charge, refund]
    assert sums(SHOPIFY) == [charge, refund]
    assert sums(PAYPAL) == [
        ("charge", "1001", D("120.00"), D("4.43"), D("115.57")),
        ("payout", "", D("-100.00"), D("0.00"), D("-100.00")),
    ]
    assert sums(PAYPAL_FR)[1] == ("refund", "1001", D("-30.00"), D("-1.00"), D("-29.00"))


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [("eur,120.00", "usd,120.00", "USD"), ("117.95", "117.90", "brut"), ("120.00", "x", "nombre")],
)
def test_a_row_that_cannot_be_counted_is_said_and_the_others_go_on(
    old: str, new: str, word: str
) -> None:
    found = read_payouts("x.csv", STRIPE.replace(old, new, 1).encode())

    assert [m.reference for m in found.movements] == ["txn_2"]
    assert word in found.faults[0]


@pytest.mark.parametrize("data", [b"", b"a,b\n1,2\n"])
def test_a_file_of_nobody_is_refused(data: bytes) -> None:
    with pytest.raises(InputError):
        read_payouts("x.csv", data)


@given(st.text(max_size=200))
def test_any_rows_are_read_or_said(text: str) -> None:
    header = STRIPE.split("\n", maxsplit=1)[0]
    try:
        found = read_payouts("x.csv", f"{header}\n{text}".encode())
    except InputError:
        return
    assert all(m.net == m.gross - m.fee for m in found.movements)


# --- Beside the books --------------------------------------------------------------------------


def order(number: str = "1001", price: str = "120.00", **values: Any) -> None:
    values.setdefault("payment_status", "partially_refunded")
    values.setdefault("refunded", D("30.00"))
    placed(number, line("A", price), **values)


def taken(data: str, name: str = "x.csv") -> Any:
    return import_payouts(name=name, data=data.encode())


@pytest.mark.django_db
@pytest.mark.parametrize("data", [STRIPE, SHOPIFY])
def test_what_the_books_say_too_leaves_nothing_to_look_at(data: str) -> None:
    order()

    first, again = taken(data), taken(data, "again.csv")

    assert (first.new, again.movements, again.new) == (2, 2, 0)
    assert provider_gaps() == []
    # The shop's word is booked, not the provider's: nothing is paid twice.
    assert Payment.objects.count() == 0


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"number": "9999"}, "aucune commande"),
        ({"price": "121.00"}, "montants différents"),
        ({"refunded": D("0"), "payment_status": "paid"}, "montants différents"),
        ({"refunded": D("0"), "payment_status": "unpaid"}, "pas à la boutique"),
    ],
)
def test_what_the_books_do_not_say_is_shown(values: dict[str, Any], reason: str) -> None:
    order(**values)
    taken(STRIPE)

    assert reason in provider_gaps()[0].reason


@pytest.mark.django_db
def test_a_number_that_two_shops_use_names_no_order() -> None:
    order()
    upsert_orders(
        shop=ShopFactory(code="autre"),
        drafts=[draft("1001", line("A", "120.00"))],
        source=SOURCE,
        at=NOON,
    )

    taken(STRIPE)

    assert not ProviderTransaction.objects.filter(order__isnull=False).exists()


@pytest.mark.django_db
def test_payouts_add_up_and_are_found_at_the_bank() -> None:
    order()
    taken(STRIPE)
    line_of_bank = BankLine.objects.create(
        key="b1", booked_on=date(2026, 3, 5), amount=D("87.95"), label="STRIPE"
    )

    (found,) = payouts()

    assert (found.gross, found.fees, found.net) == (D("90.00"), D("2.05"), D("87.95"))
    assert found.bank_line == line_of_bank


def at_the_bank(amount: str, day: int = 5, key: str = "b1") -> BankLine:
    line_of_bank: BankLine = BankLine.objects.create(
        key=key, booked_on=date(2026, 3, day), amount=D(amount), label="STRIPE PAYMENTS"
    )
    return line_of_bank


@pytest.mark.django_db
def test_a_line_of_the_bank_that_is_a_payout_is_recognised_once() -> None:
    taken(STRIPE)
    first, second = at_the_bank("87.95"), at_the_bank("87.95", key="b2")

    assert match_sure_lines() == 1

    first.refresh_from_db()
    assert (first.status, first.payout) == ("matched", "stripe:po_1")
    assert arrived_payouts([second]) == {}
    with pytest.raises(BankLineClosed, match="virement"):
        match_payout(line_id=second.pk)


@pytest.mark.django_db
def test_a_transfer_that_paypal_tells_is_found_at_the_bank_too() -> None:
    taken(PAYPAL)
    found = BankLine.objects.create(
        key="b1", booked_on=date(2026, 2, 14), amount=D("100.00"), label="PAYPAL"
    )
    page = signed_in("Ventes").get("/banque/").content.decode()
    assert "virement de PayPal P2" in page

    assert match_payout(line_id=found.pk).payout == "paypal:P2"
    assert [gap.title for gap in provider_gaps() if gap.order is None] == ["PayPal P1"]


@pytest.mark.django_db
def test_a_week_later_it_is_another_transfer() -> None:
    taken(STRIPE)
    assert arrived_payouts([at_the_bank("87.95", day=11)]) == {}


@pytest.mark.django_db
def test_a_file_is_brought_and_compared_on_the_page() -> None:
    sales = signed_in("Ventes")
    order(price="121.00")

    sales.post("/paiements/", {"file": SimpleUploadedFile("stripe.csv", STRIPE.encode())})
    page = sales.get("/paiements/").content.decode()

    assert "montants différents" in page
    assert "2,05 €" in page
    sales.post("/paiements/", {"file": SimpleUploadedFile("x.csv", b"a;b\n1;2\n")})
    assert ProviderTransaction.objects.count() == 2


@pytest.mark.django_db
def test_the_page_costs_the_same_whatever_the_file(django_assert_max_num_queries: Any) -> None:
    for n in range(8):
        order(str(2000 + n), refunded=D("0"), payment_status="paid")
        row = f"po_{n},t{n},2026-03-02 10:00:00,eur,99.00,1.00,98.00,charge,,{2000 + n}\n"
        taken(STRIPE.split("\n", maxsplit=1)[0] + "\n" + row)

    with django_assert_max_num_queries(5):
        assert len(provider_gaps()) == len(payouts()) == 8
