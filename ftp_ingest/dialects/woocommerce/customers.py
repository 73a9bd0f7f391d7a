"""WooCommerce's customers: WordPress users, SkyVerge's export, WooCommerce's own report."""

from customers.drafts import CustomerDraft
from ftp_ingest.dialects.base import Header, Row, no_customer_key
from ftp_ingest.dialects.columns import Columns, known_names
from ftp_ingest.dialects.readers import person

_ALIASES: dict[str, tuple[str, ...]] = {
    "ref": ("customer_id", "ID", "user_id"),
    "login": ("user_login", "username", "Identifiant", "Nom d'utilisateur"),
    "email": ("user_email", "email", "billing_email", "E-mail", "Adresse e-mail"),
    "first_name": ("first_name", "billing_first_name"),
    "last_name": ("last_name", "billing_last_name"),
    "name": ("Name", "Nom", "display_name"),
    "company": ("billing_company",),
    "vat_number": ("vat_number", "billing_vat_number", "_billing_vat_number"),
    "phone": ("billing_phone",),
    "address1": ("billing_address_1",),
    "address2": ("billing_address_2",),
    "postcode": ("billing_postcode", "Postal Code", "Code postal"),
    "city": ("billing_city", "City", "Ville"),
    "country": ("billing_country", "Country / Region", "Country", "Pays / Région", "Pays"),
    "created_at": (
        "user_registered",
        "date_registered",
        "Sign Up",
        "Date Registered",
        "Date d'inscription",
        "Inscription",
        "S'inscrire",
    ),
    "last_active": ("Last Active", "Dernière activité"),
    "aov": ("AOV", "VMC", "VCM", "Panier moyen"),
}
_NAMES = known_names(_ALIASES)
_ENOUGH = 5


def strength(header: Header) -> int:
    """How many columns agree; 0 when the file isn't WooCommerce's."""
    columns = Columns(header, _ALIASES)
    users = columns.has("login", "email") or header.has("user registered", "user email")
    skyverge = header.has("customer id", "billing first name", "billing postcode")
    report = columns.has("email", "name") and columns.has("last_active")
    is_order = header.has("order total") or header.has("order number")
    found = header.count(_NAMES)
    return found if (users or skyverge or report) and not is_order and found >= _ENOUGH else 0


class Customers:
    """Reads customers."""

    def __init__(self, header: Header) -> None:
        self._columns = Columns(header, _ALIASES)

    def draft(self, row: Row) -> CustomerDraft:
        entry = self._columns.entry(row)
        ref = entry.plain("ref")
        ref = "" if ref == "0" else ref
        if not ref and not entry.filled("email"):
            raise no_customer_key(entry.line, "email")
        return person(entry, ref=ref)
