"""What the readers of orders and customers by named columns share."""

from django.utils.translation import gettext as _

from customers.drafts import AddressDraft, CustomerDraft
from ftp_ingest.dialects.base import Header
from ftp_ingest.dialects.columns import Aliases, Columns, Entry
from sphinx.core.errors import InputError


class TableOrders:
    """Columns looked up once a file; rows that go on leave the key blank or repeat it."""

    def __init__(
        self, header: Header, aliases: Aliases, *, key: str, date: str, content: tuple[str, ...]
    ) -> None:
        self._columns = Columns(header, aliases)
        self.date_places: tuple[int, ...] = (self._columns.place[date],)
        self.first_row: tuple[int, ...] = tuple(
            self._columns.place.get(field, -1) for field in ("total", "status")
        )
        self._key = self._columns.place[key]
        self._content = [self._columns.place[field] for field in content]

    def read_dates(self, *, day_first: bool | None) -> None:
        """See OrderReader."""
        self._columns.day_first = day_first

    def key(self, cells: list[str]) -> str:
        """See OrderReader."""
        return cells[self._key].strip()

    def is_total(self, cells: list[str]) -> bool:
        """A row without key and without anything that an order's row has."""
        return not cells[self._key].strip() and not any(
            cells[place].strip() for place in self._content
        )


def no_items(number: str, entry: Entry, field: str) -> InputError:
    """The refusal of an order of which no line can be sold."""
    return InputError(
        _("Commande %(number)s : aucune ligne d'article.") % {"number": number},
        code="order.no_lines",
        line=entry.line,
        column=entry.column(field),
    )


def unknown_status(entry: Entry, hint: str = "") -> InputError:
    """The refusal of a status that isn't the platform's; `hint` says what would do."""
    message = _("Ligne %(line)s, colonne %(column)s : l'état « %(status)s » est inconnu. %(hint)s")
    column = entry.column("status")
    shown = {
        "line": entry.line,
        "column": column,
        "status": entry.text("status")[:40],
        "hint": hint,
    }
    return InputError(
        (message % shown).strip(), code="order.unknown_status", line=entry.line, column=column
    )


def currency_of(entry: Entry) -> str:
    """The order's currency, blank when the file doesn't say."""
    return entry.text("currency").upper()[:3]


def digits(text: str) -> str:
    """A SIRET without its spaces."""
    return "".join(character for character in text if character.isdigit())


def buyer(entry: Entry, address: AddressDraft, email: str) -> CustomerDraft:
    """Who orders, known by the name and company of an address."""
    first, _space, last = address.name.partition(" ")
    return CustomerDraft(
        email=email,
        first_name=first,
        last_name=last,
        company=address.company,
        phone=address.phone,
        is_business=bool(address.company),
        address=address,
        line=entry.line,
    )


def person(entry: Entry, *, ref: str, phone: str = "phone") -> CustomerDraft:
    """A customer of a file whose fields have our names; `name` stands in for the two parts."""
    first, last = entry.maybe("first_name"), entry.maybe("last_name")
    if not (first or last):
        first, _space, last = entry.maybe("name").partition(" ")
    company = entry.maybe("company").strip("-")
    return CustomerDraft(
        ref=ref[:80],
        email=entry.maybe("email"),
        first_name=first,
        last_name=last,
        company=company,
        vat_number=entry.maybe("vat_number"),
        siret=digits(entry.maybe("siret")),
        phone=entry.maybe(phone).removeprefix("'"),
        is_business=bool(company),
        note=entry.maybe("note"),
        created_at=entry.maybe_moment("created_at"),
        address=AddressDraft(
            name=f"{first} {last}".strip(),
            company=company,
            address1=entry.maybe("address1"),
            address2=entry.maybe("address2"),
            postcode=entry.maybe("postcode").removeprefix("'"),
            city=entry.maybe("city"),
            country=entry.country("country"),
        ),
        line=entry.line,
    )
