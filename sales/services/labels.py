"""Parcels for a carrier's label program: one row a note in preparation, as CSV.

Every usual program maps columns by hand once (Colissimo's and Chronopost's stations, Mondial
Relay Connect); DPD Shipper knows its own by name, in any order (doc.dpd.be, import of orders).
Countries are ISO 3166-1: two letters, three digits for DPD.
"""

import csv
import io
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django_countries import countries

from sales.models import DeliveryNote
from sales.picking import weights_of
from sphinx.core.money import plain
from sphinx.core.texts import safe_cell

# Format → column → the field of a parcel.
FORMATS: Mapping[str, Mapping[str, str]] = {
    "generic": {
        "reference": "note",
        "commande": "order",
        "societe": "company",
        "nom": "name",
        "adresse1": "address1",
        "adresse2": "address2",
        "code_postal": "postcode",
        "ville": "city",
        "pays": "country",
        "telephone": "phone",
        "email": "email",
        "poids_kg": "weight",
    },
    "dpd": {
        "recipient_name": "addressee",
        "recipient_name2": "contact",
        "recipient_street": "address1",
        "recipient_street2": "address2",
        "recipient_zip": "postcode",
        "recipient_city": "city",
        "recipient_country": "country_number",
        "recipient_phone": "phone",
        "recipient_email": "email",
        "recipient_reference": "note",
    },
}


def labels_csv(notes: Iterable[DeliveryNote], *, layout: str = "generic") -> str:
    """The parcels of these notes in a layout of `FORMATS`; no cell is taken for a formula."""
    columns = FORMATS[layout]
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=";", lineterminator="\r\n")
    writer.writerow(columns)
    wanted = list(notes)
    weights = weights_of(note.pk for note in wanted)
    for note in wanted:
        parcel = _parcel(note, weights[note.pk])
        writer.writerow(safe_cell(parcel[field]) for field in columns.values())
    return stream.getvalue()


def _parcel(note: DeliveryNote, weight: Decimal | None) -> dict[str, str]:
    order = note.order
    # Where no delivery address was given, goods go to the billing one.
    kind = "shipping" if order.shipping_address1 else "billing"

    def part(name: str) -> Any:
        return getattr(order, f"{kind}_{name}")

    country = part("country") or "FR"
    company, name = part("company"), part("name") or order.customer.name
    return {
        "note": note.number,
        "order": order.number,
        "company": company,
        "name": name,
        "addressee": company or name,
        "contact": name if company else "",
        "address1": part("address1"),
        "address2": part("address2"),
        "postcode": part("postcode"),
        "city": part("city"),
        "country": country,
        "country_number": countries.numeric(country, padded=True) or country,
        # "+33…" would be taken for a formula; every carrier reads "0033…" as well.
        "phone": re.sub(r"^\+", "00", order.customer.phone),
        "email": order.customer.email,
        # Of the goods; the packaging is the warehouse's to add. Blank when one isn't weighed.
        "weight": "" if weight is None else plain(weight),
    }
