"""For each reason a row is set aside: what a person can do about it."""

from django.utils.translation import gettext_lazy as _

_EXPORT = _("Refaites l'export à la boutique, ou corrigez cette ligne ici.")
WHAT_TO_DO = {
    "file.unknown_header": _("Dites dans l'assistant ce que contient chaque colonne."),
    "file.missing_columns": _("Ajoutez ces colonnes à l'export de la boutique."),
    "file.no_lines": _("Choisissez l'export qui détaille les articles (voir la documentation)."),
    "file.not_csv": _("Déposez le fichier CSV lui-même, pas une page, un classeur ou un ZIP."),
    "file.too_large": _("Exportez par période."),
    "file.bad_workbook": _("Enregistrez le classeur à nouveau, ou exportez en CSV."),
    "file.too_many_columns": _("Exportez seulement les colonnes utiles."),
    "row.unbalanced_quotes": _EXPORT,
    "row.torn_quotes": _("Refaites l'export à la boutique, sans l'ouvrir dans un tableur."),
    "row.too_long": _("Raccourcissez la note de cette commande à la boutique."),
    "row.other_header": _("Déposez chaque export dans son propre fichier."),
    "row.ragged": _EXPORT,
    "row.cut": _("Le fichier a été coupé : le prochain envoi complet réglera cette ligne."),
    "row.undecodable": _("Exportez en UTF-8."),
    "row.no_key": _("Donnez un numéro de commande à cette ligne dans la boutique."),
    "order.total_mismatch": _(
        "Comparez avec la commande à la boutique : un frais, une remise ou une ligne manque dans "
        "l'export. Corrigez ici, ou attendez le prochain fichier."
    ),
    "order.tax_undecided": _(
        "Dites une fois la TVA de ces commandes (Passerelle › Questions) : toutes celles qui "
        "l'attendent entreront, les suivantes aussi."
    ),
    "order.unknown_sku": _("Dites de quel article il s'agit, ou créez-le."),
    "order.unknown_status": _(
        "Dites une fois ce que veut dire cet état (Passerelle › Questions) : toutes les commandes "
        "qui l'attendent entreront, les suivantes aussi."
    ),
    "order.no_beginning": _("Déposez l'export entier : cette commande y sera complète."),
    "order.same_number": _(
        "Deux commandes de la boutique ont ce numéro : déclarez une seconde boutique, ou changez "
        "le préfixe de la numérotation."
    ),
    "order.spoilt_number": _("Déposez le fichier de la boutique sans l'ouvrir dans un tableur."),
    "line.spoilt_sku": _("Déposez le fichier de la boutique sans l'ouvrir dans un tableur."),
    "customer.spoilt_ref": _("Déposez le fichier de la boutique sans l'ouvrir dans un tableur."),
    "order.tax_differs": _(
        "Comparez avec la facture de la boutique, et corrigez le taux de l'article ou le réglage."
    ),
    "order.tax_in_franchise": _(
        "Mettez les taxes à zéro à la boutique et sur les articles : rien n'est à faire ici."
    ),
    "order.emptied": _(
        "Facturation › À facturer : facturez d'un clic ce qu'elle garde, ou annulez et rendez-le."
    ),
    "order.refund_unsaid": _(
        "Faites l'avoir à la main, ou ajoutez à l'export la colonne du montant remboursé."
    ),
    "order.refund_withdrawn": _(
        "Si l'argent n'est pas reparti chez le client, refacturez ce que l'avoir a crédité."
    ),
    "order.untaxed": _("Vérifiez pourquoi la boutique n'a pas compté de TVA avant de facturer."),
    "order.no_lines": _("Une commande sans article ne peut pas être livrée : écartez-la."),
    "order.no_customer": _("Ajoutez un e-mail."),
    "order.refunded_pieces": _("Ajoutez la colonne « Quantity » à l'export de WooCommerce."),
    "order.contradiction": _("La même commande a deux totaux dans ce fichier : gardez le bon."),
    "order.foreign_currency": _(
        "Donnez un cours de cette devise (Réglages › Cours de change) ou faites relever ceux de la "
        "BCE (Réglages › Société) : ces commandes entreront d'elles-mêmes."
    ),
    "order.currency_unsaid": _(
        "Dites la devise de la boutique (Réglages › Boutiques) : ces commandes entreront "
        "d'elles-mêmes."
    ),
    "order.impossible_date": _("Corrigez la date."),
    "order.out_of_bounds": _("Une valeur dépasse ce qui est possible : corrigez-la."),
    "order.changed_after_delivery": _(
        "Rien n'a été modifié. Si le client a été remboursé, un avoir suffit. Si la boutique "
        "retire ce qu'elle avait ajouté, annulez ici la commande complémentaire, puis rejouez."
    ),
    "customer.no_key": _("Ajoutez une référence ou un e-mail à ce client dans la boutique."),
    "cell.blank": _("Complétez cette cellule."),
    "cell.not_a_number": _("Corrigez le nombre."),
    "cell.negative": _("Un montant négatif est un avoir ou une remise : corrigez la colonne."),
    "cell.bad_quantity": _("Corrigez la quantité."),
    "cell.bad_rate": _("Corrigez le taux."),
    "cell.not_a_date": _("Corrigez la date."),
    "cell.ambiguous_date": _("Exportez les dates sous la forme 2026-03-01."),
    "line.no_price": _("Ajoutez le prix unitaire."),
    "line.no_sku": _(
        "Rien n'est refusé : réunissez ces articles aux vôtres (Stock › Articles sans référence), "
        "ou gardez ces lignes en texte libre (Réglages › Boutiques)."
    ),
    "line.no_rate": _("Ajoutez le taux de TVA."),
}
