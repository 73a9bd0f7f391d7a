"""Tasks of the stock."""

from typing import Any

from celery import shared_task
from django.utils.translation import gettext_lazy as _

from inventory.services import expire_lots
from sphinx.core import clock


@shared_task(label=_("Retirer de la vente les lots périmés"))
def pass_expired_lots(**_extra: Any) -> None:
    """Lots whose date passed at midnight: what orders held of them waits again."""
    expire_lots(on=clock.today())
