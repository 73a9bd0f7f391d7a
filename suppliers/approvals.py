"""What of suppliers is submitted to a second person where the firm wants it: where money goes."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from sphinx.core.four_eyes import BANK_DETAILS, submitted
from suppliers import services


@submitted(
    "suppliers.bank_details",
    _("Changer les coordonnées bancaires"),
    "suppliers.change_supplier",
    BANK_DETAILS,
)
def bank_details(*, actor: Any, supplier_id: int, iban: str, bic: str) -> None:
    """Pay a supplier to another account from now on."""
    services.change_bank_details(supplier_id=supplier_id, iban=iban, bic=bic, actor=actor)
