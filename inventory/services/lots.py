"""Lots of products that ask for them: each entry names its lot, the first to expire leaves first.

First expired, first out (FEFO): by best-before date, lots without one last.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from django.db.models import F
from django.utils.translation import gettext as _

from inventory.errors import NotEnoughStock, SerialRefused
from inventory.expiry import Dated, note_dates
from inventory.locks import Place
from inventory.models import Lot, LotPosition, Product, StockPosition
from sphinx.core import clock
from sphinx.core.bulk import update_rows

ZERO = Decimal(0)
# As the database holds it.
NUMBER_LENGTH = 40


class Share(NamedTuple):
    """Pieces out of one lot; no lot for pieces that came before lots were kept."""

    lot_id: int | None
    quantity: Decimal


class LotShelf:
    """The lots of some places while stock moves; the places' positions are locked."""

    def __init__(self, positions: Mapping[Place, StockPosition]) -> None:
        products = {product_id for product_id, _w in positions}
        self._positions = positions
        self._tracked = {p.pk: p for p in Product.objects.filter(pk__in=products, tracks_lots=True)}
        self._lots: dict[Place, list[LotPosition]] = defaultdict(list)
        self._changed: dict[int, LotPosition] = {}
        if not self._tracked:
            return
        for found in (
            LotPosition.objects.select_for_update(of=("self",), no_key=True)
            .filter(
                lot__product__in=self._tracked,
                warehouse__in={warehouse_id for _p, warehouse_id in positions},
            )
            .select_related("lot")
            .order_by(F("lot__best_before").asc(nulls_last=True), "lot_id")
        ):
            self._lots[found.lot.product_id, found.warehouse_id].append(found)

    def is_tracked(self, product_id: int) -> bool:
        """Whether the product asks for lots."""
        return product_id in self._tracked

    def take(self, position: StockPosition, quantity: Decimal, *, on: date) -> list[Share]:
        """Take pieces out of the lots that may still be sold `on` that day, the first to expire
        first; `position` still counts them.

        Raises:
            NotEnoughStock: what is there has expired.
            SerialRefused: the pieces have serial numbers, nobody said which leave.
        """
        if position.product_id not in self._tracked:
            return [Share(None, quantity)]
        if self._tracked[position.product_id].tracks_serials:
            raise SerialRefused(
                _("%s : scannez le numéro de série de chaque pièce qui sort.")
                % self._tracked[position.product_id]
            )
        place = (position.product_id, position.warehouse_id)
        lots = self._lots[place]
        unnamed = position.on_hand - sum((p.on_hand for p in lots), ZERO)
        shares = []
        left = quantity
        if unnamed > 0:
            shares.append(Share(None, min(unnamed, left)))
            left -= shares[0].quantity
        for found in lots:
            limit = found.lot.best_before
            if left <= 0 or (limit is not None and limit < on):
                continue
            taken = min(found.on_hand, left)
            if taken > 0:
                shares.append(Share(found.lot_id, taken))
                self._change(found, -taken)
                left -= taken
        if left > 0 and position.allows_negative:
            shares.append(Share(None, left))
            left = ZERO
        if left > 0:
            raise NotEnoughStock(
                _(
                    "%(product)s : %(left)s pièces ne restent que dans des lots périmés. Sortez "
                    "ces lots du stock."
                )
                % {"product": self._tracked[position.product_id], "left": left}
            )
        return shares

    def take_lot(self, position: StockPosition, lot_id: int | None, quantity: Decimal) -> None:
        """Take (or, below zero, put back) pieces of one lot.

        Raises:
            NotEnoughStock: the lot holds less.
            SerialRefused: that piece isn't there, or no single piece is asked for.
        """
        if lot_id is None:
            return
        found = self._find(position.warehouse_id, lot_id)
        if self._is_serial(found) and (quantity != 1 or found.on_hand != 1):
            raise SerialRefused(
                _("N° de série %s : cette pièce n'est pas en stock ici.") % found.lot
            )
        if found.on_hand < quantity:
            raise NotEnoughStock(
                _("Lot %(lot)s : %(held)s pièces en stock, %(quantity)s demandées.")
                % {"lot": found.lot, "held": found.on_hand, "quantity": quantity}
            )
        self._change(found, -quantity)

    def put(
        self,
        position: StockPosition,
        quantity: Decimal,
        *,
        number: str,
        document: str,
        best_before: date | None,
        on: date,
    ) -> int | None:
        """Put pieces into a lot, made when it is new; the lot's id, None for untracked products.

        Without a number the lot is called like the document; a serial number is never guessed.
        Without a date the product's shelf life gives it.

        Raises:
            SerialRefused: no number, not one piece, or the piece is in stock already.
        """
        product = self._tracked.get(position.product_id)
        if product is None:
            return None
        if product.tracks_serials:
            _check_named(product, number, quantity)
        number = number or document
        if best_before is None and product.shelf_life_days:
            best_before = on + timedelta(days=product.shelf_life_days)
        lot, _created = Lot.objects.get_or_create(
            product=product, number=number[:NUMBER_LENGTH], defaults={"best_before": best_before}
        )
        found = self._find(position.warehouse_id, lot.pk)
        if product.tracks_serials:
            _check_not_there(found)
        self._change(found, quantity)
        return lot.pk

    def save(self) -> None:
        """Write what was taken and put; positions know again what of them has expired."""
        today = clock.today()
        for place, position in self._positions.items():
            if position.product_id in self._tracked:
                lots = (Dated(p.lot.best_before, p.on_hand) for p in self._lots[place])
                note_dates(position, lots, on=today)
        update_rows(
            LotPosition,
            ["on_hand", "is_serial"],
            [
                (p.pk, p.on_hand, self._is_serial(p))
                for p in sorted(self._changed.values(), key=lambda p: p.pk)
            ],
        )

    def _find(self, warehouse_id: int, lot_id: int) -> LotPosition:
        for lots in self._lots.values():
            for found in lots:
                if found.lot_id == lot_id and found.warehouse_id == warehouse_id:
                    return found
        LotPosition.objects.get_or_create(lot_id=lot_id, warehouse_id=warehouse_id)
        found = (
            LotPosition.objects.select_for_update(of=("self",), no_key=True)
            .select_related("lot")
            .get(lot_id=lot_id, warehouse_id=warehouse_id)
        )
        self._lots[found.lot.product_id, warehouse_id].append(found)
        return found

    def _is_serial(self, found: LotPosition) -> bool:
        product = self._tracked.get(found.lot.product_id)
        return product is not None and product.tracks_serials

    def _change(self, found: LotPosition, quantity: Decimal) -> None:
        found.on_hand += quantity
        self._changed[found.pk] = found


def _check_named(product: Product, number: str, quantity: Decimal) -> None:
    if not number or len(number) > NUMBER_LENGTH or quantity != 1:
        raise SerialRefused(
            _("%s : donnez un numéro de série par pièce, de 40 caractères au plus.") % product
        )


def _check_not_there(found: LotPosition) -> None:
    elsewhere = LotPosition.objects.filter(lot=found.lot_id, on_hand__gt=0).exclude(pk=found.pk)
    if found.on_hand > 0 or elsewhere.exists():
        raise SerialRefused(_("N° de série %s : cette pièce est déjà en stock.") % found.lot)
