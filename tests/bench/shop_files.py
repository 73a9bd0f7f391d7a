"""A seeded home-made shop of any size, written row by row."""

import csv
import random
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from sphinx.demo.shop import ORDER_COLUMNS

PRODUCTS = 2000
# All within a year that has passed: an order of the future is refused.
YEAR_SECONDS = 360 * 86_400
MAX_APART = 900
RATES = ("20", "20", "20", "5.5", "10")


def sku_of(index: int, prefix: str = "BENCH") -> str:
    return f"{prefix}-{index:05d}"


def write_orders(
    path: Path, orders: int, prefix: str = "BENCH", first: int = 0, day: int = 0
) -> int:
    """Write `orders` orders of 2.5 lines on average; returns the number of lines.

    `prefix` begins the SKUs; `first` is the first order's number, and its people's; `day` of the
    year is the first order's.
    """
    draw = random.Random(orders + first)
    prices = [Decimal(draw.randint(190, 19_990)) / 100 for _ in range(PRODUCTS)]
    placed_at = datetime(2025, 1, 2, 8) + timedelta(days=day)  # noqa: DTZ001 (as a shop writes)
    apart = min(MAX_APART, 2 * YEAR_SECONDS // orders)
    lines = 0
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, ORDER_COLUMNS, delimiter=";", restval="")
        writer.writeheader()
        for number in range(first, first + orders):
            placed_at += timedelta(seconds=draw.randint(1, apart))
            person = first + draw.randrange(max(1, orders * 6 // 10))
            chosen = draw.sample(range(PRODUCTS), draw.choice((1, 1, 2, 2, 3, 3, 4, 4)))
            items = [(index, draw.choice((1, 1, 1, 2, 3))) for index in chosen]
            goods = sum(quantity * prices[index] for index, quantity in items)
            shipping = Decimal("0") if draw.random() < 0.3 else Decimal("4.90")
            for index, quantity in items:
                lines += 1
                writer.writerow(
                    {
                        "order_number": f"B{number:08d}",
                        "placed_at": placed_at.isoformat(" "),
                        "status": "cancelled" if number % 33 == 0 else "paid",
                        "currency": "EUR",
                        "customer_ref": f"C{person:07d}",
                        "email": f"client{person}@exemple.test",
                        "first_name": "Élodie",
                        "last_name": "Lefèvre",
                        "billing_address1": f"{person % 199} rue de l'Église",
                        "billing_postcode": "75011",
                        "billing_city": "Paris",
                        "billing_country": "FR",
                        "shipping_name": "Élodie Lefèvre",
                        "shipping_address1": f"{person % 199} rue de l'Église",
                        "shipping_postcode": "75011",
                        "shipping_city": "Paris",
                        "shipping_country": "FR",
                        "sku": sku_of(index, prefix),
                        "label": f"Article n° {index} – édition",
                        "quantity": quantity,
                        "unit_price_incl_tax": prices[index],
                        "tax_rate": RATES[index % 5],
                        "line_discount_incl_tax": 0,
                        "shipping_incl_tax": shipping,
                        "shipping_tax_rate": 20,
                        "order_discount_incl_tax": 0,
                        "total_incl_tax": goods + shipping,
                        "payment_method": "card",
                        "paid_at": placed_at.isoformat(" "),
                    }
                )
    return lines
