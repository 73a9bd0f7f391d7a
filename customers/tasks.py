"""Tasks of customers: each finds by itself what is to be done, and may run twice."""

from typing import Any

import structlog
from celery import shared_task
from django.utils.translation import gettext_lazy as _

from customers.selectors import numbers_to_check
from customers.services import check_vat_number
from sphinx.core import clock
from sphinx.core.errors import TransientError
from sphinx.core.services import company

log = structlog.get_logger(__name__)
# VIES limits how much one asks at once; the rest goes on the next night.
A_NIGHT = 200


@shared_task(label=_("Vérifier les n° de TVA"))
def check_vat_numbers(**_extra: Any) -> None:
    """Ask VIES about numbers that nobody checked for a quarter, where the firm wants it."""
    if not company().checks_vies:
        return
    for customer_id in numbers_to_check(clock.now())[:A_NIGHT]:
        try:
            check_vat_number(customer_id=customer_id, at=clock.now())
        except TransientError as error:
            # One state may be out of reach while the others answer.
            log.warning("vies.unreachable", customer_id=customer_id, reason=error.message)
