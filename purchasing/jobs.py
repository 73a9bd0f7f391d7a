"""What staff do to many purchase orders."""

from django.utils.translation import gettext_lazy as _

from purchasing import services
from purchasing.models import PurchaseOrder
from sphinx.core import clock
from sphinx.core.jobs import Deed, deed

_CHANGE = "purchasing.change_purchaseorder"
ACCEPT = deed(
    Deed(
        "purchasing.accept",
        _("Accepter des propositions"),
        _CHANGE,
        PurchaseOrder,
        lambda pk, actor: services.accept_proposal(order_id=pk, at=clock.now(), actor=actor),
        _("%(count)s propositions acceptées : les pièces sont attendues."),
    )
)
REFUSE = deed(
    Deed(
        "purchasing.refuse",
        _("Refuser des propositions"),
        _CHANGE,
        PurchaseOrder,
        lambda pk, actor: services.refuse_proposal(order_id=pk, at=clock.now(), actor=actor),
        _("%(count)s propositions refusées."),
    )
)
SEND = deed(
    Deed(
        "purchasing.send",
        _("Marquer des commandes comme envoyées"),
        _CHANGE,
        PurchaseOrder,
        lambda pk, actor: services.send_order(order_id=pk, at=clock.now(), actor=actor),
        _("%(count)s commandes marquées comme envoyées."),
    )
)
RECEIVE = deed(
    Deed(
        "purchasing.receive",
        _("Recevoir tout ce qui est attendu"),
        _CHANGE,
        PurchaseOrder,
        lambda pk, actor: services.receive_goods(
            order_id=pk, quantities=None, at=clock.now(), actor=actor
        ),
        _("%(count)s commandes reçues : le stock est à jour."),
    )
)
