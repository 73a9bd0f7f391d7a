"""What is said of refunds that the books can't follow by themselves."""

from django.utils.translation import gettext as _

from sales.drafts import OrderDraft
from sales.models import Order
from sales.services.order_work import Rejection, note


def notes_on_refunds(draft: OrderDraft, known: Order | None) -> list[Rejection]:
    """A refund whose amount nobody tells, or one that the shop took back after the goods left."""
    if draft.payment_status == Order.PaymentStatus.PARTIALLY_REFUNDED and not draft.refunded:
        return [_unsaid(draft)]
    if known is None or known.is_history or known.status in _OPEN:
        return []
    if draft.refunded < known.refunded_incl_tax:
        return [_withdrawn(draft, known)]
    return []


_OPEN = (Order.Status.DRAFT, Order.Status.CONFIRMED, Order.Status.CANCELLED)


def _unsaid(draft: OrderDraft) -> Rejection:
    text = _(
        "Commande %(number)s : la boutique la dit remboursée en partie, sans montant ni pièces "
        "dans le fichier. Rien n'est crédité : faites l'avoir à la main, ou ajoutez à l'export "
        "la colonne du montant remboursé."
    )
    cause = _(
        "La boutique dit des commandes remboursées en partie, sans montant ni pièces dans le "
        "fichier : rien n'est crédité."
    )
    return note(draft, "order.refund_unsaid", text, cause)


def _withdrawn(draft: OrderDraft, known: Order) -> Rejection:
    text = _(
        "Commande %(number)s : la boutique a retiré un remboursement (%(before)s € remboursés "
        "avant, %(now)s € maintenant). Un avoir déjà émis ne s'efface pas : si l'argent n'est "
        "pas reparti, refacturez ce qu'il a crédité."
    )
    cause = _(
        "La boutique a retiré des remboursements de commandes livrées : un avoir déjà émis ne "
        "s'efface pas."
    )
    figures = {"before": known.refunded_incl_tax, "now": draft.refunded}
    return note(draft, "order.refund_withdrawn", text, cause, **figures)
