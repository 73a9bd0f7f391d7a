"""Exports as shops write them, built order by order; all persons are invented."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

SHOPIFY_HEADER = next(
    csv.reader(
        (Path(__file__).parent.parent / "data" / "shopify" / "orders_export.csv")
        .read_text(encoding="utf-8")
        .splitlines()
    )
)
Cells = Mapping[str, str]


def shopify_order(
    number: str, *, key: str = "", price: str = "120.00", tax: str = "20.00", **more: str
) -> dict[str, str]:
    """The first row of an order of one article at 20 %, prices incl. tax.

    `more` takes column names with underscores for spaces: Lineitem_sku="A".
    """
    cells = {
        "Name": number,
        "Email": f"client{number.strip('#')}@exemple.test",
        "Financial Status": "paid",
        "Paid at": "2026-03-12 10:15:00 +0100",
        "Currency": "EUR",
        "Subtotal": price,
        "Shipping": "0.00",
        "Taxes": tax,
        "Total": price,
        "Discount Amount": "0.00",
        "Created at": "2026-03-12 10:14:50 +0100",
        "Lineitem quantity": "1",
        "Lineitem name": 'Lampe "Ardoise" 12"',
        "Lineitem price": price,
        "Lineitem sku": "LAMPE-12",
        "Lineitem taxable": "true",
        "Billing Name": "Alix Martin",
        "Billing Address1": "1 rue Neuve",
        "Billing City": "Lyon",
        "Billing Zip": "'69001",
        "Billing Country": "FR",
        "Payment Method": "Shopify Payments",
        "Id": key or f"5550{number.strip('#'):0>9}",
        "Source": "web",
        "Lineitem discount": "0.00",
        "Tax 1 Name": "FR TVA 20%" if tax != "0.00" else "",
        "Tax 1 Value": tax if tax != "0.00" else "",
    }
    return cells | {name.replace("_", " "): value for name, value in more.items()}


def shopify_item(number: str, sku: str, price: str = "0.00", **more: str) -> dict[str, str]:
    """A further row of an order: only what Shopify repeats."""
    cells = {
        "Name": number,
        "Email": f"client{number.strip('#')}@exemple.test",
        "Created at": "2026-03-12 10:14:50 +0100",
        "Lineitem quantity": "1",
        "Lineitem name": sku,
        "Lineitem price": price,
        "Lineitem sku": sku,
        "Lineitem taxable": "true",
        "Lineitem discount": "0.00",
    }
    return cells | {name.replace("_", " "): value for name, value in more.items()}


def rows_of(cells: Iterable[Cells], header: Sequence[str] = SHOPIFY_HEADER) -> list[list[str]]:
    """Header and rows."""
    return [list(header), *([row.get(name, "") for name in header] for row in cells)]


def as_csv(rows: Iterable[Sequence[str]], delimiter: str = ",", end: str = "\n") -> str:
    """Rows as a program writes them: quoted when needed."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator=end).writerows(rows)
    return text.getvalue()


def shopify_csv(*cells: Cells, header: Sequence[str] = SHOPIFY_HEADER) -> str:
    """A Shopify export of these rows."""
    return as_csv(rows_of(cells, header))
