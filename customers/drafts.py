"""What a customer looks like at the door: typed, cleaned, not yet compared with the books."""

from datetime import datetime
from typing import NamedTuple


class AddressDraft(NamedTuple):
    """A postal address; `country` is ISO 3166-1 alpha-2 or empty."""

    name: str = ""
    company: str = ""
    address1: str = ""
    address2: str = ""
    postcode: str = ""
    city: str = ""
    country: str = ""
    phone: str = ""


class CustomerDraft(NamedTuple):
    """A customer as a shop writes it. `ref` is the shop's key; a guest has only an e-mail."""

    ref: str = ""
    email: str = ""
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    vat_number: str = ""
    siret: str = ""
    phone: str = ""
    is_business: bool = False
    accepts_marketing: bool = False
    note: str = ""
    created_at: datetime | None = None
    address: AddressDraft = AddressDraft()
    line: int = 0
