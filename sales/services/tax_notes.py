"""What is said of an order that came in as charged, but not with the VAT that its file states."""

from django.utils.translation import gettext as _

from sales.drafts import GOODS, OrderDraft
from sales.services.order_work import Rejection, note
from sales.services.pricing import PricedOrder
from sales.services.tax_rates import is_untaxed_destination, states_no_tax


def notes_on_tax(draft: OrderDraft, priced: PricedOrder, *, franchise: bool) -> list[Rejection]:
    """The figures that disagree, or a 0 that nothing explains; the order itself is in."""
    if franchise:
        return [_charged_in_franchise(draft, priced)] if priced.stated_tax else []
    if priced.stated_tax is not None:
        text = _(
            "Commande %(number)s : le fichier dit %(stated)s € de TVA, ses prix et ses taux en "
            "font %(kept)s €. Elle est entrée telle que payée, avec %(kept)s € de TVA : vérifiez "
            "les taux à la boutique ou sur les articles."
        )
        cause = _(
            "La TVA que dit le fichier n'est pas celle que font ses prix et ses taux : les "
            "commandes sont entrées telles que payées."
        )
        figures = {"stated": priced.stated_tax, "kept": priced.total_tax}
        return [note(draft, "order.tax_differs", text, cause, **figures)]
    if not states_no_tax(draft) or priced.total_tax or not draft.total_incl_tax:
        return []
    is_sold = any(line.kind == GOODS and line.quantity * line.unit_price for line in draft.lines)
    if not is_sold or is_untaxed_destination(draft):
        return []
    text = _(
        "Commande %(number)s : la boutique n'a compté aucune TVA, sans que le pays ni un "
        "numéro de TVA ne le disent. Elle est entrée à 0 %% ; sa facture attend que vous disiez "
        "pourquoi (Facturation › À facturer)."
    )
    cause = _(
        "La boutique n'a compté aucune TVA, sans que le pays ni un numéro de TVA ne le disent : "
        "les commandes sont entrées à 0 % ; leurs factures attendent que vous disiez pourquoi "
        "(Facturation › À facturer)."
    )
    return [note(draft, "order.untaxed", text, cause)]


def _charged_in_franchise(draft: OrderDraft, priced: PricedOrder) -> Rejection:
    """VAT that was shown to the customer is owed by who showed it (CGI, art. 283, 3)."""
    text = _(
        "Commande %(number)s : la boutique ou l'article compte %(stated)s € de TVA, alors que "
        "l'entreprise est en franchise (article 293 B). Le total payé est gardé, la facture ne "
        "portera pas de TVA. Mettez les taxes à zéro à la boutique : la TVA montrée au client "
        "est due (article 283-3)."
    )
    cause = _(
        "La boutique ou des articles comptent de la TVA, alors que l'entreprise est en franchise "
        "(article 293 B) : mettez les taxes à zéro à la boutique. La TVA montrée au client est due "
        "(article 283-3)."
    )
    return note(draft, "order.tax_in_franchise", text, cause, stated=priced.stated_tax)
