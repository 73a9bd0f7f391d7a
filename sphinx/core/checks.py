"""Checks on amounts."""

from django.db import models
from django.db.models.functions import Round


def cents(left: str, sign: str, right: str) -> Round:
    """left ± right in cents; SQLite keeps decimals as binary numbers, hence the rounding."""
    other = models.F(right)
    return Round(models.F(left) + other if sign == "+" else models.F(left) - other, precision=2)
