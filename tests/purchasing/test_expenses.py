"""Suppliers' invoices that are valid are entered: expenses, extra lines, negative lines, rounding.

The files in tests/data/einvoices are valid by EN 16931's rules.
"""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from inventory.services import default_warehouse
from purchasing import expense_accounts
from purchasing.einvoices import Read, read_einvoice
from purchasing.errors import WrongState
from purchasing.models import ExpenseLine, ReceiptLine, ReceivedInvoice, SupplierInvoice
from purchasing.services import (
    Choice,
    Expense,
    cancel_supplier_invoice,
    create_order,
    enter_received,
    enter_supplier_invoice,
    match_lines,
    propose_expenses,
    receive_einvoice,
    receive_goods,
    return_to_supplier,
)
from sphinx.core.errors import InputError
from sphinx.core.models import Company
from suppliers.models import Supplier
from tests.factories import NOON, ProductFactory, SupplierFactory, SupplierProductFactory
from tests.purchasing.test_receptions import cii, terms, ubl
from tests.test_stock_pages import signed_in

pytestmark = pytest.mark.django_db
D = Decimal
SAMPLES = Path(__file__).parent.parent / "data" / "einvoices"
TODAY = date(2026, 12, 1)


def sample(name: str) -> bytes:
    return (SAMPLES / f"{name}.xml").read_bytes()


def read(data: bytes) -> Read:
    return read_einvoice("facture.xml", data)


def received(data: bytes) -> ReceivedInvoice:
    return receive_einvoice(name="facture.xml", data=data, at=NOON)


@pytest.fixture
def supplier() -> Supplier:
    return SupplierFactory(name="Cirier du Nord", siren="404833048")


Came = Callable[[str, int, str], ReceiptLine]


@pytest.fixture
def came(supplier: Supplier) -> Came:
    """So many pieces of an article, received at a price."""

    def come(sku: str, pieces: int, price: str) -> ReceiptLine:
        product = ProductFactory(sku=sku, barcode="", label=sku)
        SupplierProductFactory(supplier=supplier, product=product, supplier_sku=sku, price=price)
        order = create_order(
            supplier=supplier,
            warehouse=default_warehouse(),
            quantities={product.pk: D(pieces)},
            at=NOON,
        )
        receipt = receive_goods(order_id=order.pk, quantities=None, at=NOON)
        assert receipt is not None
        return receipt.lines.get()

    return come


def line(number: int, quantity: str, amount: str, name: str, **more: str) -> dict[str, str]:
    return {
        "BT-126": str(number),
        "BT-129": quantity,
        "BT-130": "C62",
        "BT-131": amount,
        "BT-146": "1.00",
        "BT-151": "S",
        "BT-152": "20.00",
        "BT-153": name,
        **more,
    }


def invoice(number: str, net: str, tax: str, lines: list[dict[str, str]], **more: Any) -> bytes:
    """An invoice under 20 % without carriage."""
    total = D(net) + D(tax)
    changes = {
        "BT-1": number,
        "BG-21": [],
        "BG-23": [{"BT-116": net, "BT-117": tax, "BT-118": "S", "BT-119": "20.00"}],
        "BG-25": lines,
        "BT-106": net,
        "BT-108": "0.00",
        "BT-109": net,
        "BT-110": tax,
        "BT-112": str(total),
        "BT-115": str(total),
        **more,
    }
    return cii(**changes)


def fibre(number: str, day: date = date(2026, 11, 3), name: str = "Abonnement fibre") -> bytes:
    return invoice(number, "30.00", "6.00", [line(1, "1", "30.00", name)], **{"BT-2": day})


# --- Read -----------------------------------------------------------------------------------------


def test_a_negative_quantity_is_read() -> None:
    found = read(sample("neg"))

    assert [(x["quantity"], x["amount"]) for x in found.lines] == [
        ("10", "100.00"),
        ("-1", "-5.00"),
    ]
    assert found.total == D("114.00")


def test_a_rounded_total_is_what_is_owed() -> None:
    found = read(sample("bt114"))

    # 21.23 and 4.25 of VAT are 25.48, of which 25.47 is asked.
    assert (found.rounding, found.total) == (D("-0.01"), D("25.47"))


def test_what_was_paid_before_is_read_and_still_part_of_the_total() -> None:
    found = read(cii(**{"BT-113": "20.00", "BT-115": "44.80"}))

    assert (found.total, found.prepaid) == (D("64.80"), D("20.00"))


def test_a_sum_to_pay_that_its_own_totals_do_not_make_is_refused() -> None:
    with pytest.raises(InputError) as refused:
        read(cii(**{"BT-115": "64.00"}))

    assert refused.value.code == "einvoice.total"


def test_a_price_for_a_hundred_pieces_is_never_multiplied() -> None:
    rows = [{**terms()["BG-25"][0], "BT-146": "500.00", "BT-149": "100"}]

    # 10 pieces at 500.00 the hundred: the line says 50.00.
    assert read(cii(**{"BG-25": rows})).lines[0]["amount"] == "50.00"


def test_each_line_bears_the_vat_of_its_rate() -> None:
    rows = [
        line(1, "1", "100.00", "Papier"),
        line(2, "1", "50.00", "Livre", **{"BT-152": "5.50"}),
        line(3, "1", "20.00", "Stylos"),
    ]
    taxes = [
        {"BT-116": "120.00", "BT-117": "24.00", "BT-118": "S", "BT-119": "20.00"},
        {"BT-116": "50.00", "BT-117": "2.75", "BT-118": "S", "BT-119": "5.50"},
    ]

    found = read(invoice("F-1", "170.00", "26.75", rows, **{"BG-23": taxes}))

    assert [x["tax"] for x in found.lines] == ["20.00", "2.75", "4.00"]


def test_a_discount_of_the_document_is_off_the_lines_of_its_own_rate() -> None:
    off = [
        {
            "amount": "10.00", "reason": "Remise", "reason_code": "95",
            "vat_category_code": "S", "vat_rate": "5.50",
        }
    ]  # fmt: skip
    rows = [
        line(1, "1", "100.00", "Papier"),
        line(2, "1", "50.00", "Livre", **{"BT-152": "5.50"}),
    ]
    taxes = [
        {"BT-116": "100.00", "BT-117": "20.00", "BT-118": "S", "BT-119": "20.00"},
        {"BT-116": "40.00", "BT-117": "2.20", "BT-118": "S", "BT-119": "5.50"},
    ]
    more = {"BG-20": off, "BG-23": taxes, "BT-106": "150.00", "BT-107": "10.00"}

    found = read(invoice("F-1", "140.00", "22.20", rows, **more))

    assert [(x["amount"], x["tax"]) for x in found.lines] == [
        ("100.00", "20.00"),
        ("40.00", "2.20"),
    ]


def test_a_charge_that_is_no_carriage_is_a_line_with_its_vat() -> None:
    charge = {
        "amount": "4.00", "reason": "Éco-contribution", "vat_category_code": "S",
        "vat_rate": "20.00",
    }  # fmt: skip

    found = read(cii(**{"BG-21": [charge]}))

    assert found.carriage == 0
    assert [(x["label"], x["amount"], x["tax"]) for x in found.lines][1] == (
        "Éco-contribution",
        "4.00",
        "0.80",
    )


def test_an_invoice_below_zero_is_a_credit_note() -> None:
    found = read(invoice("F-1", "-5.00", "-1.00", [line(1, "-1", "-5.00", "Bougie")]))

    assert (found.kind, found.total, found.tax) == ("credit_note", D("6.00"), D("1.00"))
    assert (found.lines[0]["quantity"], found.lines[0]["amount"]) == ("1", "5.00")


def test_booleans_written_as_digits_are_read_in_ubl() -> None:
    data = ubl().replace(b"<cbc:ChargeIndicator>true<", b"<cbc:ChargeIndicator>1<")
    assert b"<cbc:ChargeIndicator>1<" in data

    assert read(data).carriage == D("4.00")


def test_the_level_of_the_norm_under_its_old_name_is_read() -> None:
    data = cii().replace(
        b">urn:cen.eu:en16931:2017<", b">urn:ferd:CrossIndustryDocument:invoice:1p0:comfort<"
    )

    assert read(data).total == D("64.80")


# --- Entered --------------------------------------------------------------------------------------


def test_60000_pieces_are_entered_at_the_amount_of_their_line(came: Came) -> None:
    row = came("ETQ", 60000, "0.001667")

    made = enter_received(received_id=received(sample("etq")).pk, at=NOON)

    # 100.01 / 60,000 is 0.001667, which times 60,000 would be 100.02.
    charged = made.lines.get()
    assert (charged.receipt_line, charged.quantity) == (row, 60000)
    assert (charged.amount_excl_tax, made.total_incl_tax) == (D("100.01"), D("120.01"))
    assert (made.status, charged.cost_added) == ("approved", D("-0.01"))


def test_an_amount_over_several_receipts_is_shared_to_the_cent(came: Came) -> None:
    row = came("ETQ", 20000, "0.001667")
    order = create_order(
        supplier=row.receipt.purchase_order.supplier,
        warehouse=default_warehouse(),
        quantities={row.order_line.product_id: D(40000)},
        at=NOON,
    )
    receive_goods(order_id=order.pk, quantities=None, at=NOON)

    made = enter_received(received_id=received(sample("etq")).pk, at=NOON)

    # A third of 100.01 is 33.336…, two thirds 66.673…: the cent goes to the larger remainder.
    assert sorted(x.amount_excl_tax for x in made.lines.all()) == [D("33.34"), D("66.67")]


def test_eco_contribution_beside_goods_goes_to_an_account(came: Came) -> None:
    row = came("FRI", 2, "200.00")
    found = received(sample("eco"))

    goods, eco = match_lines(found)
    made = enter_received(received_id=found.pk, choices={1: Choice("60780000")}, at=NOON)

    assert (goods.shares, eco.shares) == ([(row, 2)], [])
    kept = made.expenses.get()
    assert (kept.account, kept.amount_excl_tax, kept.tax, kept.tax_rate) == (
        "60780000",
        D("20.00"),
        D("4.00"),
        D("20.00"),
    )
    assert (made.goods_excl_tax, made.expenses_excl_tax) == (D("400.00"), D("20.00"))
    assert (made.status, made.total_incl_tax) == ("approved", D("504.00"))


def test_a_general_expense_is_entered_and_good_to_pay(supplier: Supplier) -> None:
    found = received(sample("exp"))

    made = enter_received(received_id=found.pk, choices={0: Choice("62600000")}, at=NOON)

    assert (made.status, made.total_incl_tax, made.goods_excl_tax) == ("approved", D("36.00"), 0)
    assert made.expenses.get().label == "Abonnement fibre"


def test_a_rounded_invoice_owes_what_it_asks(came: Came) -> None:
    came("TEL", 1, "21.23")

    made = enter_received(received_id=received(sample("bt114")).pk, at=NOON)

    assert (made.tax, made.rounding, made.total_incl_tax) == (D("4.25"), D("-0.01"), D("25.47"))


def test_46_lines_are_entered_as_before(came: Came) -> None:
    found = received(sample("lines46"))
    choices = {place: Choice("60640000") for place in range(46)}

    made = enter_received(received_id=found.pk, choices=choices, at=NOON)

    assert (made.expenses.count(), made.total_incl_tax) == (46, D("175.88"))


def test_a_discount_line_that_is_no_article_goes_to_an_account(came: Came) -> None:
    came("DIS", 10, "10.00")
    found = received(sample("neg"))
    places = [place for place, m in enumerate(match_lines(found)) if not m.shares]

    proposed = propose_expenses(found, places, TODAY)
    made = enter_received(received_id=found.pk, choices={1: Choice(proposed[1].account)}, at=NOON)

    assert (places, proposed[1].account) == ([1], "60970000")
    assert (made.goods_excl_tax, made.expenses_excl_tax) == (D("100.00"), D("-5.00"))
    assert made.total_incl_tax == D("114.00")


def taken_back(number: str = "F-RET") -> bytes:
    """One piece of A taken back at 10.00, two of B charged at 10.00."""
    rows = [
        line(1, "2", "20.00", "B", **{"BT-155": "B"}),
        line(2, "-1", "-10.00", "A", **{"BT-155": "A"}),
    ]
    return invoice(number, "10.00", "2.00", rows)


def test_a_piece_sent_back_is_taken_off_an_invoice(came: Came) -> None:
    row = came("A", 3, "10.00")
    first = invoice("F-1", "30.00", "6.00", [line(1, "3", "30.00", "A", **{"BT-155": "A"})])
    enter_received(received_id=received(first).pk, at=NOON)
    return_to_supplier(
        receipt_id=row.receipt_id, quantities={row.pk: D(1)}, reason="cassée", at=NOON
    )
    came("B", 2, "10.00")

    made = enter_received(received_id=received(taken_back()).pk, at=NOON)

    row.refresh_from_db()
    assert (made.status, made.goods_excl_tax) == ("approved", D("10.00"))
    assert [(x.quantity, x.amount_excl_tax) for x in made.lines.order_by("quantity")] == [
        (-1, D("-10.00")),
        (2, D("20.00")),
    ]
    assert row.quantity_invoiced == 2


def test_a_piece_taken_back_that_never_left_is_a_difference(came: Came) -> None:
    came("A", 3, "10.00")
    first = invoice("F-1", "30.00", "6.00", [line(1, "3", "30.00", "A", **{"BT-155": "A"})])
    enter_received(received_id=received(first).pk, at=NOON)
    came("B", 2, "10.00")

    made = enter_received(received_id=received(taken_back()).pk, at=NOON)

    assert [(d["code"], d["sku"]) for d in made.differences] == [("quantity", "A")]


def test_a_piece_of_which_none_was_charged_is_for_an_account(came: Came) -> None:
    came("A", 3, "10.00")
    came("B", 2, "10.00")

    assert match_lines(received(taken_back()))[1].shares == []


def test_taking_back_an_invoice_charges_the_piece_again(came: Came) -> None:
    row = came("A", 3, "10.00")
    first = invoice("F-1", "30.00", "6.00", [line(1, "3", "30.00", "A", **{"BT-155": "A"})])
    enter_received(received_id=received(first).pk, at=NOON)
    came("B", 2, "10.00")
    made = enter_received(received_id=received(taken_back()).pk, at=NOON)

    cancel_supplier_invoice(invoice_id=made.pk, reason="erreur", at=NOON)

    row.refresh_from_db()
    assert row.quantity_invoiced == 3


@pytest.mark.parametrize("account", ["", "21830000", "60", "6A1", "7", "6" * 13])
def test_only_an_account_of_class_6_bears_an_expense(supplier: Supplier, account: str) -> None:
    found = received(sample("exp"))

    with pytest.raises(WrongState):
        enter_received(received_id=found.pk, choices={0: Choice(account)}, at=NOON)
    assert SupplierInvoice.objects.count() == 0


@pytest.mark.parametrize(
    "wrong", [{"account": "21830000"}, {"deductible_share": D(101)}, {"tax_rate": D(-1)}]
)
def test_the_database_keeps_expenses_sound(supplier: Supplier, wrong: dict[str, Any]) -> None:
    made = enter_received(
        received_id=received(sample("exp")).pk, choices={0: Choice("62600000")}, at=NOON
    )

    with pytest.raises(IntegrityError), transaction.atomic():
        ExpenseLine.objects.filter(invoice=made).update(**wrong)


def test_lines_that_do_not_make_the_total_are_refused_with_their_sums(supplier: Supplier) -> None:
    with pytest.raises(WrongState, match="30,00"):
        enter_supplier_invoice(
            supplier=supplier,
            supplier_number="F-9",
            issued_on=TODAY,
            charged=[],
            expenses=[Expense("Fibre", "62600000", D("30.00"))],
            tax=D("6.00"),
            total_incl_tax=D("37.00"),
            at=NOON,
        )


# --- Proposed -------------------------------------------------------------------------------------


def entered(data: bytes, account: str, share: str = "100") -> SupplierInvoice:
    found = received(data)
    choices = {place: Choice(account, D(share)) for place in range(len(found.lines))}
    return enter_received(received_id=found.pk, choices=choices, at=NOON)


def proposed(data: bytes) -> tuple[str, str]:
    found = received(data)
    proposal = propose_expenses(found, [0], TODAY)[0]
    return proposal.account, proposal.why


def test_the_account_of_the_last_time_is_proposed_and_says_when(supplier: Supplier) -> None:
    entered(fibre("F-1", date(2026, 10, 3)), "61350000")
    entered(fibre("F-2", date(2026, 11, 3)), "62610000", "80")

    proposal = propose_expenses(received(fibre("F-3")), [0], TODAY)[0]

    assert proposal == ("62610000", 80, "comme le 3 novembre")


def test_a_time_of_another_year_says_its_year(supplier: Supplier) -> None:
    entered(fibre("F-1", date(2025, 11, 3)), "62610000")

    assert proposed(fibre("F-2"))[1] == "comme le 3 novembre 2025"


def test_the_account_of_the_same_kind_is_next(supplier: Supplier) -> None:
    entered(fibre("F-1"), "62610000")
    entered(fibre("F-2", name="Papeterie"), "60640000")

    assert proposed(fibre("F-3", name="Ligne mobile"))[0] == "62610000"


def test_words_that_call_for_nothing_get_the_last_account_of_the_supplier(
    supplier: Supplier,
) -> None:
    entered(fibre("F-1"), "62610000")
    entered(fibre("F-2", name="Papeterie"), "60640000")

    assert proposed(fibre("F-3", name="Divers 12"))[0] == "60640000"


@pytest.mark.parametrize(
    ("name", "account", "share"),
    [
        ("Éco-participation DEEE", "60780000", 100),
        ("Abonnement fibre", "62600000", 100),
        ("Gazole", "60614000", 80),
        ("Nuitée à Lyon", "62560000", 0),
        ("Zzz", "62800000", 100),
    ],
)
def test_the_first_time_words_tell_else_a_neutral_account(
    supplier: Supplier, name: str, account: str, share: int
) -> None:
    proposal = propose_expenses(received(fibre("F-1", name=name)), [0], TODAY)[0]

    assert (proposal.account, proposal.deductible_share) == (account, share)


def test_what_was_taken_back_is_no_example(supplier: Supplier) -> None:
    made = entered(fibre("F-1"), "61350000")
    cancel_supplier_invoice(invoice_id=made.pk, reason="mauvais compte", at=NOON)

    assert proposed(fibre("F-2"))[0] == "62600000"


def test_another_suppliers_account_is_no_example(supplier: Supplier) -> None:
    entered(fibre("F-1"), "61350000")
    supplier.name, supplier.siren = "Autre", "552100554"
    supplier.save()
    SupplierFactory(name="Cirier du Nord", siren="404833048")

    assert proposed(fibre("F-2"))[0] == "62600000"


def test_the_firms_own_account_is_proposed_for_a_usual_one(
    supplier: Supplier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        expense_accounts, "chart_known", [lambda: [("626100", "Internet"), ("628", "Divers")]]
    )

    assert proposed(fibre("F-1"))[0] == "626100"
    assert "62600000" not in expense_accounts.expense_chart()


def test_an_article_that_is_not_received_yet_is_no_expense(supplier: Supplier) -> None:
    SupplierProductFactory(
        supplier=supplier, product=ProductFactory(sku="FRI", barcode=""), supplier_sku="FRI"
    )

    proposals = propose_expenses(received(sample("eco")), [0, 1], TODAY)

    assert (proposals[0].account, proposals[1].account) == ("", "60780000")


def test_proposals_ask_as_little_of_46_lines_as_of_one(
    supplier: Supplier, django_assert_num_queries: Any
) -> None:
    found = received(sample("lines46"))

    with django_assert_num_queries(3):
        propose_expenses(found, range(46), TODAY)


# --- Refused --------------------------------------------------------------------------------------


def refusal(data: bytes) -> InputError:
    with pytest.raises(InputError) as refused:
        received(data)
    return refused.value


def test_the_same_invoice_in_another_form_is_refused_as_known(supplier: Supplier) -> None:
    received(cii())

    assert refusal(ubl()).code == "einvoice.known"
    assert ReceivedInvoice.objects.count() == 1


def test_one_entered_by_hand_is_refused_as_known(supplier: Supplier) -> None:
    made = enter_supplier_invoice(
        supplier=supplier,
        supplier_number="F-2026-77",
        issued_on=TODAY,
        charged=[],
        expenses=[Expense("Bougies", "60640000", D("54.00"), D("10.80"))],
        tax=D("10.80"),
        total_incl_tax=D("64.80"),
        at=NOON,
    )

    refused = refusal(cii())

    assert refused.code == "einvoice.known"
    assert made.number in refused.message


def test_one_taken_back_may_come_again(supplier: Supplier) -> None:
    made = entered(fibre("F-1"), "62600000")
    cancel_supplier_invoice(invoice_id=made.pk, reason="erreur", at=NOON)

    assert received(fibre("F-1", name="Fibre")).status == "open"


def test_a_seller_that_is_not_known_yet_has_each_number_once(db: None) -> None:
    received(cii())

    assert refusal(ubl()).code == "einvoice.known"


def addressed(**ids: str) -> bytes:
    return cii(**{"BG-7": {**terms()["BG-7"], **ids}})


@pytest.fixture
def firm() -> Company:
    firm, _made = Company.objects.update_or_create(
        pk=1,
        defaults={"name": "Maison Sphinx", "siren": "123456782", "vat_number": "FR72123456782"},
    )
    return firm


SIREN = {"legal_identifier": "552100554", "legal_identifier_schemeid": "0002"}


def test_an_invoice_to_another_firm_is_refused_with_both_names(firm: Company) -> None:
    refused = refusal(addressed(name="Voisin SARL", **SIREN))

    assert refused.code == "einvoice.not_ours"
    assert "Voisin SARL" in refused.message
    assert "Maison Sphinx" in refused.message


@pytest.mark.parametrize(
    "ids",
    [
        {},
        {"legal_identifier": "123456782", "legal_identifier_schemeid": "0002"},
        {"legal_identifier": "12345678200010", "legal_identifier_schemeid": "0009"},
        {"vat_identifier": "FR72 123456782"},
        {**SIREN, "vat_identifier": "FR72123456782"},
    ],
    ids=["nothing said", "SIREN", "SIRET", "VAT", "one of both"],
)
def test_an_invoice_to_the_firm_is_taken(firm: Company, ids: dict[str, str]) -> None:
    assert received(addressed(**ids)).status == "open"


def test_a_vat_number_of_another_firm_is_refused(firm: Company) -> None:
    assert refusal(addressed(vat_identifier="FR11552100554")).code == "einvoice.not_ours"


# --- The page -------------------------------------------------------------------------------------


def test_the_page_proposes_and_one_button_enters(supplier: Supplier) -> None:
    entered(fibre("F-1"), "62610000")
    found = received(sample("exp"))
    buyer, page = signed_in("Achats"), f"/achats/factures/recues/{found.pk}/"

    shown = buyer.get(page).content.decode()
    answer = buyer.post(page, {"verb": "enter", "account-0": "62600000", "share-0": "80"})

    assert "comme le 3 novembre" in shown
    made = SupplierInvoice.objects.get(supplier_number="F-EXP")
    assert answer.headers["Location"] == f"/achats/factures/{made.pk}/"
    kept = made.expenses.get()
    assert (kept.account, kept.deductible_share) == ("62600000", 80)
    assert "62600000" in buyer.get(f"/achats/factures/{made.pk}/").content.decode()


def test_a_line_without_account_is_told_and_nothing_is_entered(supplier: Supplier) -> None:
    found = received(sample("exp"))

    answer = signed_in("Achats").post(
        f"/achats/factures/recues/{found.pk}/", {"verb": "enter", "account-0": ""}, follow=True
    )

    assert "Abonnement fibre" in answer.content.decode()
    assert SupplierInvoice.objects.count() == 0
