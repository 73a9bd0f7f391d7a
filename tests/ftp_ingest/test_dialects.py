"""Each kind of shop's files as the platforms write them: what comes out, to the cent."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from django.db.models import F

from customers.models import Customer
from ftp_ingest.dialects import dialects
from ftp_ingest.services import IngestReport
from sales.models import Order
from tests.factories import ProductFactory

DATA = Path(__file__).parent.parent / "data"
Bring = Callable[..., IngestReport]
pytestmark = pytest.mark.django_db


def orders() -> dict[str, Order]:
    return {o.external_id: o for o in Order.objects.all()}


def amounts(order: Order) -> tuple[str, str, str, str]:
    """Total, VAT, shipping, the order's own discount."""
    fields = (
        order.total_incl_tax,
        order.total_tax,
        order.shipping_incl_tax,
        order.discount_incl_tax,
    )
    return tuple(str(f) for f in fields)  # type: ignore[return-value]


def lines(order: Order) -> list[tuple[str, int, str, str]]:
    """SKU, pieces, rate, total incl. tax."""
    return [
        (line.sku, int(line.quantity), f"{line.tax_rate.normalize():f}", str(line.total_incl_tax))
        for line in order.lines.all()
    ]


def read(bring: Bring, path: str) -> dict[str, Order]:
    report = bring((DATA / path).read_bytes(), name=Path(path).name)
    assert [fault.message for _name, fault in report.counts.faults] == []
    assert report.files[0].dialect == Path(path).parent.name
    assert report.files[0].kind == "orders"
    return orders()


ORDER_FILES = sorted(
    str(path.relative_to(DATA))
    for dialect in dialects()
    if dialect.code != "pivot"
    for path in (DATA / dialect.code).iterdir()
    if not path.name.startswith(("customers", "contacts", "grid", "analytics"))
)


@pytest.fixture
def catalogue(db: None) -> None:
    """Articles whose rate their file doesn't tell."""
    ProductFactory(sku="LIV-2", tax_rate=Decimal("5.5"))
    for sku in ("MUG-1", "LAMPE-12", "SAV", "TAS-1", "TAZ-1", "JAB"):
        ProductFactory(sku=sku, tax_rate=Decimal(20))


@pytest.mark.usefixtures("catalogue")
@pytest.mark.parametrize("path", ORDER_FILES)
def test_every_order_adds_up_to_the_shops_total(bring: Bring, path: str) -> None:
    for order in read(bring, path).values():
        charged = sum((line.total_incl_tax for line in order.lines.all()), Decimal(0))
        assert charged + order.shipping_incl_tax - order.discount_incl_tax == order.total_incl_tax


@pytest.mark.usefixtures("catalogue")
@pytest.mark.parametrize("path", ORDER_FILES)
def test_the_same_file_again_changes_nothing(bring: Bring, path: str) -> None:
    content = (DATA / path).read_bytes()
    bring(content)

    again = bring(content + b"\n", name="autre.csv")

    counts = again.counts.orders
    assert (counts["created"], counts["updated"], counts["cancelled"]) == (0, 0, 0)
    assert counts["unchanged"] > 0


@pytest.mark.parametrize(
    ("path", "way_out"),
    [
        ("woocommerce/analytics.csv", "WebToffee"),
        ("woocommerce/analytics_fr.csv", "WebToffee"),
        ("magento/grid.csv", "Xtento"),
        ("magento/grid_openmage.csv", "Xtento"),
        ("prestashop/grid_fr.csv", "Gestionnaire SQL"),
        ("prestashop/grid_en.csv", "Gestionnaire SQL"),
        ("etsy/grid_orders.csv", "Order Items"),
        ("shopware/grid_default.csv", "assistant"),
    ],
)
def test_an_export_without_lines_is_refused_with_the_way_out(
    bring: Bring, path: str, way_out: str
) -> None:
    report = bring((DATA / path).read_bytes())

    fault = report.counts.faults[0][1]
    assert (report.files[0].status, fault.code) == ("refused", "file.no_lines")
    assert way_out in fault.message
    assert not Order.objects.exists()


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("woocommerce/customers.csv", "Léa Martin"),
        ("magento/customers.csv", "Théo Roussel"),
        ("prestashop/customers.csv", "Agnès Lefèvre"),
        ("prestashop/customers_list.csv", "Agnès Lefèvre"),
        ("squarespace/contacts.csv", "Henri Petit"),
        ("wix/contacts.csv", "Atelier Bâtard EURL"),
    ],
)
def test_customers_come_in(bring: Bring, path: str, name: str) -> None:
    report = bring((DATA / path).read_bytes(), name="clients.csv")

    assert report.counts.faults == []
    assert (report.files[0].kind, report.files[0].dialect) == (
        "customers",
        Path(path).parent.name,
    )
    assert Customer.objects.get().name == name


# --- WooCommerce --------------------------------------------------------------------------


def test_webtoffee_lines_are_net_plus_tax_with_names_that_hold_marks(bring: Bring) -> None:
    order = read(bring, "woocommerce/webtoffee.csv")["501"]

    assert amounts(order) == ("85.56", "9.04", "4.90", "0.00")
    assert lines(order) == [("COF-01", 1, "20", "35.01"), ("MIEL-5", 2, "5.5", "45.65")]
    assert order.lines.get(sku="COF-01").label == "Coffret: bois | chêne"
    assert order.shipping_tax_rate == 20


def test_a_fee_is_a_line_of_its_own(bring: Bring) -> None:
    order = read(bring, "woocommerce/webtoffee.csv")["502"]

    assert (order.status, order.payment_status) == ("draft", "unpaid")
    assert lines(order) == [("MUG-1", 2, "20", "20.00"), ("", 1, "20", "2.00")]


def test_a_failed_payment_is_never_an_order_to_deliver(bring: Bring) -> None:
    assert read(bring, "woocommerce/webtoffee.csv")["503"].status == "cancelled"


def test_a_professional_of_another_member_state_bears_no_vat(bring: Bring) -> None:
    order = read(bring, "woocommerce/webtoffee.csv")["504"]

    assert (order.tax_regime, order.vat_number) == ("eu_business", "DE136695976")
    assert amounts(order) == ("512.00", "0.00", "12.00", "0.00")


def test_a_refund_in_part_shows_by_its_amount(bring: Bring) -> None:
    order = read(bring, "woocommerce/webtoffee.csv")["505"]

    assert (order.payment_status, order.refunded_incl_tax) == ("partially_refunded", 10)


def test_skyverge_rows_and_cells_say_the_same(bring: Bring) -> None:
    by_rows = read(bring, "woocommerce/skyverge_items.csv")["601"]
    by_cells = read(bring, "woocommerce/skyverge.csv")["602"]

    assert (
        lines(by_rows)
        == lines(by_cells)
        == [
            ("00042", 1, "20", "30.00"),
            ("LIV-1", 2, "10", "18.15"),
        ]
    )
    assert amounts(by_rows) == amounts(by_cells) == ("54.15", "7.65", "6.00", "0.00")
    assert by_rows.number == "WEB-0601"


def test_algolplus_costs_rounded_a_piece_still_make_the_shops_total(bring: Bring) -> None:
    order = read(bring, "woocommerce/algolplus.csv")["701"]

    assert amounts(order) == ("46.90", "7.82", "4.90", "0.00")
    assert lines(order) == [("SAV-1", 3, "20", "30.00"), ("BOU-1", 1, "20", "12.00")]


def test_algolplus_of_a_french_site(bring: Bring) -> None:
    order = read(bring, "woocommerce/algolplus_fr.csv")["702"]

    assert lines(order) == [("SAV-2", 2, "20", "24.00")]
    assert (order.billing_company, order.billing_city) == ("Atelier Faure", "Lille")


def test_webtoffee_without_lines_is_refused(bring: Bring) -> None:
    header, *rows = (DATA / "woocommerce/webtoffee.csv").read_text().splitlines()

    report = bring(header.split(",line_item_1")[0] + "\n")

    assert report.counts.faults[0][1].code == "file.no_lines"
    assert rows


# --- Magento ------------------------------------------------------------------------------


def test_a_configurable_product_counts_once(bring: Bring) -> None:
    order = read(bring, "magento/orders.csv")["000000123"]

    assert lines(order) == [("TSHIRT-M-BLEU", 1, "20", "25.00"), ("0007", 2, "20", "37.00")]
    assert amounts(order) == ("66.90", "11.16", "4.90", "0.00")


def test_magento_tells_utc(bring: Bring) -> None:
    order = read(bring, "magento/orders.csv")["000000123"]

    assert order.placed_at.isoformat() == "2026-06-01T22:30:00+00:00"
    assert (order.billing_address1, order.billing_address2) == ("8 avenue Foch", "Bât. B")


def test_addresses_on_rows_of_their_own(bring: Bring) -> None:
    order = read(bring, "magento/firebear.csv")["000000026"]

    assert (order.shipping_city, order.shipping_postcode) == ("Marseille", "13006")
    assert order.billing_postcode == "13001"
    assert lines(order) == [("PANT-6M", 2, "20", "50.00")]


def test_password_hashes_are_never_kept(bring: Bring) -> None:
    bring((DATA / "magento/customers.csv").read_bytes())

    customer = Customer.objects.get()
    kept = " ".join(str(value) for value in vars(customer).values())
    assert "secret" not in kept
    assert "jeton" not in kept


def _magento(items: str) -> str:
    header = (
        "increment_id,created_at,status,grand_total,order_currency_code,customer_email,tax_amount,"
        "item_id,parent_item_id,product_type,sku,name,qty_ordered,price_incl_tax,tax_percent,"
        "row_total_incl_tax\n"
    )
    return header + items


def test_the_parts_of_a_bundle_priced_by_them_are_the_goods(bring: Bring) -> None:
    first = "000000300,2026-06-01 10:00:00,processing,30.00,EUR,a@exemple.test,5.00"
    bring(
        _magento(
            f"{first},1,,bundle,PACK-A-B,Pack,1,30.00,0,30.00\n"
            f"{first},2,1,simple,A,A,1,10.00,20,10.00\n"
            f"{first},3,1,simple,B,B,2,10.00,20,20.00\n"
        )
    )

    assert lines(Order.objects.get()) == [("A", 1, "20", "10.00"), ("B", 2, "20", "20.00")]


def test_a_status_of_the_merchants_own_is_told_by_magentos_state(bring: Bring) -> None:
    text = _magento(
        "000000301,2026-06-01 10:00:00,chez_le_luthier,12.00,EUR,a@exemple.test,2.00,"
        "1,,simple,A,A,1,12.00,20,12.00\n"
    )
    refused = bring(text)
    assert refused.counts.faults[0][1].code == "order.unknown_status"

    bring(
        text.replace("status,grand", "status,state,grand").replace("luthier", "luthier,processing")
    )

    assert Order.objects.get().status == "confirmed"


# --- PrestaShop ---------------------------------------------------------------------------


def test_the_rate_is_in_the_two_prices_when_its_column_is_empty(bring: Bring) -> None:
    order = read(bring, "prestashop/orders.csv")["45"]

    assert lines(order) == [("demo_1", 2, "20", "45.89"), ("00017", 1, "5.5", "18.69")]
    assert amounts(order) == ("64.48", "8.77", "4.90", "5.00")


def test_two_orders_of_one_basket_share_a_reference(bring: Bring) -> None:
    found = read(bring, "prestashop/orders.csv")

    assert found["45"].number == found["46"].number == "XKBKNABJK"
    assert (found["45"].status, found["46"].status, found["47"].status) == (
        "confirmed",
        "cancelled",
        "draft",
    )


def test_a_company_comes_with_its_numbers(bring: Bring) -> None:
    read(bring, "prestashop/orders.csv")

    assert Order.objects.get(external_id="47").vat_number == "FR83404833048"


@pytest.mark.parametrize(
    ("state", "status", "payment"),
    [
        ("Paiement accepté", "confirmed", "paid"),
        ("En cours de préparation", "confirmed", "paid"),
        ("Expédié", "confirmed", "paid"),
        ("Livré", "confirmed", "paid"),
        ("Annulé", "cancelled", "unpaid"),
        ("Remboursé", "cancelled", "refunded"),
        ("Erreur de paiement", "cancelled", "unpaid"),
        ("En attente de virement bancaire", "draft", "unpaid"),
        ("En attente du paiement par chèque", "draft", "unpaid"),
        ("En attente de réapprovisionnement (payé)", "confirmed", "paid"),
        ("En attente de réapprovisionnement (non payé)", "draft", "unpaid"),
        ("Paiement à distance accepté", "confirmed", "paid"),
        ("Awaiting bank wire payment", "draft", "unpaid"),
        ("2", "confirmed", "paid"),
        ("6", "cancelled", "unpaid"),
    ],
)
def test_prestashop_states(bring: Bring, state: str, status: str, payment: str) -> None:
    text = (DATA / "prestashop/orders.csv").read_text().splitlines()
    one = text[3].replace("Annulé", state)

    bring(f"{text[0]}\n{one}\n")

    order = Order.objects.get()
    assert (order.status, order.payment_status) == (status, payment)


# --- Squarespace --------------------------------------------------------------------------


def test_squarespace_months_come_first_and_countries_are_names(bring: Bring) -> None:
    order = read(bring, "squarespace/orders.csv")["00001"]

    assert order.placed_at.date().isoformat() == "2026-07-25"
    assert order.shipping_country == "FR"
    assert amounts(order) == ("30.00", "5.00", "10.00", "0.00")


def test_prices_without_tax_are_told_by_the_arithmetic(bring: Bring) -> None:
    order = read(bring, "squarespace/orders.csv")["00002"]

    assert amounts(order) == ("54.00", "9.00", "0.00", "6.00")


# --- Wix ----------------------------------------------------------------------------------


def test_names_that_repeat_are_the_billing_address(bring: Bring) -> None:
    order = read(bring, "wix/orders.csv")["10025"]

    assert (order.shipping_city, order.shipping_postcode) == ("Paris", "75004")
    assert (order.billing_city, order.billing_postcode) == ("Lyon", "69002")
    assert order.billing_company == "Atelier Bâtard EURL"


def test_the_billing_address_under_the_delivery_names_only(bring: Bring) -> None:
    text = (DATA / "wix/orders.csv").read_text().replace("Billing country", "Delivery country")

    bring(text)

    order = Order.objects.get(external_id="10025")
    assert (order.billing_city, order.billing_country) == ("Lyon", "FR")


def test_a_coupon_is_what_is_missing(bring: Bring) -> None:
    assert amounts(read(bring, "wix/orders.csv")["10026"]) == ("45.00", "7.50", "0.00", "5.00")


def test_a_gift_card_pays_and_doesnt_lower_what_is_owed(bring: Bring) -> None:
    assert amounts(read(bring, "wix/orders.csv")["10027"]) == ("25.00", "4.17", "0.00", "0.00")


def test_prices_excluding_tax_in_one_order_of_a_file(bring: Bring) -> None:
    order = read(bring, "wix/orders.csv")["10028"]

    assert lines(order) == [("COL-1", 1, "20", "30.00")]
    assert order.status == "draft"


def test_a_difference_that_nothing_explains_waits(bring: Bring) -> None:
    text = (DATA / "wix/orders.csv").read_text().replace("NOEL10", "")

    report = bring(text)

    assert [f.number for _n, f in report.counts.faults] == ["10026"]
    assert report.counts.faults[0][1].code == "order.total_mismatch"


def test_wix_in_french(bring: Bring) -> None:
    order = read(bring, "wix/orders_fr.csv")["10030"]

    assert order.placed_at.isoformat() == "2025-12-08T08:15:00+00:00"
    assert amounts(order) == ("15.00", "2.50", "3.00", "0.00")


# --- What all have in common --------------------------------------------------------------


def test_the_day_is_told_from_the_month_by_the_whole_file(bring: Bring) -> None:
    text = (DATA / "squarespace/orders.csv").read_text()
    for wrong, right in (("7/25/2026", "25/7/2026"), ("8/4/2026", "4/8/2026"), ("8/5", "5/8")):
        text = text.replace(wrong, right)

    bring(text)

    assert Order.objects.get(external_id="00002").placed_at.date().isoformat() == "2026-08-04"


def test_old_files_in_windows_letters(bring: Bring) -> None:
    order = read(bring, "prestashop/orders_cp1252.csv")["45"]

    assert order.customer.name == "Agnès Lefèvre"


def test_nobody_is_two_customers(bring: Bring) -> None:
    bring((DATA / "woocommerce/customers.csv").read_bytes(), name="clients.csv")
    read(bring, "woocommerce/webtoffee.csv")

    emails = Customer.objects.values_list("email", flat=True)
    assert len(emails) == len(set(emails))
    assert Order.objects.filter(customer__email="lea.martin@exemple.test").count() == 3


def test_every_line_of_every_order_is_traced_to_its_line(bring: Bring) -> None:
    for order in read(bring, "magento/orders.csv").values():
        assert order.source_line > 1
        assert order.lines.filter(source_line=F("source_line"), source_line__gt=1).exists()


def test_shopifys_tips_and_gift_cards_are_no_goods(bring: Bring) -> None:
    header, first, *_rest = (DATA / "shopify/orders_export.csv").read_text().split("\n")
    names = header.split(",")
    cells = dict.fromkeys(names, "")
    order = cells | {
        "Name": "#2001",
        "Id": "7000000000001",
        "Email": "tip@exemple.test",
        "Financial Status": "paid",
        "Currency": "EUR",
        "Subtotal": "65.00",
        "Shipping": "0.00",
        "Taxes": "2.00",
        "Total": "65.00",
        "Created at": "2026-01-07 09:50:26 +0100",
        "Lineitem quantity": "1",
        "Lineitem name": "Tasse",
        "Lineitem price": "12.00",
        "Lineitem sku": "TAS-1",
        "Lineitem taxable": "true",
        "Tax 1 Name": "FR TVA 20%",
        "Tax 1 Value": "2.00",
        "Shipping Country": "FR",
    }
    more = cells | {"Name": "#2001", "Lineitem quantity": "1", "Lineitem taxable": "false"}
    tip = more | {"Lineitem name": "Tip", "Lineitem price": "3.00"}
    card = more | {"Lineitem name": "Gift Card - 50 €", "Lineitem price": "50.00"}
    rows = [",".join(row[name] for name in names) for row in (order, tip, card)]
    assert first

    report = bring("\n".join([header, *rows]))

    assert report.counts.faults == []
    kinds = list(Order.objects.get().lines.values_list("kind", "sku", "tax_rate"))
    assert kinds == [("goods", "TAS-1", 20), ("tip", "", 0), ("gift_card", "", 0)]


HOME_MADE = (
    "N° commande;Date de commande;Statut;Réf client;E-mail;Prénom;Nom;Adresse;Code postal;Ville;"
    "Pays;Réf article;Désignation;Qté;PU TTC;Taux TVA;Frais de port;Remise commande;Total TTC\n"
    "F1;02/03/2026 10:00;Payée;C1;lea@exemple.test;Léa;Martin;1 rue du Port;75011;Paris;France;"
    "A1;Tasse;2;12,00;20 %;4,90;1,00;27,90\n"
)


def test_a_home_made_file_under_french_names_needs_no_mapping(bring: Bring) -> None:
    report = bring(HOME_MADE)

    assert report.counts.faults == []
    order = Order.objects.get()
    assert lines(order) == [("A1", 2, "20", "24.00")]
    assert amounts(order) == ("27.90", "4.65", "4.90", "1.00")
    assert (order.billing_city, order.billing_country, order.customer.email) == (
        "Paris",
        "FR",
        "lea@exemple.test",
    )


WEBTOFFEE = (
    "order_id,order_number,order_date,status,shipping_total,shipping_tax_total,fee_total,"
    "fee_tax_total,tax_total,discount_total,order_total,order_currency,customer_id,billing_email,"
    "billing_country,line_item_1\n"
)


def test_a_discount_that_the_lines_dont_show_is_the_orders(bring: Bring) -> None:
    item = "name:A|product_id:1|sku:A|quantity:2|total:40.00|sub_total:40.00|tax:8.00"
    bring(
        WEBTOFFEE
        + f"1,1,2026-03-01 10:00:00,processing,0,0,0,0,7.00,5.00,42.00,EUR,0,a@b.test,FR,{item}\n"
    )

    order = Order.objects.get()
    assert amounts(order) == ("42.00", "7.00", "0.00", "6.00")


def test_lines_without_their_tax_are_priced_without_it(bring: Bring) -> None:
    item = "name:A|product_id:1|sku:A|quantity:2|total:33.33|sub_total:33.33"
    report = bring(
        WEBTOFFEE
        + f"1,1,2026-03-01 10:00:00,completed,4.08,0.82,0,0,7.49,0,44.90,EUR,0,a@b.test,FR,{item}\n"
    )

    assert report.counts.faults == []
    order = Order.objects.get()
    assert lines(order) == [("A", 2, "20", "40.00")]
    assert order.shipping_incl_tax == Decimal("4.90")


def test_a_bundle_without_ids_is_its_parts(bring: Bring) -> None:
    header = (
        "increment_id,created_at,status,grand_total,customer_email,shipping_incl_tax,tax_amount,"
        "sku,name,product_type,parent_item_id,qty_ordered,tax_percent,tax_amount,"
        "row_total_incl_tax\n"
    )
    first = "000000400,2026-06-01 10:00:00,processing,34.90,a@exemple.test,4.90,5.82"
    bring(
        header
        + f"{first},PACK,Pack,bundle,,1,20,5.00,30.00\n"
        + f"{first},A,A,simple,9,1,20,1.67,10.00\n"
        + f"{first},B,B,simple,9,2,20,3.33,20.00\n"
    )

    order = Order.objects.get()
    assert lines(order) == [("A", 1, "20", "10.00"), ("B", 2, "20", "20.00")]
    assert (order.shipping_tax_rate, order.total_tax) == (20, Decimal("5.82"))
