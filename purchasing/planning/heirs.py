"""A new article that takes another's place: what the other was asked for tells of it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from inventory.selectors import Asked
from purchasing.planning.series import Bools


def with_inherited(
    asked: Iterable[Asked], predecessors: Mapping[int, int], began: Mapping[int, date]
) -> list[Asked]:
    """What was asked, and of each heir what its predecessor was asked for before the heir's day.

    `began` is the first day of each product's own history; an heir without one has only what it
    inherits.
    """
    heirs: dict[int, list[int]] = {}
    for heir, predecessor in predecessors.items():
        heirs.setdefault(predecessor, []).append(heir)
    found = []
    for item in asked:
        found.append(item)
        found += [
            item._replace(product_id=heir)
            for heir in heirs.get(item.product_id, ())
            if item.day < began.get(heir, date.max)
        ]
    return found


def began_with_them(predecessors: Mapping[int, int], began: Mapping[int, date]) -> dict[int, date]:
    """First days, an heir's being its predecessor's where that is earlier."""
    found = dict(began)
    for heir, predecessor in predecessors.items():
        if predecessor in began:
            found[heir] = min(began.get(heir, date.max), began[predecessor])
    return found


def seen_before_its_day(
    out: Bools,
    product_ids: Sequence[int],
    predecessors: Mapping[int, int],
    began: Mapping[int, date],
    *,
    before: date,
) -> Bools:
    """Days without stock, but for those before an heir was there itself."""
    found = out.copy()
    for row, product_id in enumerate(product_ids):
        if product_id in predecessors:
            days = (before - began.get(product_id, before)).days
            found[row, : max(found.shape[1] - days, 0)] = False
    return found
