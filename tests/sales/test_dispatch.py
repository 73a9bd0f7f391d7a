import csv
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from inventory.models import BundleComponent, Product
from sales.errors import PackedOtherwise
from sales.models import DeliveryNote, Order
from sales.picking import picking_list, pieces_of
from sales.services import (
    import_tracking,
    labels_csv,
    mail_shipment,
    notes_to_mail,
    prepare_deliveries,
    prepare_delivery,
    ship_delivery_note,
    ship_parcel,
    tracking_url,
)
from sales.tasks import mail_parcels
from sphinx.core import clock
from sphinx.core.errors import InputError
from sphinx.core.models import Shop
from tests.factories import NOON, PARIS_ADDRESS, ProductFactory, ShopFactory, line, placed
from tests.test_stock_pages import signed_in

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def products() -> dict[str, Product]:
    return {
        "A": ProductFactory(sku="A", on_hand=50, location="B2", barcode="3760001234567"),
        "B": ProductFactory(sku="B", on_hand=50, location="A1"),
        "C": ProductFactory(sku="C", on_hand=50),
    }


def note_of(number: str, *lines: Any, **values: Any) -> DeliveryNote:
    note = prepare_delivery(order_id=placed(number, *lines, **values).pk, at=NOON)
    assert note is not None
    return note


# --- Picking -----------------------------------------------------------------------------------


@pytest.mark.usefixtures("products")
def test_several_orders_are_picked_in_the_order_of_the_shelves() -> None:
    first = note_of("1", line("A", quantity="2"), line("B"))
    second = note_of("2", line("A"), line("C"))

    picks = picking_list([first, second])

    assert [(p.product.sku, p.quantity) for p in picks] == [("B", 1), ("A", 3), ("C", 1)]
    assert picks[1].shares == [(first.number, 2), (second.number, 1)]


def test_a_bundle_is_picked_as_its_components(products: dict[str, Product]) -> None:
    box = ProductFactory(sku="BOX")
    for sku, pieces in (("A", 2), ("B", 1)):
        BundleComponent.objects.create(bundle=box, component=products[sku], quantity=pieces)

    note = note_of("1", line("BOX", quantity="3"), line("A"))

    assert {p.product.sku: p.quantity for p in pieces_of([note.pk])} == {"A": 7, "B": 3}


@pytest.mark.usefixtures("products")
def test_a_picking_list_costs_the_same_whatever_its_length(
    django_assert_max_num_queries: Any,
) -> None:
    notes = [note_of(str(n), line("A"), line("B")) for n in range(12)]

    with django_assert_max_num_queries(3):
        assert len(picking_list(notes)) == 2


# --- Parcels -----------------------------------------------------------------------------------


def test_a_parcel_that_is_not_its_note_stays(products: dict[str, Product]) -> None:
    note = note_of("1", line("A", quantity="2"), line("B"))
    a, b = products["A"].pk, products["B"].pk

    for packed in ({a: D(1), b: D(1)}, {a: D(3), b: D(1)}, {a: D(2)}, {}):
        with pytest.raises(PackedOtherwise):
            ship_parcel(note_id=note.pk, packed=packed, at=NOON)
    ship_parcel(note_id=note.pk, packed={a: D(2), b: D(1)}, carrier="DPD", at=NOON)

    note.refresh_from_db()
    assert (note.status, note.carrier) == ("shipped", "DPD")


def test_customers_follow_their_parcel_at_the_carriers() -> None:
    note = DeliveryNote(carrier="Mondial Relay", tracking_number="12345678")

    assert tracking_url(note).endswith("=12345678")
    assert tracking_url(DeliveryNote(carrier="Pigeon", tracking_number="1")) == ""


# --- Labels ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("products")
@pytest.mark.parametrize(
    ("layout", "values"),
    [
        ("generic", {"nom": "Léa Martin", "code_postal": "75011", "pays": "FR"}),
        ("dpd", {"recipient_name": "Léa Martin", "recipient_country": "250"}),
    ],
)
def test_parcels_go_to_the_label_program(layout: str, values: dict[str, str]) -> None:
    note = note_of("W1", line("A"))

    (row,) = csv.DictReader(StringIO(labels_csv([note], layout=layout)), delimiter=";")

    assert {name: row[name] for name in values} == values
    assert note.number in row.values()


@pytest.mark.usefixtures("products")
def test_phone_numbers_reach_the_label_program_without_a_plus() -> None:
    note = note_of("W1", line("A"))
    note.order.customer.phone = "+33612345678"

    (row,) = csv.DictReader(StringIO(labels_csv([note])), delimiter=";")

    assert row["telephone"] == "0033612345678"


@pytest.mark.usefixtures("products")
def test_no_cell_of_a_label_is_a_formula(warehouse: Client) -> None:
    note_of("W1", line("A"), shipping=PARIS_ADDRESS._replace(name="=1+1"))

    answer = warehouse.get("/livraisons/etiquettes/generic.csv")

    assert "'=1+1" in answer.content.decode()
    assert warehouse.get("/livraisons/etiquettes/autre.csv").status_code == 404


# --- The carrier's file ------------------------------------------------------------------------


@pytest.mark.usefixtures("products")
def test_an_order_number_that_two_shops_use_ships_neither_parcel() -> None:
    notes = [note_of("W1", line("A")), note_of("W2", line("A"))]
    Order.objects.filter(pk=notes[1].order_id).update(shop=ShopFactory(code="autre"), number="W1")

    done = import_tracking(
        name="dpd.csv",
        data="Référence;Numéro de suivi\nW1;6A1\n".encode(),
        carrier="DPD",
        ships=True,
        at=NOON,
    )

    assert (done.noted, done.shipped) == (0, 0)
    assert "W1" in done.faults[0]


@pytest.mark.usefixtures("products")
def test_tracking_numbers_come_from_the_carriers_file_once() -> None:
    shipped = note_of("W1", line("A"))
    ship_delivery_note(note_id=shipped.pk, at=NOON)
    draft = note_of("W2", line("A"))
    text = (
        "Expéditions du jour;;\nRéférence client;Ville;Numéro de suivi\n"
        f"{shipped.number};Paris;6A1\nW2;Lyon;6A2\nW9;Nice;6A3\n;Nice;6A4\n"
    )
    read = {"name": "coliship.csv", "data": text.encode("cp1252"), "carrier": "Colissimo"}

    done = import_tracking(**read, ships=True, at=NOON)
    again = import_tracking(**read, ships=True, at=NOON)

    assert (done.noted, done.shipped, again.noted) == (2, 1, 0)
    assert "W9" in done.faults[0]
    draft.refresh_from_db()
    assert (draft.status, draft.carrier, draft.tracking_number) == ("shipped", "Colissimo", "6A2")


@pytest.mark.usefixtures("products")
def test_a_parcel_without_tracking_number_is_told() -> None:
    note = note_of("W1", line("A"))

    done = import_tracking(
        name="dpd.csv",
        data=f"Référence;Numéro de suivi\n{note.number};\nTotal;\n".encode(),
        carrier="DPD",
        ships=True,
        at=NOON,
    )

    assert done.faults == [f"Ligne 2 : pas de n° de suivi pour « {note.number} »."]


@pytest.mark.usefixtures("products")
def test_a_draft_is_not_shipped_by_a_file_unless_asked() -> None:
    draft = note_of("W2", line("A"))

    import_tracking(
        name="x.csv", data=b"order;tracking\nW2;6A2\n", carrier="", ships=False, at=NOON
    )

    draft.refresh_from_db()
    assert (draft.status, draft.tracking_number) == ("draft", "6A2")


def test_a_file_without_the_two_columns_is_refused() -> None:
    with pytest.raises(InputError):
        import_tracking(name="x.csv", data=b"a;b\n1;2\n", carrier="", ships=False, at=NOON)


# --- Telling the customer ----------------------------------------------------------------------


@pytest.fixture
def gone(products: dict[str, Product], monkeypatch: pytest.MonkeyPatch) -> DeliveryNote:
    """A parcel that left an hour ago, of a shop that tells its customers."""
    monkeypatch.setattr(clock, "now", lambda: NOON + timedelta(hours=1))
    note = note_of("W1", line("A"))
    Shop.objects.update(mails_shipments=True)
    return ship_delivery_note(note_id=note.pk, at=NOON, carrier="Colissimo", tracking_number="6A1")


def test_the_customer_is_told_once_with_the_tracking_page(gone: DeliveryNote) -> None:
    mail_parcels()
    mail_parcels()

    (message,) = mail.outbox
    assert message.to == ["lea@exemple.test"]
    assert "W1" in message.subject
    assert "code=6A1" in message.body


def test_nobody_is_told_unless_the_shop_wants_it(gone: DeliveryNote) -> None:
    Shop.objects.update(mails_shipments=False)

    assert notes_to_mail() == []


def test_an_e_mail_that_cannot_leave_is_tried_again(
    gone: DeliveryNote, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: Any, **_options: Any) -> None:
        raise OSError("no server")

    with monkeypatch.context() as patched:
        patched.setattr("django.core.mail.EmailMessage.send", refuse)
        with pytest.raises(OSError, match="no server"):
            mail_shipment(note_id=gone.pk, at=NOON)

    assert notes_to_mail() == [gone.pk]


# --- Pages -------------------------------------------------------------------------------------


@pytest.fixture
def warehouse() -> Client:
    return signed_in("Entrepôt")


@pytest.mark.usefixtures("products")
def test_the_worktop_prepares_the_oldest_first_and_leads_to_the_shelves(warehouse: Client) -> None:
    late = placed("LATE", line("A"), placed_at=NOON)
    placed("EARLY", line("A"), placed_at=NOON - timedelta(days=2))

    page = warehouse.get("/livraisons/").content.decode()
    answer = warehouse.post("/livraisons/preparer/", follow=True)

    assert page.index("EARLY") < page.index(late.number)
    assert answer.redirect_chain[-1][0] == "/livraisons/prelevement/"
    assert DeliveryNote.objects.filter(status="draft").count() == 2


def test_a_parcel_is_checked_and_the_next_one_opens(
    warehouse: Client, products: dict[str, Product]
) -> None:
    first, second = (note_of(n, line("A", quantity="2")) for n in ("1", "2"))
    pk = products["A"].pk
    opened = warehouse.get("/livraisons/", {"code": first.number})
    page = opened.headers["Location"]

    scan = {"code": "3760001234567", "verb": "scan"}
    seen = warehouse.post(page, scan | {f"q{pk}": "1"}).content.decode()
    assert f'name="q{pk}" value="2"' in seen
    assert "Le colis est complet" in seen
    assert "de trop" in warehouse.post(page, scan | {f"q{pk}": "2"}).content.decode()
    wrong = warehouse.post(page, {"verb": "ship", f"q{pk}": "1"}).content.decode()
    assert "pas le bon" in wrong
    done = warehouse.post(page, {"verb": "ship", f"q{pk}": "2", "carrier": "DPD"})

    assert done.headers["Location"] == f"/livraisons/{second.pk}/colis/"
    assert 'value="DPD"' in warehouse.get(done.headers["Location"]).content.decode()


@pytest.mark.usefixtures("products")
def test_the_worktop_costs_the_same_whatever_is_ready(
    warehouse: Client, django_assert_max_num_queries: Any
) -> None:
    prepare_deliveries(order_ids=[placed(f"D{n}", line("A")).pk for n in range(9)], at=NOON)
    for n in range(9):
        placed(f"R{n}", line("A"))

    with django_assert_max_num_queries(25):
        assert warehouse.get("/livraisons/").status_code == 200


def test_sales_staff_look_but_do_not_ship(products: dict[str, Product]) -> None:
    note = note_of("1", line("A"))
    sales = signed_in("Ventes")

    assert sales.get("/livraisons/").status_code == 200
    assert sales.post(f"/livraisons/{note.pk}/colis/", {"verb": "unchecked"}).status_code == 403
    assert sales.post("/livraisons/preparer/").status_code == 403
