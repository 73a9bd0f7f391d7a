"""What the screens call the fields of a file."""

import re

from django.utils.translation import gettext_lazy as _

FIELD_LABELS = {
    "order_number": _("N° de commande"),
    "placed_at": _("Date de commande"),
    "status": _("État"),
    "currency": _("Devise"),
    "customer_ref": _("Référence du client"),
    "email": _("E-mail"),
    "first_name": _("Prénom"),
    "last_name": _("Nom, ou nom complet"),
    "company": _("Société"),
    "vat_number": _("N° de TVA"),
    "siret": _("SIRET"),
    "phone": _("Téléphone"),
    "billing_address1": _("Facturation : adresse"),
    "billing_address2": _("Facturation : complément"),
    "billing_postcode": _("Facturation : code postal"),
    "billing_city": _("Facturation : ville"),
    "billing_country": _("Facturation : pays"),
    "shipping_name": _("Livraison : destinataire"),
    "shipping_address1": _("Livraison : adresse"),
    "shipping_address2": _("Livraison : complément"),
    "shipping_postcode": _("Livraison : code postal"),
    "shipping_city": _("Livraison : ville"),
    "shipping_country": _("Livraison : pays"),
    "sku": _("Référence de l'article"),
    "label": _("Désignation"),
    "shop_product_key": _("Clé de l'article à la boutique"),
    "quantity": _("Quantité"),
    "unit_price_incl_tax": _("Prix unitaire TTC"),
    "unit_price_excl_tax": _("Prix unitaire HT"),
    "line_total_incl_tax": _("Total TTC de la ligne"),
    "tax_rate": _("Taux de TVA"),
    "line_discount_incl_tax": _("Remise de la ligne TTC"),
    "shipping_incl_tax": _("Port TTC"),
    "shipping_tax_rate": _("Taux de TVA du port"),
    "order_discount_incl_tax": _("Remise de la commande TTC"),
    "total_incl_tax": _("Total TTC de la commande"),
    "refunded_incl_tax": _("Montant remboursé TTC"),
    "payment_method": _("Mode de paiement"),
    "paid_at": _("Date de paiement"),
    "changed_at": _("Modifiée à la boutique le"),
    "note": _("Note"),
    "quantity_shipped": _("Quantité expédiée"),
    "quantity_cancelled": _("Quantité annulée"),
    "quantity_refunded": _("Quantité remboursée"),
    "line_refunded_incl_tax": _("Remboursé TTC sur la ligne"),
    "shipping_refunded_incl_tax": _("Port remboursé TTC"),
    "shipped_at": _("Expédiée le"),
    "carrier": _("Transporteur"),
    "tracking_number": _("N° de suivi"),
    "address1": _("Adresse"),
    "address2": _("Complément"),
    "postcode": _("Code postal"),
    "city": _("Ville"),
    "country": _("Pays"),
    "is_business": _("Professionnel (oui/non)"),
    "accepts_marketing": _("Accepte la publicité (oui/non)"),
    "created_at": _("Client depuis"),
}
STATUS_LABELS = {
    "pending": _("En attente de règlement"),
    "paid": _("Payée"),
    "shipped": _("Expédiée"),
    "delivered": _("Livrée"),
    "cancelled": _("Annulée"),
    "refunded": _("Remboursée"),
    "partially_refunded": _("Remboursée en partie"),
}
# Names of fields that no sentence has by chance.
_FIELD = re.compile(rf"\b({'|'.join(field for field in FIELD_LABELS if '_' in field)})\b")


def in_words(message: str) -> str:
    """The message with what the screens call a field in place of its name."""
    return _FIELD.sub(lambda match: f"« {FIELD_LABELS[match[1]]} »", message)
