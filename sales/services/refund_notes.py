"""What is said of refunds that the books can't follow by themselves."""

from django.utils.translation import gettext as _

from sales.drafts import OrderDraft
from sales.models import Order
from sales.services.order_work import Rejection, note
from sales.services.releasing import OPEN_STATES


def notes_on_refunds(draft: OrderDraft, known: Order | None) -> list[Rejection]:
    """A refund whose amount nobody tells, one that leaves nothing to deliver yet money kept, or one
    that the shop took back after the goods left."""
    if draft.payment_status == Order.PaymentStatus.PARTIALLY_REFUNDED and not draft.refunded:
        return [_unsaid(draft)]
    if draft.refunded < draft.total_incl_tax and _is_emptied(draft):
        return [_emptied(draft)]
    if known is None or known.is_history or known.status in OPEN_STATES:
        return []
    if draft.refunded < known.refunded_incl_tax:
        return [_withdrawn(draft, known)]
    return []


def _is_emptied(draft: OrderDraft) -> bool:
    return draft.state == "confirmed" and all(
        line.cancelled + line.refunded >= line.quantity and not line.shipped for line in draft.lines
    )


def _emptied(draft: OrderDraft) -> Rejection:
    text = _(
        "Commande %(number)s : la boutique a retiré tous les articles et garde %(kept)s €. Il "
        "n'y a plus rien à livrer. Dans Facturation › À facturer, facturez d'un clic ce qu'elle "
        "garde, ou annulez et rendez le reste."
    )
    cause = _(
        "La boutique a retiré tous les articles de commandes dont elle garde une part : "
        "facturez-la dans Facturation › À facturer, ou rendez-la."
    )
    return note(draft, "order.emptied", text, cause, kept=draft.total_incl_tax - draft.refunded)


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
