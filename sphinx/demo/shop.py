"""The demo shop: a catalogue, customers and three months of orders, written as a shop would.

Drawn from a fixed seed, so that every installation shows the same firm; only the dates move
with the day of the first run. Amounts are EUR incl. tax.
"""

import csv
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from sphinx.core.money import ZERO, to_cents

ORDERS, DAYS, CUSTOMERS = 130, 90, 60

# label, category, VAT rate, price incl. tax, cost excl. tax, supplier, just in time
_PRODUCTS: Sequence[tuple[str, str, str, str, str, int, bool]] = (
    ("Bougie parfumée figuier", "Maison", "20", "24.90", "8.20", 0, False),
    ("Bougie parfumée cèdre", "Maison", "20", "24.90", "8.20", 0, False),
    ("Diffuseur bâtonnets 200 ml", "Maison", "20", "32.00", "11.40", 0, False),
    ("Savon d'Alep 200 g", "Soin", "20", "7.50", "2.10", 0, False),
    ("Savon solide lavande", "Soin", "20", "6.90", "1.90", 0, False),
    ("Baume à lèvres miel", "Soin", "20", "5.90", "1.60", 0, False),
    ("Shampoing solide ortie", "Soin", "20", "9.90", "3.10", 0, False),
    ("Huile de massage arnica", "Soin", "20", "14.50", "4.80", 0, False),
    ("Tasse en grès émaillé", "Arts de la table", "20", "18.00", "6.50", 1, False),
    ("Assiette creuse grès", "Arts de la table", "20", "22.00", "8.10", 1, False),
    ("Saladier chêne 28 cm", "Arts de la table", "20", "49.00", "21.00", 1, True),
    ("Planche à découper hêtre", "Arts de la table", "20", "34.00", "13.50", 1, False),
    ("Couteau d'office olivier", "Arts de la table", "20", "27.50", "11.00", 1, False),
    ("Torchon lin lavé", "Textile", "20", "14.00", "4.60", 1, False),
    ("Nappe lin 160 × 250", "Textile", "20", "89.00", "38.00", 1, True),
    ("Tablier coton bio", "Textile", "20", "36.00", "14.00", 1, False),
    ("Plaid laine mérinos", "Textile", "20", "119.00", "52.00", 1, True),
    ("Coussin velours 45 cm", "Textile", "20", "29.00", "10.50", 1, False),
    ("Carnet papier recyclé A5", "Papeterie", "20", "12.00", "3.90", 2, False),
    ("Stylo plume laiton", "Papeterie", "20", "64.00", "29.00", 2, True),
    ("Agenda semainier", "Papeterie", "20", "19.90", "7.20", 2, False),
    ("Affiche sérigraphiée 50 × 70", "Papeterie", "20", "45.00", "16.00", 2, True),
    ("Cuisine de saison (livre)", "Livres", "5.5", "24.00", "14.40", 2, False),
    ("Le potager au balcon (livre)", "Livres", "5.5", "19.90", "11.90", 2, False),
    ("Pains et levains (livre)", "Livres", "5.5", "29.00", "17.40", 2, False),
    ("Carnet de recettes à remplir", "Livres", "20", "16.50", "5.40", 2, False),
    ("Miel de lavande 500 g", "Épicerie", "5.5", "12.90", "6.80", 3, False),
    ("Miel de châtaignier 500 g", "Épicerie", "5.5", "11.50", "6.10", 3, False),
    ("Huile d'olive vierge 75 cl", "Épicerie", "5.5", "18.90", "10.20", 3, False),
    ("Vinaigre de cidre 50 cl", "Épicerie", "5.5", "6.50", "2.90", 3, False),
    ("Confiture abricot 350 g", "Épicerie", "5.5", "5.90", "2.80", 3, False),
    ("Tapenade noire 180 g", "Épicerie", "5.5", "6.20", "2.90", 3, False),
    ("Fleur de sel 250 g", "Épicerie", "5.5", "7.90", "3.30", 3, False),
    ("Thé vert menthe 100 g", "Épicerie", "5.5", "9.50", "4.10", 3, False),
    ("Café moulu 250 g", "Épicerie", "5.5", "7.40", "3.70", 3, False),
    ("Plat cuisiné cassoulet bocal", "Traiteur", "10", "13.90", "7.60", 4, False),
    ("Plat cuisiné blanquette bocal", "Traiteur", "10", "14.90", "8.20", 4, False),
    ("Soupe potimarron à emporter", "Traiteur", "10", "6.90", "3.10", 4, False),
    ("Coffret apéritif prêt à servir", "Traiteur", "10", "34.90", "19.00", 4, True),
    ("Plateau gourmand livré", "Traiteur", "10", "59.00", "34.00", 4, True),
)
_SUPPLIERS = (
    ("Savonnerie des Calanques", 10, 12),
    ("Ateliers du Val de Loire", 21, 4),
    ("Imprimerie Papetière", 14, 10),
    ("Terroirs de Provence", 5, 6),
    ("Traiteur Maison Faure", 3, 1),
)
_FIRST = "Élodie Benoît Chloé François Léa Gaël Noémie Jérôme Maëlys Théo Inès Raphaël Zoé".split()
_LAST = "Lefèvre Dupont Müller Garcia O'Neill Mercier Béranger Roussel Faure Perrin Çelik".split()
_CITIES = (
    ("75011", "Paris"),
    ("69003", "Lyon"),
    ("13006", "Marseille"),
    ("35000", "Rennes"),
    ("67000", "Strasbourg"),
    ("33000", "Bordeaux"),
    ("20000", "Ajaccio"),
)
# first, last, company, VAT number, postcode, city, country: who isn't a consumer in France.
_SPECIAL = (
    ("Sophie", "Marchand", "Hôtel du Port SARL", "FR40303265045", "29200", "Brest", "FR"),
    ("Karim", "Benali", "Épicerie Benali", "", "59000", "Lille", "FR"),
    ("An", "Peeters", "Brugse Handel BV", "BE0428759497", "8000", "Brugge", "BE"),
    ("Jonas", "Schmidt", "", "", "10115", "Berlin", "DE"),
    ("Lukas", "Weber", "", "", "80331", "München", "DE"),
    ("Lucie", "Favre", "", "", "1003", "Lausanne", "CH"),
    ("Marie-Ange", "Rivière", "", "", "97110", "Pointe-à-Pitre", "FR"),
)
_OSS_RATE = {"DE": {"20": "19", "5.5": "7", "10": "19"}}
_UNTAXED = ("BE", "CH")
CUSTOMER_COLUMNS = (
    "customer_ref email first_name last_name company vat_number siret phone address1 address2 "
    "postcode city country is_business accepts_marketing created_at note"
).split()
ORDER_COLUMNS = (
    "order_number placed_at status currency customer_ref email first_name last_name company "
    "vat_number billing_address1 billing_address2 billing_postcode billing_city billing_country "
    "shipping_name shipping_address1 shipping_address2 shipping_postcode shipping_city "
    "shipping_country sku label quantity unit_price_incl_tax tax_rate line_discount_incl_tax "
    "shipping_incl_tax shipping_tax_rate order_discount_incl_tax total_incl_tax payment_method "
    "paid_at"
).split()


@dataclass(frozen=True)
class _Person:
    ref: str
    first: str
    last: str
    company: str
    vat_number: str
    address: str
    postcode: str
    city: str
    country: str

    @property
    def email(self) -> str:
        return f"{self.ref.lower()}@exemple.test"

    @property
    def untaxed(self) -> bool:
        overseas = self.country == "FR" and self.postcode.startswith("97")
        return overseas or self.country in _UNTAXED


def sku_of(index: int) -> str:
    """DEMO-001 and so on."""
    return f"DEMO-{index + 1:03d}"


def write_catalogue(path: Path) -> None:
    """Products, suppliers, purchase prices, opening stock, reorder minimum and maximum."""
    columns = (
        "sku label tax_rate supply_mode cost on_hand supplier supplier_sku purchase_price "
        "lead_time_days minimum_quantity pack_size reorder_minimum reorder_maximum category"
    ).split()
    draw = random.Random(11)  # noqa: S311 (a demo, not a secret)
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, columns, delimiter=";")
        writer.writeheader()
        for index, (label, category, rate, _price, cost, supplier, jit) in enumerate(_PRODUCTS):
            name, lead_time, pack = _SUPPLIERS[supplier]
            stocked = {
                "on_hand": draw.choice((18, 24, 36, 48, 60)),
                "reorder_minimum": 12,
                "reorder_maximum": 40,
            }
            writer.writerow(
                {
                    "sku": sku_of(index),
                    "label": label,
                    "tax_rate": rate,
                    "supply_mode": "just_in_time" if jit else "stocked",
                    "cost": cost,
                    "supplier": name,
                    "supplier_sku": f"{name[:3].upper()}-{index + 100}",
                    "purchase_price": cost,
                    "lead_time_days": lead_time,
                    "minimum_quantity": 1,
                    "pack_size": 1 if jit else pack,
                    "category": category,
                    **({} if jit else stocked),
                }
            )


def write_shop_files(folder: Path, today: datetime) -> None:
    """customers.csv and orders.csv of the three months before `today`, one row broken."""
    draw = random.Random(2026)  # noqa: S311
    people = _people(draw)
    with (folder / "customers.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, CUSTOMER_COLUMNS, delimiter=";", restval="")
        writer.writeheader()
        writer.writerows(_customer_row(p, today) for p in people)
    with (folder / "orders.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, ORDER_COLUMNS, delimiter=";", restval="")
        writer.writeheader()
        for rows in _orders(draw, people, today):
            writer.writerows(rows)


def _people(draw: random.Random) -> list[_Person]:
    people = [
        _Person(
            f"C{n + 1:04d}",
            first,
            last,
            company,
            vat,
            f"{draw.randint(1, 99)} rue du Port",
            postcode,
            city,
            country,
        )
        for n, (first, last, company, vat, postcode, city, country) in enumerate(_SPECIAL)
    ]
    for n in range(len(people), CUSTOMERS):
        postcode, city = draw.choice(_CITIES)
        people.append(
            _Person(
                f"C{n + 1:04d}",
                draw.choice(_FIRST),
                draw.choice(_LAST),
                "",
                "",
                f"{draw.randint(1, 199)} rue de l'Église",
                postcode,
                city,
                "FR",
            )
        )
    return people


def _customer_row(person: _Person, today: datetime) -> dict[str, Any]:
    return {
        "customer_ref": person.ref,
        "email": person.email,
        "first_name": person.first,
        "last_name": person.last,
        "company": person.company,
        "vat_number": person.vat_number,
        "address1": person.address,
        "postcode": person.postcode,
        "city": person.city,
        "country": person.country,
        "is_business": "yes" if person.company else "no",
        "accepts_marketing": "no",
        "created_at": f"{today - timedelta(days=DAYS + 30):%Y-%m-%d} 08:00:00",
    }


def _orders(
    draw: random.Random, people: Sequence[_Person], today: datetime
) -> Iterator[list[dict[str, Any]]]:
    start = today - timedelta(days=DAYS)
    step = timedelta(days=DAYS) / ORDERS
    for n in range(ORDERS):
        # Each special customer buys at least twice.
        special = len(_SPECIAL)
        person = people[n % special] if n % 9 < 1 or n < special else draw.choice(people)
        placed_at = start + step * n + timedelta(minutes=draw.randint(0, 600))
        status = {40: "cancelled", 77: "cancelled", 126: "pending"}.get(n, "paid")
        rows = _order_rows(draw, f"W{1001 + n}", person, placed_at, status)
        if n == 90:
            # What any importer meets one day: a total that its lines don't make.
            for row in rows:
                row["total_incl_tax"] = to_cents(row["total_incl_tax"] + Decimal("1.50"))
        yield rows


def _order_rows(
    draw: random.Random, number: str, person: _Person, placed_at: datetime, status: str
) -> list[dict[str, Any]]:
    lines = []
    for index in draw.sample(range(len(_PRODUCTS)), draw.choice((1, 1, 2, 2, 3, 4))):
        label, _category, rate, price, _cost, _supplier, _jit = _PRODUCTS[index]
        quantity = draw.choice((1, 1, 1, 2, 3)) * (4 if person.company else 1)
        charged = _rate(person, rate)
        unit = _price(Decimal(price), Decimal(rate), Decimal(charged), person.untaxed)
        discount = to_cents(unit * quantity / 10) if draw.random() < 0.12 else ZERO
        lines.append((sku_of(index), label, quantity, unit, charged, discount))
    goods = sum((q * unit - discount for _s, _l, q, unit, _r, discount in lines), ZERO)
    shipping = ZERO if goods > 80 else Decimal("4.90")
    order_discount = Decimal("5.00") if goods > 60 and draw.random() < 0.1 else ZERO
    shared = {
        "order_number": number,
        "placed_at": f"{placed_at:%Y-%m-%d %H:%M:%S}",
        "status": status,
        "currency": "EUR",
        "customer_ref": person.ref,
        "email": person.email,
        "first_name": person.first,
        "last_name": person.last,
        "company": person.company,
        "vat_number": person.vat_number,
        "billing_address1": person.address,
        "billing_postcode": person.postcode,
        "billing_city": person.city,
        "billing_country": person.country,
        "shipping_name": f"{person.first} {person.last}",
        "shipping_address1": person.address,
        "shipping_postcode": person.postcode,
        "shipping_city": person.city,
        "shipping_country": person.country,
        "shipping_incl_tax": shipping,
        "order_discount_incl_tax": order_discount,
        "total_incl_tax": goods + shipping - order_discount,
        "payment_method": "Virement" if person.company else draw.choice(("Carte", "PayPal")),
        "paid_at": "" if status == "pending" else f"{placed_at:%Y-%m-%d %H:%M:%S}",
    }
    return [
        {
            **shared,
            "sku": sku,
            "label": label,
            "quantity": quantity,
            "unit_price_incl_tax": unit,
            "tax_rate": charged,
            "line_discount_incl_tax": discount,
        }
        for sku, label, quantity, unit, charged, discount in lines
    ]


def _rate(person: _Person, rate: str) -> str:
    if person.untaxed:
        return "0"
    return _OSS_RATE.get(person.country, {}).get(rate, rate)


def _price(price: Decimal, rate: Decimal, charged: Decimal, untaxed: bool) -> Decimal:
    """The shop sells at the same price incl. tax everywhere, net where no tax is charged."""
    return to_cents(price * 100 / (100 + rate)) if untaxed else price
