"""What all WooCommerce exports share: statuses, and who buys."""

from decimal import Decimal

from django.utils.translation import gettext as _

from customers.drafts import AddressDraft, CustomerDraft
from ftp_ingest.dialects.columns import Entry
from ftp_ingest.dialects.deeds import has_left
from ftp_ingest.dialects.readers import unknown_status
from ftp_ingest.dialects.states import States, after_refund, states_of
from sphinx.core.texts import fold, sku_key

# WooCommerce's statuses, by key and by their labels → state of the order, payment status.
_STATUSES = {
    "pending": ("pending", "unpaid"),
    "pending payment": ("pending", "unpaid"),
    "attente paiement": ("pending", "unpaid"),
    "en attente de paiement": ("pending", "unpaid"),
    "on hold": ("pending", "unpaid"),
    "on hand": ("pending", "unpaid"),
    "en attente": ("pending", "unpaid"),
    "checkout draft": ("pending", "unpaid"),
    "draft": ("pending", "unpaid"),
    "brouillon": ("pending", "unpaid"),
    "processing": ("confirmed", "paid"),
    "en cours": ("confirmed", "paid"),
    "completed": ("confirmed", "paid"),
    "terminee": ("confirmed", "paid"),
    "shipped": ("confirmed", "paid"),
    "partial shipped": ("confirmed", "paid"),
    "expediee": ("confirmed", "paid"),
    "delivered": ("confirmed", "paid"),
    "cancelled": ("cancelled", "unpaid"),
    "canceled": ("cancelled", "unpaid"),
    "annulee": ("cancelled", "unpaid"),
    "refunded": ("confirmed", "refunded"),
    "remboursee": ("confirmed", "refunded"),
    # Never an order to deliver.
    "failed": ("cancelled", "unpaid"),
    "echouee": ("cancelled", "unpaid"),
    "trash": ("cancelled", "unpaid"),
}


def states(entry: Entry, refunded: Decimal, total: Decimal, own: States) -> tuple[str, str]:
    """State and payment status; WooCommerce tells a partial refund by its amount only.

    Raises:
        InputError: nobody knows the status.
    """
    text = fold(entry.raw("status")).removeprefix("wc ")
    found = states_of(text, own, _STATUSES)
    if found is None:
        hint = _("Attendu un état de WooCommerce (processing, completed, on-hold…).")
        raise unknown_status(entry, hint)
    return after_refund(found, refunded, total)


# The keys and labels of an order that was handed over.
_LEFT = frozenset(("completed", "terminee", "shipped", "expediee", "delivered", "livree"))


def is_shipped(entry: Entry, own: States) -> bool:
    """True for an order that WooCommerce calls completed, or a plug-in shipped or delivered."""
    return has_left(fold(entry.raw("status")).removeprefix("wc "), own, _LEFT)


def product_key(product: str, variation: str | None, label: str) -> str:
    """WooCommerce's key of an article: its variation's id, else its product's; "0" is none.

    Where the file tells no variations (None) the name goes with the product's id: the variations
    of one product differ by it only.
    """
    ids = [number if number.strip("0") else "" for number in (variation or "", product)]
    if variation is None and ids[1]:
        return f"{ids[1]} {sku_key(label)}"
    return ids[0] or ids[1]


def address(entry: Entry, use: str) -> AddressDraft:
    """The billing or shipping address."""
    name = entry.text(f"{use}_full_name") or " ".join(
        filter(None, (entry.text(f"{use}_first_name"), entry.text(f"{use}_last_name")))
    )
    return AddressDraft(
        name=name,
        company=entry.text(f"{use}_company"),
        address1=entry.text(f"{use}_address_1") or entry.text(f"{use}_address"),
        address2=entry.text(f"{use}_address_2"),
        postcode=entry.plain(f"{use}_postcode"),
        city=entry.text(f"{use}_city"),
        country=entry.country(f"{use}_country"),
        phone=entry.plain(f"{use}_phone"),
    )


def customer(entry: Entry, billing: AddressDraft) -> CustomerDraft:
    """Who orders; an account number of 0 is a guest."""
    account = entry.plain("customer_id")
    return CustomerDraft(
        ref="" if account in ("0", "") else account[:80],
        email=entry.text("email") or entry.text("account_email"),
        first_name=entry.text("billing_first_name"),
        last_name=entry.text("billing_last_name") or ("" if billing.company else billing.name),
        company=billing.company,
        vat_number=entry.text("vat_number"),
        phone=billing.phone,
        is_business=bool(billing.company),
        address=billing,
        line=entry.line,
    )


def goes_somewhere(shipping: AddressDraft, billing: AddressDraft) -> AddressDraft:
    """The delivery address, the billing one where the shop leaves it blank."""
    return shipping if shipping.address1 or shipping.city or shipping.country else billing
