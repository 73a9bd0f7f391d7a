"""What staff do to many orders or delivery notes."""

from django.utils.translation import gettext_lazy as _

from sales import services
from sales.models import DeliveryNote, Order
from sphinx.core import clock
from sphinx.core.jobs import Deed, deed

CONFIRM = deed(
    Deed(
        "sales.confirm",
        _("Confirmer des commandes"),
        "sales.change_order",
        Order,
        lambda pk, actor: services.confirm_order(order_id=pk, actor=actor),
        _("%(count)s commandes confirmées : le stock est réservé."),
    )
)
CANCEL = deed(
    Deed(
        "sales.cancel",
        _("Annuler des commandes"),
        "sales.change_order",
        Order,
        lambda pk, actor: services.cancel_order(order_id=pk, at=clock.now(), actor=actor),
        _("%(count)s commandes annulées : le stock est rendu."),
    )
)
PREPARE = deed(
    Deed(
        "sales.prepare",
        _("Préparer des livraisons"),
        "sales.change_deliverynote",
        Order,
        lambda pk, actor: services.prepare_delivery(order_id=pk, at=clock.now(), actor=actor),
        _("%(count)s commandes passées en préparation."),
    )
)
SHIP = deed(
    Deed(
        "sales.ship",
        _("Expédier des bons"),
        "sales.change_deliverynote",
        DeliveryNote,
        lambda pk, actor: services.ship_delivery_note(note_id=pk, at=clock.now(), actor=actor),
        _("%(count)s bons expédiés : le stock est sorti."),
    )
)
UNPICK = deed(
    Deed(
        "sales.unpick",
        _("Annuler des préparations"),
        "sales.change_deliverynote",
        DeliveryNote,
        lambda pk, actor: services.cancel_delivery_note(note_id=pk, actor=actor),
        _("%(count)s préparations annulées."),
    )
)
