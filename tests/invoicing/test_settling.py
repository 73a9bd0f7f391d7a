"""Orders paid before they are invoiced, credit notes set off, small differences settled."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from accounting_export.models import JournalEntry, LetteredLine
from accounting_export.services import letter_all, post_missing
from customers.drafts import CustomerDraft
from inventory.services import default_warehouse, open_stock
from invoicing.errors import BankLineClosed, NothingToSettle, PaymentRefused
from invoicing.matching import SURE, propose
from invoicing.models import BankLine, Invoice, Payment
from invoicing.receivables import advances_of, open_invoices, with_balance
from invoicing.services import (
    confirm_paid_ahead,
    credit_invoice,
    enter_payment,
    issue_down_payment,
    issue_invoice,
    match_line,
    match_order,
    match_sure_lines,
    set_off,
    write_off,
)
from sales.models import Order
from sales.services import cancel_order, prepare_delivery, ship_delivery_note
from sphinx.core.proofs import run_proofs
from tests.factories import NOON, ProductFactory, draft, line, placed, put, shipped
from tests.invoicing.test_grouped import UNPAID as OF_FIRM
from tests.invoicing.test_grouped import grouped, left
from tests.test_stock_pages import signed_in

pytestmark = pytest.mark.django_db
D = Decimal
FIRM = CustomerDraft(ref="P1", email="achats@cafe.test", company="Café du Port")
WAITING: dict[str, Any] = {"payment_status": "unpaid", "state": "pending", "customer": FIRM}
UNPAID: dict[str, Any] = {"payment_status": "unpaid", "customer": FIRM}


def waiting(number: str = "W1127", price: str = "180.00", **values: Any) -> Order:
    if not Order.objects.exists():
        ProductFactory(sku="A", on_hand=1000)
    return placed(number, line("A", price), **{**WAITING, **values})


def booked(label: str = "VIR MARTIN W1127", amount: str = "180.00", key: str = "b1") -> BankLine:
    return BankLine.objects.create(
        key=key, booked_on=date(2026, 3, 5), amount=D(amount), label=label
    )


def invoiced(number: str = "1", price: str = "120.00", **values: Any) -> Invoice:
    note = shipped(number, line("A", price), **{**UNPAID, **values})
    return issue_invoice(delivery_note_id=note.pk, at=NOON)


def delivered(order: Order) -> Invoice:
    note = prepare_delivery(order_id=order.pk, at=NOON)
    assert note is not None
    ship_delivery_note(note_id=note.pk, at=NOON)
    return issue_invoice(delivery_note_id=note.pk, at=NOON)


def balance_of(invoice: Invoice) -> Decimal:
    found: Decimal = with_balance(Invoice.objects.filter(pk=invoice.pk)).get().balance
    return found.quantize(D("0.01"))


def entries(code: str) -> list[dict[str, str]]:
    """The entries of a journal: account → signed amount, debits above zero; twice one: a list."""
    return [
        {ln.account: f"{ln.debit - ln.credit:.2f}" for ln in entry.lines.all()}
        for entry in JournalEntry.objects.filter(journal__code=code).order_by("pk")
    ]


def faults() -> list[str]:
    return [fault for proof in run_proofs() for fault in proof.faults]


def lettered() -> dict[str, list[str]]:
    """Codes, each with its lines' signed amounts."""
    found: dict[str, list[str]] = {}
    for mark in LetteredLine.objects.select_related("line").order_by("line__pk"):
        found.setdefault(mark.code, []).append(f"{mark.line.debit - mark.line.credit:.2f}")
    return found


# --- An order paid by transfer before its invoice ----------------------------------------------


@pytest.mark.parametrize(
    ("number", "label"),
    [
        ("W1127", "VIR MARTIN W1127"),
        ("#W1127", "VIR INST RE W1127"),
        ("1127", "VIR COMMANDE 1127 MERCI"),
        ("12", "VIR CDE N° 12"),
        ("W-1127", "VIR W-1127"),
    ],
)
def test_an_unpaid_order_is_proposed_by_its_number_and_amount(number: str, label: str) -> None:
    order = waiting(number)
    proposal = propose([booked(label)]).popitem()[1]
    assert (proposal.order, proposal.certainty, proposal.shares) == (order, SURE, [])
    assert number in proposal.reason


@pytest.mark.parametrize(
    ("label", "amount", "values"),
    [
        ("VIR MARTIN W1127", "179.99", {}),
        ("VIR MARTIN W11270", "180.00", {}),
        ("VIR MARTIN", "180.00", {}),
        ("VIR MARTIN W1127", "180.00", {"payment_status": "paid"}),
        ("VIR MARTIN W1127", "180.00", {"state": "cancelled"}),
    ],
    ids=["amount", "part of a number", "amount alone", "paid", "cancelled"],
)
def test_what_is_not_that_order_is_not_proposed(
    label: str, amount: str, values: dict[str, Any]
) -> None:
    waiting(**values)
    assert propose([booked(label, amount)]) == {}


def test_an_open_invoice_of_the_order_comes_first() -> None:
    invoice = invoiced("W1127", "180.00")
    proposal = propose([booked()]).popitem()[1]
    assert (proposal.order, [s.invoice for s in proposal.shares]) == (None, [invoice])


def test_a_transfer_confirms_the_order_and_is_kept_as_an_advance_once() -> None:
    order, found = waiting(), booked()
    assert order.status == "draft"

    made = [match_order(line_id=found.pk, order_id=order.pk) for _twice in range(2)]

    order.refresh_from_db()
    found.refresh_from_db()
    assert (order.status, found.status) == ("confirmed", "matched")
    assert made[0] == made[1] == Payment.objects.get()
    assert advances_of([order.pk]) == {order.pk: 180}
    assert propose([booked(key="b2")]) == {}
    assert order.lines.get().reservation is not None
    post_missing()
    assert faults() == []


def test_all_that_is_sure_is_accepted_together() -> None:
    order, _found = waiting(), booked()
    assert (match_sure_lines(), match_sure_lines()) == (1, 0)
    order.refresh_from_db()
    assert order.status == "confirmed"


def test_a_part_of_what_is_due_confirms_nothing_yet() -> None:
    order = waiting()
    match_order(line_id=booked(amount="80.00").pk, order_id=order.pk)
    order.refresh_from_db()
    assert order.status == "draft"

    rest = booked(amount="100.00", key="b2")
    assert propose([rest])[rest.pk].order == order
    match_order(line_id=rest.pk, order_id=order.pk)

    order.refresh_from_db()
    assert order.status == "confirmed"


@pytest.mark.parametrize("case", ["too much", "paid", "invoiced", "cancelled", "given back"])
def test_what_an_order_does_not_owe_is_refused_and_changes_nothing(case: str) -> None:
    order = waiting(**({"payment_status": "paid"} if case == "paid" else {}))
    if case == "invoiced":
        order = invoiced("W2", "180.00").order
    if case == "cancelled":
        cancel_order(order_id=order.pk, at=NOON)
    amount = {"too much": "200.00", "given back": "-180.00"}.get(case, "180.00")
    found = booked(amount=amount)

    with pytest.raises(PaymentRefused):
        match_order(line_id=found.pk, order_id=order.pk)

    found.refresh_from_db()
    assert (found.status, Payment.objects.count()) == ("open", 0)


def test_a_line_that_was_put_aside_confirms_nothing() -> None:
    order, found = waiting(), booked()
    BankLine.objects.update(status="ignored")
    with pytest.raises(BankLineClosed):
        match_order(line_id=found.pk, order_id=order.pk)
    order.refresh_from_db()
    assert order.status == "draft"


def test_an_advance_is_booked_at_once_and_taken_by_the_invoice() -> None:
    order = waiting()
    match_order(line_id=booked().pk, order_id=order.pk)
    post_missing()
    assert entries("BQ") == [{"51210000": "180.00", "41911000": "-180.00"}]

    order.refresh_from_db()
    invoice = delivered(order)
    post_missing()

    assert (invoice.paid_incl_tax, balance_of(invoice)) == (180, 0)
    assert list(open_invoices()) == []
    assert entries("OD") == [{"41911000": "180.00", "41110000": "-180.00"}]
    assert lettered() == {"AAA": ["180.00", "-180.00"], "AAB": ["-180.00", "180.00"]}
    assert advances_of([order.pk]) == {}
    assert faults() == []
    assert letter_all() == 0


def test_what_the_shop_says_was_paid_too_is_not_paid_twice() -> None:
    order = waiting()
    match_order(line_id=booked(amount="80.00").pk, order_id=order.pk)
    put(draft("W1127", line("A", "180.00"), customer=FIRM))
    order.refresh_from_db()

    invoice = delivered(order)

    assert balance_of(invoice) == 0
    assert Payment.objects.get(reference=f"shop:{invoice.number}").amount == 100


def test_deliveries_in_parts_share_what_was_paid_ahead() -> None:
    ProductFactory(sku="A", on_hand=1)
    late = ProductFactory(sku="B")
    order = placed("W1127", line("A", "100.00"), line("B", "80.00"), **WAITING)
    match_order(line_id=booked().pk, order_id=order.pk)

    first = delivered(order)
    assert (first.paid_incl_tax, advances_of([order.pk])) == (100, {order.pk: 80})
    open_stock(opening={late.pk: (D(1), D(4))}, warehouse=default_warehouse(), at=NOON)
    second = delivered(order)
    post_missing()

    assert (second.paid_incl_tax, balance_of(first), balance_of(second)) == (80, 0, 0)
    assert entries("OD")[1] == {"41911000": "80.00", "41110000": "-80.00"}
    assert lettered()["AAC"] == ["-180.00", "100.00", "80.00"]
    assert faults() == []


def test_a_down_payment_invoice_takes_the_advance() -> None:
    order = waiting()
    match_order(line_id=booked(amount="60.00").pk, order_id=order.pk)

    invoice = issue_down_payment(order_id=order.pk, amount=D("60.00"), at=NOON)
    post_missing()

    assert (balance_of(invoice), advances_of([order.pk])) == (0, {})
    assert faults() == []


def test_a_grouped_invoice_takes_what_was_paid_ahead_on_each_order() -> None:
    ProductFactory(sku="A", on_hand=1000)
    first = placed("W1", line("A", "10.00"), **{**OF_FIRM, "state": "pending"})
    match_order(line_id=booked(amount="4.00").pk, order_id=first.pk)
    notes = left("W1", line("A", "10.00")), left("W2", line("A", "24.00"))

    invoice = grouped(*notes)
    post_missing()

    assert (invoice.paid_incl_tax, balance_of(invoice)) == (4, 30)
    assert faults() == []


def test_a_newer_file_that_says_unpaid_does_not_keep_the_order_waiting() -> None:
    order = waiting()
    match_order(line_id=booked().pk, order_id=order.pk)
    put(draft("W1127", line("A", "180.00"), note="appeler", **WAITING))

    confirm_paid_ahead()

    order.refresh_from_db()
    assert (order.status, order.note) == ("confirmed", "appeler")
    assert confirm_paid_ahead() == 0


# --- Set-off -----------------------------------------------------------------------------------


def credited(number: str = "1") -> Invoice:
    """An invoice of 120.00 that was paid, and credited of 30.00 after."""
    invoice = invoiced(number)
    enter_payment(invoice_id=invoice.pk, amount=D("120.00"), method="Virement", paid_at=NOON)
    credit_invoice(invoice_id=invoice.pk, amount=D("30.00"), reason="Retour", at=NOON)
    return invoice


def test_a_credit_note_is_set_off_against_another_invoice_and_lettered() -> None:
    first, second = credited(), invoiced("2", "30.00")
    post_missing()

    set_off(credited_id=first.pk, invoice_id=second.pk, at=NOON)
    post_missing()

    assert (balance_of(first), balance_of(second)) == (0, 0)
    (entry,) = JournalEntry.objects.filter(journal__code="OD")
    assert [(ln.account, ln.debit, ln.credit) for ln in entry.lines.order_by("position")] == [
        ("41110000", D("30.00"), D(0)),
        ("41110000", D(0), D("30.00")),
    ]
    assert sorted(map(sorted, lettered().values())) == [
        ["-120.00", "-30.00", "120.00", "30.00"],
        ["-30.00", "30.00"],
    ]
    assert faults() == []


@pytest.mark.parametrize(
    ("price", "balances"), [("20.00", (-10, 0)), ("50.00", (0, 20))], ids=["less", "more"]
)
def test_it_goes_as_far_as_both_go(price: str, balances: tuple[int, int]) -> None:
    first, second = credited(), invoiced("2", price)
    set_off(credited_id=first.pk, invoice_id=second.pk, at=NOON)
    post_missing()
    assert (balance_of(first), balance_of(second)) == balances
    assert faults() == []


def test_what_cannot_be_set_off_is_refused() -> None:
    first, second = credited(), invoiced("2", "30.00")
    other = invoiced("3", customer=FIRM._replace(ref="P2", email="hotel@x.test", company="Hôtel"))

    for source, target in ((second, first), (first, other), (first, first)):
        with pytest.raises(NothingToSettle):
            set_off(credited_id=source.pk, invoice_id=target.pk, at=NOON)
    set_off(credited_id=first.pk, invoice_id=second.pk, at=NOON)
    with pytest.raises(NothingToSettle):
        set_off(credited_id=first.pk, invoice_id=second.pk, at=NOON)


# --- Small differences -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("paid", "kind", "account", "amount"),
    [
        ("118.50", "bank_fee", "62700000", "1.50"),
        ("115.00", "bank_fee", "62700000", "5.00"),
        ("119.99", "rounding", "65800000", "0.01"),
        ("120.50", "rounding", "75800000", "-0.50"),
    ],
)
def test_a_small_difference_is_settled_with_the_match(
    paid: str, kind: str, account: str, amount: str
) -> None:
    invoice = invoiced()
    found = booked(f"VIR {invoice.number}", paid)
    proposal = propose([found])[found.pk]
    assert proposal.difference == D(amount)

    match_line(line_id=found.pk, shares=[(invoice.pk, D(paid))], difference=kind)
    post_missing()

    assert balance_of(invoice) == 0
    assert entries("OD") == [{account: amount, "41110000": f"{-D(amount):.2f}"}]
    assert len(lettered()) == 1
    assert faults() == []


@pytest.mark.parametrize(
    ("paid", "kind"),
    [("114.99", "bank_fee"), ("120.50", "bank_fee"), ("120.00", "rounding"), ("119.00", "money")],
    ids=["too large", "in our favour", "nothing", "no reason"],
)
def test_what_is_no_small_difference_is_refused_with_the_match(paid: str, kind: str) -> None:
    invoice = invoiced()
    found = booked(f"VIR {invoice.number}", paid)

    with pytest.raises(NothingToSettle):
        match_line(line_id=found.pk, shares=[(invoice.pk, D(paid))], difference=kind)

    found.refresh_from_db()
    assert (found.status, Payment.objects.count()) == ("open", 0)


@pytest.mark.parametrize("case", ["alone", "more than came in"])
def test_verify_sees_a_half_without_its_other_and_an_advance_used_twice(case: str) -> None:
    order = invoiced().order
    kind = "transfer" if case == "alone" else "money"
    Payment.objects.create(order=order, kind=kind, amount=D("-5.00"), reference="x", paid_at=NOON)
    proofs = {proof.name: proof.faults for proof in run_proofs()}
    assert "x : -5.00" in proofs["transfers"][0] or "-5.00 € d'avance" in proofs["transfers"][0]


def test_twice_settles_once() -> None:
    invoice = invoiced()
    enter_payment(invoice_id=invoice.pk, amount=D("119.00"), method="Virement", paid_at=NOON)
    write_off(invoice_id=invoice.pk, kind="rounding", at=NOON)
    with pytest.raises(NothingToSettle):
        write_off(invoice_id=invoice.pk, kind="rounding", at=NOON)


def test_what_moved_no_money_is_no_means_of_payment_of_a_closing() -> None:
    from invoicing.models import Closing
    from invoicing.services import close_periods

    invoice = invoiced()
    enter_payment(invoice_id=invoice.pk, amount=D("119.00"), method="Virement", paid_at=NOON)
    write_off(invoice_id=invoice.pk, kind="rounding", at=NOON)
    close_periods(at=NOON.replace(month=4))

    day = Closing.objects.filter(kind="day").order_by("position").first()
    assert day is not None
    assert day.details["payments"] == {"Virement": "119.00"}


# --- The pages ---------------------------------------------------------------------------------


def test_an_order_is_paid_and_confirmed_from_the_banks_page() -> None:
    sales = signed_in("Ventes")
    order, found = waiting(), booked()
    page = sales.get("/banque/").content.decode()
    assert "pas encore facturée" in page
    assert "Accepter et confirmer la commande" in page

    sales.post("/banque/", {"verb": f"accept-{found.pk}"})

    order.refresh_from_db()
    assert (order.status, advances_of([order.pk])) == ("confirmed", {order.pk: 180})


def test_an_orders_number_is_typed_where_its_transfer_does_not_name_it() -> None:
    sales = signed_in("Ventes")
    order, found = waiting("#W1127"), booked("VIR MARTIN", "100.00")

    sales.post("/banque/", {"verb": f"match-{found.pk}", f"numbers-{found.pk}": "W1127"})

    assert advances_of([order.pk]) == {order.pk: 100}


@pytest.mark.parametrize(("verb", "kind"), [("fee", "bank_fee"), ("rounding", "rounding")])
def test_a_difference_is_settled_from_the_banks_page(verb: str, kind: str) -> None:
    sales = signed_in("Ventes")
    invoice = invoiced()
    found = booked(f"VIR {invoice.number}", "118.50")
    assert "1,50 € en frais bancaires" in sales.get("/banque/").content.decode()

    sales.post("/banque/", {"verb": f"{verb}-{found.pk}"})

    assert balance_of(invoice) == 0
    assert Payment.objects.get(amount="1.50").kind == kind


def test_a_credit_note_is_set_off_and_a_difference_settled_from_the_invoices_page() -> None:
    sales = signed_in("Ventes")
    first, second = credited(), invoiced("2", "31.00")
    page = f"/factures/{second.pk}/reglement/"
    assert f"Compenser 30,00 € avec {first.number}" in sales.get(page).content.decode()

    sales.post(page, {"verb": f"set_off-{first.pk}"})
    assert "Solder 1,00 € : Frais bancaires" in sales.get(page).content.decode()
    sales.post(page, {"verb": "write_off-bank_fee"})

    assert list(open_invoices()) == []
    answer = signed_in("Comptable").post(page, {"verb": "write_off-rounding"})
    assert answer.status_code == 404
