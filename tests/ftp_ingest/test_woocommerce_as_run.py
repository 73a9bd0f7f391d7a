"""What a WooCommerce shop run for the purpose writes, beside what the shop itself holds."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from customers.models import Customer
from ftp_ingest.services import IngestReport
from sales.models import Order
from tests.factories import ProductFactory
from tests.support.exports import as_csv, rows_of

Bring = Callable[..., IngestReport]
pytestmark = pytest.mark.django_db

WEBTOFFEE = (
    "order_id,order_number,order_date,paid_date,status,shipping_total,shipping_tax_total,fee_total,"
    "fee_tax_total,tax_total,order_total,order_currency,payment_method_title,customer_id,"
    "billing_first_name,billing_last_name,billing_company,billing_email,billing_address_1,"
    "billing_postcode,billing_city,billing_country,customer_note,tax_items,fee_items,refund_items,"
    "line_item_1,line_item_2"
).split(",")
BUYER = {
    "billing_first_name": "Inès",
    "billing_last_name": "Tisserand",
    "billing_email": "ines@exemple.test",
    "billing_address_1": "4 place du Marché",
    "billing_postcode": "35000",
    "billing_city": "Rennes",
    "billing_country": "FR",
}
VASE = "name:Vase|product_id:5|sku:VASE-20|quantity:1|total:20.75|sub_total:20.75|tax:4.15"
BOOK = "name:Livre|product_id:6|sku:LIVRE-5|quantity:1|total:18.95|sub_total:18.95|tax:1.04"


def webtoffee(**more: str) -> str:
    """An order of a vase at 20 % and a book at 5.5 %, both rates called TVA."""
    cells = {
        "order_id": "72",
        "order_number": "72",
        "order_date": "2026-10-12 13:46:00",
        "paid_date": "2026-10-12 13:48:00",
        "status": "processing",
        "shipping_total": "4.92",
        "shipping_tax_total": "0.98",
        "fee_total": "0.00",
        "fee_tax_total": "0.00",
        "tax_total": "6.17",
        "order_total": "50.79",
        "order_currency": "EUR",
        "customer_id": "0",
        "tax_items": tax_item("6.17"),
        "line_item_1": VASE,
        "line_item_2": BOOK,
    }
    return as_csv(rows_of([cells | BUYER | more], WEBTOFFEE))


def tax_item(amount: str) -> str:
    return f"rate_id:2|code:FR-TVA-1|total:{amount}|label:TVA|rate_percent:5.5"


def the_order(report: IngestReport) -> Order:
    """The order of the file, which nobody has anything to say about."""
    assert report.counts.faults == []
    assert [note for _name, note in report.counts.notes] == []
    return Order.objects.get()


def taxes(order: Order) -> dict[str, str]:
    return {str(tax["rate"]): str(tax["tax"]) for tax in order.taxes}


def lines(order: Order) -> list[tuple[str, str, str]]:
    return [(o.sku, str(o.tax_rate), str(o.total_incl_tax)) for o in order.lines.all()]


# --- WebToffee -----------------------------------------------------------------------------


def test_rates_of_one_name_come_as_one_and_are_told_by_the_lines(bring: Bring) -> None:
    order = the_order(bring(webtoffee()))

    assert lines(order) == [("VASE-20", "20.00", "24.90"), ("LIVRE-5", "5.50", "19.99")]
    assert taxes(order) == {"20.00": "5.13", "5.50": "1.04"}


def test_shipping_alone_shows_that_a_name_stands_for_two_rates(bring: Bring) -> None:
    order = the_order(
        bring(
            webtoffee(
                tax_items=tax_item("2.02"),
                tax_total="2.02",
                order_total="25.89",
                line_item_1=BOOK,
                line_item_2="",
            )
        )
    )

    assert taxes(order) == {"20.00": "0.98", "5.50": "1.04"}


@pytest.mark.parametrize(
    ("items", "fee", "tax", "total", "expected"),
    [
        # 24.90 + 19.99 + 5.90 - 6.83: the fee is taken off everything, shipping too.
        ((VASE, BOOK), ("-6.00", "-0.83"), "5.34", "43.96", {"20.00": "4.44", "5.50": "0.90"}),
        # Goods at one rate, shipping at another: part of the fee comes off shipping.
        ((BOOK, ""), ("-4.00", "-0.34"), "1.68", "21.55", {"20.00": "0.82", "5.50": "0.86"}),
    ],
)
def test_a_fee_below_zero_bears_the_vat_that_the_shop_took_off(
    bring: Bring,
    items: tuple[str, str],
    fee: tuple[str, str],
    tax: str,
    total: str,
    expected: dict[str, str],
) -> None:
    order = the_order(
        bring(
            webtoffee(
                fee_total=f"'{fee[0]}",
                fee_tax_total=f"'{fee[1]}",
                fee_items=f"name:Remise|total:{fee[0]}|tax:{fee[1]}",
                tax_total=tax,
                tax_items=tax_item(tax),
                order_total=total,
                line_item_1=items[0],
                line_item_2=items[1],
            )
        )
    )

    assert taxes(order) == expected
    assert str(order.total_tax) == tax


def test_an_apostrophe_that_guards_a_cell_is_no_part_of_it(bring: Bring) -> None:
    order = the_order(
        bring(webtoffee(billing_company="'@telier 12", customer_note="'- sonner, puis 'attendre'"))
    )

    assert order.billing_company == "@telier 12"
    assert order.note == "- sonner, puis 'attendre'"


# --- Advanced Order Export -----------------------------------------------------------------

ENGLISH = (
    "Order Number,Order Status,Order Date,First Name (Billing),Last Name (Billing),"
    "Address 1&2 (Billing),City (Billing),Postcode (Billing),Country Code (Billing),"
    "Email (Billing),Order Shipping Amount,Order Shipping Tax Amount,Order Refund Amount,"
    "Order Total Amount,Order Total Tax Amount,Order Total Fee,SKU,Item Name,Quantity,"
    "Quantity (- Refund),Item Cost,Order Line Total,Order Line Tax,Order Line Subtotal,"
    "Tax Rates (exact),Order ID,Currency"
).split(",")
# The same columns as a site in French names them.
FRENCH = (
    "Numéro de commande;État de la commande;Date de commande;Prénom (Facturation);"
    "Nom de famille (Facturation);Adresse 1 & 2 (Facturation);Ville (Facturation);"
    "Code postal (Facturation);Code du pays (Facturation);E-mail (Facturation);"
    "Montant de la livraison;Taxe de livraison de commande;Montant du remboursement de la commande;"
    "Montant total de la commande;Montant total de la taxe;Total des frais de commande;UGS;"
    "Nom de l\u2019élément;Quantité;Quantité (- Remboursement);Prix du produit;"
    "Total de la ligne de commande;Taxe de ligne de commande;Sous-total de la ligne de commande;"
    "Tax Rates (exact);ID de commande;Devise"
).split(";")


def row(
    sku: str,
    cost: str,
    net: str,
    tax: str,
    *,
    rate: str = "20%",
    total: str = "50.79",
    vat: str = "6.17",
    fee: str = "0",
    status: str = "Processing",
    before: str = "",
) -> dict[str, str]:
    """One line of order 81; a piece of each article."""
    number = "1" if sku else ""
    cells = (
        f"81|{status}|2026-10-12 13:46|Inès|Tisserand|4 place du Marché|Rennes|35000|FR|"
        f"ines@exemple.test|4.92|0.984|0|{total}|{vat}|{fee}|{sku}|Article {sku}|{number}|{number}|"
        f"{cost}|{net}|{tax}|{before or net}|{rate}|81|EUR"
    ).split("|")
    return dict(zip(ENGLISH, cells, strict=True))


def vase_and_book(**more: str) -> list[dict[str, str]]:
    return [
        row("VASE-20", "20.75", "20.75", "4.15", **more),
        row("LIVRE-5", "18.95", "18.947867", "1.04", rate="5.5%", **more),
    ]


def export(rows: list[dict[str, str]], header: list[str] = ENGLISH) -> str:
    return as_csv([header, *rows_of(rows, ENGLISH)[1:]])


def test_the_labels_of_a_french_site(bring: Bring) -> None:
    order = the_order(bring(export(vase_and_book(status="En cours"), FRENCH)))

    assert lines(order) == [("VASE-20", "20.00", "24.90"), ("LIVRE-5", "5.50", "19.99")]
    assert [o.label for o in order.lines.all()] == ["Article VASE-20", "Article LIVRE-5"]
    assert (order.billing_name, order.billing_address1) == ("Inès Tisserand", "4 place du Marché")
    assert (str(order.shipping_incl_tax), order.payment_status) == ("5.90", "paid")


@pytest.mark.parametrize(
    ("fee", "total", "vat", "rate", "gross"),
    [
        ("3.5", "54.99", "6.87", "20.00", "4.20"),
        ("2", "52.79", "6.17", "0.00", "2.00"),
        # A cent of rounding of the whole order is no tax of the fee.
        ("2", "52.80", "6.18", "0.00", "2.01"),
    ],
)
def test_fees_bear_the_tax_that_the_rest_of_the_order_leaves(
    bring: Bring, fee: str, total: str, vat: str, rate: str, gross: str
) -> None:
    order = the_order(bring(export(vase_and_book(fee=fee, total=total, vat=vat))))

    fees = order.lines.get(sku="")
    assert (fees.kind, str(fees.tax_rate), str(fees.total_incl_tax)) == ("fee", rate, gross)
    assert str(order.total_tax) == vat


def test_what_no_tax_explains_is_no_part_of_a_fee(bring: Bring) -> None:
    report = bring(export(vase_and_book(fee="2", total="57.79", vat="6.17")))

    assert len(report.counts.faults) == 1
    assert not Order.objects.exists()


def test_several_rates_on_one_line_are_none(bring: Bring) -> None:
    rows = [row("VASE-20", "20.75", "20.75", "4.15", rate="15%, 5%", total="30.80", vat="5.13")]

    assert lines(the_order(bring(export(rows)))) == [("VASE-20", "20.00", "24.90")]


def test_fees_below_zero_are_a_discount(bring: Bring) -> None:
    order = the_order(bring(export(vase_and_book(fee=" -6", total="43.96", vat="5.34"))))

    assert (str(order.discount_incl_tax), str(order.total_tax)) == ("6.83", "5.34")
    assert order.lines.count() == 2


def test_an_order_of_a_fee_alone(bring: Bring) -> None:
    only = row("", "", "", "", rate="", fee="25", total="35.90", vat="5.98")

    order = the_order(bring(export([only])))

    assert lines(order) == [("", "20.00", "30.00")]


def test_a_line_that_a_coupon_paid_keeps_its_rate_and_its_price(bring: Bring) -> None:
    free = row("PERLE", "0", "0", "0", before="2.041667", total="25.89", vat="2.02")
    book = row("LIVRE-5", "18.95", "18.95", "1.04", rate="5.5%", total="25.89", vat="2.02")

    order = the_order(bring(export([free, book])))

    pearl = order.lines.get(sku="PERLE")
    assert (str(pearl.tax_rate), str(pearl.discount_incl_tax)) == ("20.00", "2.45")


def test_a_rate_that_the_amounts_contradict_is_not_believed(bring: Bring) -> None:
    order = the_order(
        bring(export([row("VASE-20", "20.75", "20.75", "1.14", total="27.79", vat="2.12")]))
    )

    assert lines(order) == [("VASE-20", "5.50", "21.89")]


def test_pieces_rounded_to_the_cent_never_pass_for_one_rate(bring: Bring) -> None:
    """At 10 % the VAT is 23 cents off: many pieces round, the order's total doesn't."""
    columns = [c for c in ENGLISH if not c.startswith(("Order Line", "Tax Rates"))]
    kept = [c for c in columns if c != "Order Shipping Tax Amount"]
    many = {"Quantity": "37", "Quantity (- Refund)": "37"}
    honey = {"Quantity": "7", "Quantity (- Refund)": "7"}
    rows = [
        row("PERLE", "0.29", "", "", total="108.76", vat="10.12") | many,
        row("SAVON", "5.55", "", "", total="108.76", vat="10.12")
        | {"Quantity": "3", "Quantity (- Refund)": "3"},
        row("MIEL", "9.47", "", "", total="108.76", vat="10.12") | honey,
    ]

    report = bring(as_csv(rows_of(rows, kept)))

    assert [fault.code for _name, fault in report.counts.faults] == ["order.tax_undecided"]


def test_the_same_pieces_go_in_once_the_articles_tell_their_rates(bring: Bring) -> None:
    for sku, rate in (("VASE-20", "20"), ("LIVRE-5", "5.5")):
        ProductFactory(sku=sku, tax_rate=Decimal(rate))
    columns = [c for c in ENGLISH if not c.startswith(("Order Line", "Tax Rates"))]

    order = the_order(bring(as_csv(rows_of(vase_and_book(), columns))))

    assert [o.tax_rate for o in order.lines.all()] == [Decimal("20.00"), Decimal("5.50")]


# --- WooCommerce's own report of customers -------------------------------------------------


def test_the_customers_of_a_french_report(bring: Bring) -> None:
    report = bring(
        'Nom,Identifiant,"Dernière activité",S\u2019inscrire,"E-mail ",Commandes,"Dépense totale",'
        'AOV,Pays/région,Ville,Région,"Code postal"\n'
        '"Inès Tisserand",ines,2026-11-30T10:54:13,2026-03-02T09:30:00,ines@exemple.test,2,61.60,'
        "30.80,FR,Rennes,,35000\n",
        "customers.csv",
    )

    assert report.counts.faults == []
    customer = Customer.objects.get()
    assert (customer.email, customer.last_name) == ("ines@exemple.test", "Tisserand")
    assert f"{customer.created_at:%Y-%m-%d}" == "2026-03-02"
