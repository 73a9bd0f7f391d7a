"""What the readers of orders and customers by named columns share."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache

from django.utils.translation import gettext as _

from customers.drafts import AddressDraft, CustomerDraft
from ftp_ingest.dialects.base import Header, Row
from ftp_ingest.dialects.columns import Aliases, Columns, Entry
from ftp_ingest.dialects.states import States, states_of
from ftp_ingest.errors import FileRefused
from sphinx.core import cells
from sphinx.core.errors import InputError
from sphinx.core.texts import fold, is_spoilt

# What programs write for nothing at all: `mysql -B`, and LOAD DATA's own way.
_NULLS = frozenset(("NULL", "\\N"))
_ESCAPES = {"n": "\n", "t": "\t", "\\": "\\"}
_ESCAPED = re.compile(r"\\([nt\\])")
_KEY_SIZE = 12
_BETWEEN_REFERENCES = re.compile(r"[\s,;|+]+")
_SHORT_DATE = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-](\d{2})( .*)?")
_NAMED_DATE = re.compile(r"([^\W\d]{3,})\.?-(\d{1,2})-(?:20)?(\d{2})( .*)?")


class TableOrders:
    """Columns looked up once a file; rows that go on leave the key blank or repeat it."""

    def __init__(
        self, header: Header, aliases: Aliases, *, key: str, date: str, content: tuple[str, ...]
    ) -> None:
        self._columns = Columns(header, aliases)
        # What the shop says of its own states, which is believed first.
        self.states: States = {}
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
        return not cells[self._key].strip() and not self._has_content(cells)

    def _has_content(self, cells: list[str]) -> bool:
        """True when the row has something that only an order's row has."""
        return any(cells[place].strip() for place in self._content)


def no_items(number: str, entry: Entry, field: str) -> InputError:
    """The refusal of an order of which no line can be sold."""
    return InputError(
        _("Commande %(number)s : aucune ligne d'article.") % {"number": number},
        code="order.no_lines",
        line=entry.line,
        column=entry.column(field),
    )


def blank_cell(entry: Entry, field: str) -> InputError:
    """The refusal of a cell that must say something: blank is neither 0 nor paid."""
    column = entry.column(field)
    return InputError(
        _(
            "Ligne %(line)s, colonne %(column)s : cellule vide, la commande ne peut pas être "
            "comprise sans elle. Complétez-la à la boutique, ou ici."
        )
        % {"line": entry.line, "column": column},
        code="cell.blank",
        line=entry.line,
        column=column,
    )


def read_states(
    entry: Entry, own: States, platform: Mapping[str, tuple[str, str]]
) -> tuple[str, str]:
    """State of the order and payment status by the `status` field.

    Raises:
        InputError: the cell is blank, or nobody knows what it says.
    """
    if not entry.filled("status"):
        raise blank_cell(entry, "status")
    found = states_of(entry.raw("status"), own, platform)
    if found is None:
        raise unknown_status(entry)
    return found


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
        (message % shown).strip(),
        code="order.unknown_status",
        line=entry.line,
        column=column,
        status=entry.text("status"),
    )


def as_stored(row: Row) -> Row:
    """The row as it stood in the tables, where a database's own program wrote it.

    Its NULL is a blank cell; beside it, line breaks, tabs and backslashes are escaped.
    """
    if _NULLS.isdisjoint(row.cells):
        return row
    cells = ["" if cell in _NULLS else _ESCAPED.sub(_unescaped, cell) for cell in row.cells]
    return Row(row.line, cells)


def _unescaped(found: re.Match[str]) -> str:
    return _ESCAPES[found[1]]


def key_of_person(address: AddressDraft) -> str:
    """What knows a person again where a file has neither a key nor an e-mail.

    Name, company, postcode and street, however they are written; blank where these don't tell
    one person from another.
    """
    who = fold(f"{address.name} {address.company}")
    where = fold(f"{address.address1} {address.address2} {address.postcode} {address.city}")
    if not who or not (fold(address.address1) or fold(address.postcode)):
        return ""
    digest = hashlib.blake2b(f"{who}\x1f{where}".encode(), digest_size=_KEY_SIZE)
    return f"adr:{digest.hexdigest()}"


def no_customers(label: str) -> FileRefused:
    """The refusal of customers by a dialect that knows of orders only."""
    return FileRefused(
        _("%(label)s : ce genre de boutique n'a pas de fichier de clients.") % {"label": label},
        code="file.unknown_header",
        line=1,
    )


def currency_of(entry: Entry) -> str:
    """The order's currency, blank when the file doesn't say."""
    return entry.text("currency").upper()[:3]


def payment_references(entries: Iterable[Entry], *fields: str) -> str:
    """What an order's payments are known by at the providers: each reference once.

    Several stand in one cell; what a spreadsheet rounded is nobody's reference.
    """
    found = (
        word
        for entry in entries
        for field in fields
        if not is_spoilt(text := entry.plain(field))
        for word in _BETWEEN_REFERENCES.split(text)
    )
    return " ".join(word for word in dict.fromkeys(found) if word)


def short_moment(entry: Entry, field: str, *, day_first: bool = False) -> datetime:
    """A date whose year may have two digits, its month in numbers or letters.

    09/14/26, Jul-25-26; months come first unless they can't be months.
    """
    text = entry.raw(field).strip()
    if match := _SHORT_DATE.fullmatch(text):
        text = f"{match[1]}/{match[2]}/20{match[3]}{match[4] or ''}"
    elif match := _NAMED_DATE.fullmatch(text):
        text = f"{match[1]} {match[2]}, 20{match[3]}{match[4] or ''}"
    return cells.moment(text, entry.line, entry.column(field), day_first=day_first)


def digits(text: str) -> str:
    """A SIRET without its spaces."""
    return "".join(character for character in text if character.isdigit())


def address_of(
    entry: Entry, use: str, *, name: str | None = None, company: str | None = None
) -> AddressDraft:
    """An address whose fields are called `use`_address1, `use`_postcode…

    Name, company and phone are blank where the dialect has none of the address's own; the first
    two may be given.
    """
    fields = _fields_of_address(use)
    return AddressDraft(
        name=entry.maybe(fields.name) if name is None else name,
        company=entry.maybe(fields.company) if company is None else company,
        address1=entry.text(fields.address1),
        address2=entry.text(fields.address2),
        postcode=entry.plain(fields.postcode),
        city=entry.text(fields.city),
        country=entry.country(fields.country),
        phone=entry.maybe(fields.phone).removeprefix("'"),
    )


@cache
def _fields_of_address(use: str) -> AddressDraft:
    return AddressDraft(*(f"{use}_{part}" for part in AddressDraft._fields))


def account_holder(entry: Entry, address: AddressDraft, site: str) -> CustomerDraft:
    """Who bought at a marketplace: known by the `account` there, else by name and address."""
    first, _space, last = (entry.maybe("buyer_name") or address.name).partition(" ")
    account = entry.text("account")
    return CustomerDraft(
        ref=(f"{site}:{account}" if account else key_of_person(address))[:80],
        email=entry.maybe("email"),
        first_name=first,
        last_name=last,
        phone=address.phone,
        address=address,
        line=entry.line,
    )


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
    # Forms that demand a company get a dash.
    company = entry.maybe("company")
    company = company if company.strip("-") else ""
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
