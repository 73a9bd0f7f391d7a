"""A supplier's price list read: which column is what, and the prices of each reference.

Columns are told by their names (French, English, German, Spanish, Italian); the page lets people
correct the guess. Nothing here touches the database.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sphinx.core import cells
from sphinx.core.errors import InputError
from sphinx.core.money import HUNDRED, plain, to_unit_price
from sphinx.core.tables import TableRow
from sphinx.core.texts import fold
from suppliers.drafts import Priced
from suppliers.units import pieces_named

# What a column may hold, in the order of the page.
ROLES = {
    "reference": gettext_lazy("référence du fournisseur"),
    "own_sku": gettext_lazy("notre référence (SKU)"),
    "barcode": gettext_lazy("code-barres"),
    "label": gettext_lazy("désignation"),
    "price": gettext_lazy("prix d'achat HT"),
    "discount": gettext_lazy("remise (%)"),
    "price_per": gettext_lazy("prix pour combien de pièces"),
    "unit": gettext_lazy("unité d'achat"),
    "unit_size": gettext_lazy("pièces par unité d'achat"),
    "from_quantity": gettext_lazy("à partir de"),
    "minimum": gettext_lazy("quantité minimale"),
    "pack": gettext_lazy("conditionnement"),
    "days": gettext_lazy("délai (jours)"),
    "currency": gettext_lazy("devise"),
}
_NEVER_A_PRICE = re.compile(
    r"\b(public|conseille|ppc|pvc|pvp|rrp|srp|msrp|retail|ttc|vente|uvp|incl|consigne|eco)\b"
)
_PRICE_WORDS = "prix|price|pu|p u|tarif|preis|precio|prezzo"
_PRICE_WORD = rf"(?:{_PRICE_WORDS})"
_COST_WORD = re.compile(rf"\b({_PRICE_WORDS}|cost|cout|ek)\b")
_EXTRA = r"(?: (?:ht|hors|taxes?|eur|euros?|excl|tax|unitaire|unit|net|piece|achat|d achat|en))*"
_TIER = re.compile(
    rf"^{_PRICE_WORD}{_EXTRA} (?:(?:par|des|x|from|ab|a partir de|pour|qte|qty) )*(\d+)"
    r"(?: (?:et plus|pcs?|pieces?|u))?$"
)
_PLAIN_PRICE = re.compile(rf"^(?:unit )?{_PRICE_WORD}{_EXTRA}(?: \d{{4}})?$")
_NET = re.compile(
    r"\b(net|achat|purchase|cost|cout|revendeur|dealer|wholesale|trade|remise|ek|netto|votre|your)\b"
)
_GROSS = re.compile(rf"^{_PRICE_WORD} (?:brut|catalogue|de base)\b|^(?:list|gross) price|^brutto")
_YEAR = re.compile(r"\b(20\d\d)\b")
_YEARS = range(1990, 2101)
# In the order in which they are looked for; the supplier's own reference by its full name first.
_NAMES: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "own_sku",
        re.compile(
            r"^(votre|vos|your|ihre) (ref|reference|code|sku|article|artikel\w*)"
            r"|^(ref|reference|code|sku) (client|customer)$"
        ),
    ),
    (
        "reference",
        re.compile(
            r"^(supplier (sku|ref|reference|code)|(ref|reference|code|sku) (du )?fournisseur)$"
        ),
    ),
    (
        "reference",
        re.compile(
            r"^((ref|reference|code)( (article|produit|product|fabricant|piece|interne))?"
            r"|(article|item|product|part|artikel|catalogue|n|no) ?"
            r"(n|no|nr|num|numero|number|code|ref|reference|id|article)"
            r"|artikelnummer|bestellnummer|referencia|codigo|codice( articolo)?|articolo|mpn"
            r"|article|item|sku)$"
        ),
    ),
    ("barcode", re.compile(r"\b(ean\d*|gtin\d*|upc|barcode|bar code|code barres?|gencod)\b")),
    (
        "label",
        re.compile(
            r"^(designation|libelle|description|label|nom|name|produit|product|product name"
            r"|bezeichnung|denominacion|descripcion|descrizione|intitule)( \w+)?$"
        ),
    ),
    ("discount", re.compile(r"^(taux de )?(remise|discount|rabais|rabatt|descuento|sconto)\b")),
    (
        "price_per",
        re.compile(
            r"^(prix (pour|par)|unite (de )?prix|price (per|unit)|base (de )?prix|preiseinheit)$"
        ),
    ),
    (
        "unit_size",
        re.compile(
            r"^((nombre de |nb (de )?)?(pieces?|pces?) par unite( d achat| de vente)?"
            r"|(pieces?|pcs) per unit)$"
        ),
    ),
    (
        "unit",
        re.compile(
            r"^(unites?( (d achat|de vente|de facturation|de commande|de mesure))?|emballage"
            r"|packaging|(purchase |sales )?unit( of (measure|purchase|sale))?|uom|(mengen)?einheit"
            r"|unidad|unita( di misura)?)$"
        ),
    ),
    (
        "minimum",
        re.compile(
            r"^(minimum( (quantity|de commande|commande|order))?|moq|min( order)?( qty| quantity)?"
            r"|(quantite|qte) mini?(male|mum|male de commande)?|mini( de)? commande"
            r"|mindest(bestell)?menge)$"
        ),
    ),
    (
        "pack",
        re.compile(
            r"^(conditionnement|colisage|pack( size)?|pcb|multiple( de commande)?|vpe|uvc?"
            r"|(unites?|qte|quantite) par (colis|carton)|units per (pack|case))$"
        ),
    ),
    (
        "days",
        re.compile(
            r"^(delai( de livraison)?|lead time|lieferzeit|delivery( time)?)( jours?| days?| j)?$"
        ),
    ),
    ("currency", re.compile(r"^(devise|currency|wahrung|monnaie|moneda|valuta)$")),
    (
        "from_quantity",
        re.compile(
            r"^(a partir de|des|from( quantity| qty)?|palier|(quantite|qte) palier|seuil"
            r"|(price|qty|quantity) break|ab menge|staffelmenge)$"
        ),
    ),
    # A quantity is a price break only where references come back with other quantities.
    ("quantity", re.compile(r"^(quantite|qte|quantity|qty|menge|cantidad)$")),
)
_HEADER_WITHIN = 30
_OTHER_CURRENCY = re.compile(
    r"[$£¥]|\b(?:USD|GBP|CHF|JPY|CNY|CAD|AUD|HKD|SEK|DKK|NOK|PLN)\b", re.IGNORECASE
)
# Whose they can be; the first where the supplier has none of them.
_SYMBOLS = {"$": "USD CAD AUD HKD".split(), "£": ["GBP"], "¥": ["JPY", "CNY"]}
_LIMIT = Decimal(10**8)
_MOST_DAYS = 730


@dataclass(frozen=True)
class Columns:
    """Where each role stands in a row (a price per tier as well), and the header's line."""

    header: tuple[str, ...]
    line: int
    places: Mapping[str, int]
    tiers: tuple[tuple[int, int], ...] = ()

    @property
    def is_enough(self) -> bool:
        """Something to recognise an article by, and a price."""
        named = {"reference", "own_sku", "barcode"} & self.places.keys()
        return bool(named) and ("price" in self.places or bool(self.tiers))

    def chosen(self, places: Mapping[str, int]) -> "Columns":
        """The same header with columns corrected by hand."""
        kept = {role: n for role, n in places.items() if 0 <= n < len(self.header)}
        tiers = tuple(t for t in self.tiers if t[0] not in kept.values())
        return Columns(self.header, self.line, kept, tiers)


class Fault(NamedTuple):
    """A row that isn't taken, and why."""

    line: int
    column: str
    message: str


@dataclass
class Reading:
    """What a list holds."""

    items: list[Priced] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def find_columns(rows: Sequence[TableRow]) -> Columns:
    """The header, wherever it stands in the first lines, and what its columns hold.

    Raises:
        InputError: the file is empty.
    """
    if not rows:
        raise InputError(_("Ce fichier est vide."), code="price_list.empty")
    guesses = [_guess(row) for row in rows[:_HEADER_WITHIN]]
    best = max(guesses, key=lambda g: (g.is_enough, len(g.places) + len(g.tiers), -g.line))
    quantity = best.places.get("quantity")
    places = {role: place for role, place in best.places.items() if role != "quantity"}
    if quantity is not None and "from_quantity" not in places and _comes_back(rows, best):
        places["from_quantity"] = quantity
    return Columns(best.header, best.line, places, best.tiers)


def _guess(row: TableRow) -> Columns:
    names = [fold(cell) for cell in row.cells]
    places: dict[str, int] = {}
    for role, pattern in _NAMES:
        if role in places:
            continue
        for place, name in enumerate(names):
            if place not in places.values() and pattern.search(name):
                places[role] = place
                break
    # "sku" beside the supplier's own reference is ours.
    if "own_sku" not in places and "sku" in names and places.get("reference") != names.index("sku"):
        places["own_sku"] = names.index("sku")
    free = [n for n in range(len(names)) if n not in places.values()]
    tiers = _tiers(names, free)
    price = _best_price(names, [n for n in free if n not in {place for place, _from in tiers}])
    if price is not None:
        places["price"] = price
    return Columns(tuple(row.cells), row.line, places, tiers)


def _tiers(names: Sequence[str], free: Iterable[int]) -> tuple[tuple[int, int], ...]:
    found = []
    for place in free:
        match = _TIER.match(names[place])
        if match and int(match[1]) not in _YEARS and 0 < int(match[1]) < cells.MAX_QUANTITY:
            found.append((place, int(match[1])))
    return tuple(found)


def _best_price(names: Sequence[str], free: Iterable[int]) -> int | None:
    """The net price before the plain one before the gross one; of two years the later."""
    best: tuple[int, int, int] | None = None
    for place in free:
        name = names[place]
        if _NEVER_A_PRICE.search(name):
            continue
        if _GROSS.search(name):
            rank = 1
        elif _NET.search(name) and _COST_WORD.search(name):
            rank = 3
        elif _PLAIN_PRICE.match(name):
            rank = 2
        else:
            continue
        year = _YEAR.search(name)
        candidate = (rank, int(year[1]) if year else 0, -place)
        best = candidate if best is None else max(best, candidate)
    return None if best is None else -best[2]


def _comes_back(rows: Sequence[TableRow], columns: Columns) -> bool:
    place = columns.places.get("reference", columns.places.get("barcode"))
    if place is None:
        return False
    named = [_cell(row, place) for row in rows if row.line > columns.line and _cell(row, place)]
    return len(set(named)) < len(named)


def _cell(row: TableRow, place: int | None) -> str:
    return row.cells[place] if place is not None and place < len(row.cells) else ""


def read_prices(rows: Iterable[TableRow], columns: Columns, currency: str = "EUR") -> Reading:
    """The references of a list, their tiers put together; rows that can't be taken say why."""
    reading = Reading()
    found: dict[str, Priced] = {}
    for row in rows:
        if row.line <= columns.line:
            continue
        try:
            item = _item(row, columns, currency)
        except InputError as error:
            reading.faults.append(Fault(error.line or row.line, error.column, error.message))
            continue
        if item is None:
            continue
        key = item.name
        known = found.get(key)
        found[key] = _joined(known, item, reading.faults) if known else item
    reading.items = [item._replace(prices=tuple(sorted(item.prices))) for item in found.values()]
    return reading


def _joined(known: Priced, item: Priced, faults: list[Fault]) -> Priced:
    prices = dict(known.prices)
    for start, price in item.prices:
        if prices.get(start, price) != price:
            message = _(
                "Ligne %(line)s : « %(reference)s » a déjà un prix à partir de %(start)s ; "
                "le dernier l'emporte."
            ) % {
                "line": item.line,
                "reference": item.name,
                "start": plain(start),
            }
            faults.append(Fault(item.line, "", message))
        prices[start] = price
    return known._replace(prices=tuple(prices.items()))


def _item(row: TableRow, columns: Columns, currency: str) -> Priced | None:
    """One row; None for a title or a subtotal: no reference, or no price at all."""

    def text(role: str, limit: int = 80) -> str:
        return cells.unquoted(_cell(row, columns.places.get(role)))[:limit]

    reference, own_sku, barcode = text("reference"), text("own_sku"), text("barcode", 14)
    if not (reference or own_sku or barcode):
        return None
    _check_currency(row, columns, currency)
    priced = []
    share = _share(row, columns)
    starts = [(place, Decimal(start)) for place, start in columns.tiers]
    if "price" in columns.places:
        starts.append((columns.places["price"], _start(row, columns)))
    for place, start in starts:
        if _cell(row, place):
            price = _price(_cell(row, place), share, row.line, columns.header[place])
            priced.append((start, price))
    if not priced:
        raise InputError(
            _("Ligne %(line)s : « %(reference)s » n'a pas de prix, elle est laissée de côté.")
            % {"line": row.line, "reference": reference or own_sku or barcode},
            line=row.line,
        )
    return Priced(
        line=row.line,
        reference=reference,
        own_sku=own_sku,
        barcode=barcode,
        label=text("label", 200),
        prices=tuple(priced),
        minimum=_pieces(row, columns, "minimum"),
        pack=_pieces(row, columns, "pack"),
        days=_days(row, columns),
        unit=text("unit", 30),
        unit_size=_unit_size(row, columns, text("unit", 30)),
    )


def _price(text: str, share: Decimal, line: int, column: str) -> Decimal:
    """EUR a piece, rounded half up to the six decimals of unit prices."""
    price = to_unit_price(cells.price(_OTHER_CURRENCY.sub("", text), line, column) * share)
    if not 0 < price < _LIMIT:
        raise InputError(
            _("Ligne %(line)s, colonne %(column)s : « %(text)s » n'est pas un prix d'achat.")
            % {"line": line, "column": column, "text": text[:40]},
            line=line,
            column=column,
        )
    return price


def _check_currency(row: TableRow, columns: Columns, currency: str) -> None:
    said = _cell(row, columns.places.get("currency")).upper().replace("€", "EUR")
    if not said:
        places = [place for place, _start in columns.tiers]
        if "price" in columns.places:
            places.append(columns.places["price"])
        signs = [m for place in places if (m := _OTHER_CURRENCY.search(_cell(row, place)))]
        found = signs[0][0].upper() if signs else currency
        whose = _SYMBOLS.get(found, [found])
        said = currency if currency in whose else whose[0]
    if said != currency:
        raise InputError(
            _(
                "Ligne %(line)s : prix en %(said)s, alors que ce fournisseur facture en "
                "%(currency)s. Demandez-lui un tarif en %(currency)s, ou changez la devise de sa "
                "fiche."
            )
            % {"line": row.line, "said": said[:10], "currency": currency},
            line=row.line,
        )


def _share(row: TableRow, columns: Columns) -> Decimal:
    """What the written price is multiplied by: less the discount, a piece."""
    share = Decimal(1)
    discount = _cell(row, columns.places.get("discount"))
    if discount:
        column = columns.header[columns.places["discount"]]
        # Excel keeps 35 % as 0.35.
        rate = cells.rate(discount, row.line, column) or Decimal(0)
        if rate < 1 and "%" not in discount:
            rate = cells.number(discount, row.line, column) * HUNDRED
        share = 1 - rate / HUNDRED
    per = _pieces(row, columns, "price_per")
    return share / per if per else share


def _unit_size(row: TableRow, columns: Columns, unit: str) -> Decimal | None:
    """Pieces in what the row prices; 1 where its price is by pieces, None where it doesn't say."""
    if _pieces(row, columns, "price_per"):
        return Decimal(1)
    return _pieces(row, columns, "unit_size") or pieces_named(unit)


def _start(row: TableRow, columns: Columns) -> Decimal:
    return _pieces(row, columns, "from_quantity") or Decimal(1)


def _pieces(row: TableRow, columns: Columns, role: str) -> Decimal | None:
    """A quantity above 0; None when blank or 0."""
    text = _cell(row, columns.places.get(role))
    column = columns.header[columns.places[role]] if text else ""
    if not text or not cells.number(text, row.line, column):
        return None
    return cells.quantity(text, row.line, column)


def _days(row: TableRow, columns: Columns) -> int | None:
    text = _cell(row, columns.places.get("days"))
    number = re.match(r"\d+", text)
    return min(int(number[0][:6]), _MOST_DAYS) if number else None
