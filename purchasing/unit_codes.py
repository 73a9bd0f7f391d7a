"""Units of electronic invoices' lines: UN/ECE recommendations 20 (units) and 21 (packages)."""

from collections.abc import Mapping
from decimal import Decimal

from django.utils.translation import gettext as _

from purchasing.models import PurchaseOrderLine
from suppliers.units import PIECE, Unit

# Recommendation 20: what counts in numbers of its own, and what is surely a piece.
_COUNTS = {"DZN": 12, "DZP": 12, "DPC": 12, "GRO": 144, "CEN": 100, "CNP": 100, "MIL": 1000}
_PIECES = frozenset({"H87", "NAR", "PCE"})
# Recommendation 21 behind an X: box, carton, case, package, crate, bag, pallet, packet…; and what
# recommendation 20 calls a pack or a set.
_PACKAGES = frozenset(
    "XBX XCT XCS XPK XPA XCR XBG XPX XBE XCX XSA XTY XBA XDR XLT XMX XOA XOB XPC XSX XZZ "
    "BX CT CS PK PF NMP P3 P4 P5 P6 P8 SET KT".split()
)


def unit_of(row: Mapping[str, str], ordered: PurchaseOrderLine) -> Unit:
    """What a line of an electronic invoice counts in (BT-130: UN/ECE recommendations 20 and 21).

    Packages are the unit that was ordered in. Many systems write « one » or « each » whatever
    they count: there the price tells, boxes when it is nearer to a box's than to a piece's.
    """
    code = row.get("unit", "").upper()
    if code in _COUNTS:
        return Unit(_count_names()[code], Decimal(_COUNTS[code]))
    box = ordered.unit
    if box.is_piece or code in _PIECES:
        return PIECE
    if code in _PACKAGES:
        return box
    price = Decimal(row["amount"]) / Decimal(row["quantity"])
    # Between the two prices, in proportion: the root of the pieces.
    is_box = price > ordered.unit_price_excl_tax * box.pieces.sqrt()
    return box if is_box and ordered.unit_price_excl_tax > 0 else PIECE


def _count_names() -> dict[str, str]:
    dozen, hundred = _("douzaine"), _("centaine")
    return {"DZN": dozen, "DZP": dozen, "DPC": dozen, "GRO": _("grosse"), "CEN": hundred,
            "CNP": hundred, "MIL": _("millier")}  # fmt: skip
