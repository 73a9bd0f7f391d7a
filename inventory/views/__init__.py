"""Pages of stock."""

from inventory.views.bins import bins, move_goods, put_away, walk
from inventory.views.stock import (
    correct,
    count,
    count_sheet,
    end_count,
    new_count,
    new_transfer,
    picture,
    transfer,
    value,
    value_csv,
)
from inventory.views.styles import edit_style, new_style

__all__ = [
    "bins",
    "correct",
    "count",
    "count_sheet",
    "edit_style",
    "end_count",
    "move_goods",
    "new_count",
    "new_style",
    "new_transfer",
    "picture",
    "put_away",
    "transfer",
    "value",
    "value_csv",
    "walk",
]
