"""Writes of the kernel: numbers without gap, the audit trail, the firm's row."""

import re
from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db import models, transaction
from django.utils.translation import gettext as _

from sphinx.core import clock
from sphinx.core.errors import BusinessRuleError, InputError
from sphinx.core.models import AuditEvent, Company, DocumentSequence, Shop


class BackdatedNumber(BusinessRuleError):
    """A series never goes back in time: its numbers and dates rise together."""

    code = "core.backdated"


def company() -> Company:
    """The firm; made with a name to be completed when the installation is new."""
    found, _created = Company.objects.get_or_create(
        pk=1, defaults={"name": _("Société à compléter")}
    )
    return found


def allocate_numbers(*, series: str, on: date, count: int, yearly: bool = True) -> list[str]:
    """The next `count` numbers of `series`, in order, such as FA2026-000001 (yearly) or VE000001.

    Must run inside the transaction that writes the documents: the counter's row stays locked
    until it commits, and a rollback gives the numbers back. So a series has no gap (CGI,
    ann. II, art. 242 nonies A, I-7°). Take this lock last.

    A continuous series (not yearly) numbers things by the order in which they are validated,
    so only a yearly one minds dates.

    Raises:
        BackdatedNumber: `on` is before the date of the yearly series' last number.
    """
    period = str(on.year) if yearly else ""
    DocumentSequence.objects.get_or_create(series=series, period=period)
    counter = DocumentSequence.objects.select_for_update(no_key=True).get(
        series=series, period=period
    )
    if yearly and counter.last_issued_on and on < counter.last_issued_on:
        raise BackdatedNumber(
            _(
                "La série %(series)s a déjà un numéro daté du %(last)s : "
                "rien ne peut être daté avant."
            )
            % {"series": series, "last": counter.last_issued_on.strftime("%d/%m/%Y")}
        )
    first = counter.last_number + 1
    counter.last_number += count
    counter.last_issued_on = on
    counter.save(update_fields=["last_number", "last_issued_on"])
    stem = f"{series}{period}-" if yearly else series
    return [f"{stem}{n:06d}" for n in range(first, first + count)]


def allocate_number(*, series: str, on: date, yearly: bool = True) -> str:
    """The next number of `series`; see `allocate_numbers`."""
    return allocate_numbers(series=series, on=on, count=1, yearly=yearly)[0]


def record(
    kind: str, subjects: Iterable[models.Model], *, actor: Any = None, **details: Any
) -> None:
    """Write one audit event a subject (a document with a `number`, else its text), in bulk."""
    record_each(kind, ((subject, details) for subject in subjects), actor=actor)


def record_each(
    kind: str, events: Iterable[tuple[models.Model, dict[str, Any]]], *, actor: Any = None
) -> None:
    """Write one audit event a subject, each with details of its own, in bulk."""
    moment = clock.now()
    AuditEvent.objects.bulk_create(
        AuditEvent(
            at=moment,
            actor=actor,
            kind=kind,
            subject_kind=subject._meta.label,
            subject_number=str(getattr(subject, "number", subject))[:80],
            details=details,
        )
        for subject, details in events
    )


def find_shop(*, code: str | None, create: bool = False) -> Shop:
    """The shop called `code`; without a code the only one there is.

    Raises:
        InputError: no such shop (and `create` not asked), a code that isn't one, or a choice
            to make between several.
    """
    if not code:
        shops = list(Shop.objects.filter(is_active=True)[:2])
        if len(shops) == 1:
            return shops[0]
        if create and not shops:
            code = "boutique"
        else:
            raise InputError(
                _(
                    "Dites de quelle boutique il s'agit : --shop CODE "
                    "(et --create-shop la première fois)."
                ),
                code="shop.unnamed",
            )
    if not re.fullmatch(r"[\w-]{1,30}", code, re.ASCII):
        raise InputError(
            _("« %s » n'est pas un code de boutique : lettres, chiffres et tirets, 30 au plus.")
            % code,
            code="shop.bad_code",
        )
    if create:
        with transaction.atomic():
            return Shop.objects.get_or_create(code=code, defaults={"name": code})[0]
    try:
        return Shop.objects.get(code=code)
    except Shop.DoesNotExist:
        raise InputError(
            _("Aucune boutique « %s » : créez-la dans l'administration ou ajoutez --create-shop.")
            % code,
            code="shop.unknown",
        ) from None
