"""What staff do to many customers."""

from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from customers.services import check_vat_number
from sphinx.core import clock
from sphinx.core.jobs import Deed, deed

CHECK_VIES = deed(
    Deed(
        "customers.check_vies",
        _("Vérifier des n° de TVA par VIES"),
        "customers.change_customer",
        Customer,
        lambda pk, actor: check_vat_number(customer_id=pk, at=clock.now(), actor=actor),
        _("%(count)s numéros vérifiés : la fiche dit la réponse."),
    )
)
