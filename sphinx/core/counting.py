"""Counts for pages: exact while they are small, "more than" once nobody counts along."""

from typing import Any

from django.db.models import QuerySet

# Beyond it a page says "plus de 1 000", and no more rows are read.
AT_MOST = 1000


def count_up_to(rows: QuerySet[Any], at_most: int | None = AT_MOST) -> int:
    """How many rows there are; `at_most` + 1 stands for all that is more, None counts on."""
    return rows.order_by().count() if at_most is None else rows.order_by()[: at_most + 1].count()
