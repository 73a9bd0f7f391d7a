"""The shape of a dialect, and the header that it is recognised by."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple, Protocol

from django.utils.translation import gettext as _

from customers.drafts import CustomerDraft
from ftp_ingest.dialects.shipments import PIVOT, ShipmentFormat
from ftp_ingest.errors import FileRefused
from sales.drafts import OrderDraft
from sphinx.core.errors import InputError
from sphinx.core.registry import Registry
from sphinx.core.texts import fold

CUSTOMERS, ORDERS = "customers", "orders"


# Every dialect looks for its names in each of a file's first rows.
@lru_cache(maxsize=8192)
def heading(name: str) -> str:
    """A column's name as it is compared: folded, but "Shipping + Tax" isn't "Shipping Tax".

    French programs write l'élément with either apostrophe.
    """
    return fold(name.replace("+", " plus ").replace("\u2019", "'"))


class Header:
    """The columns of a file; names are compared without case, accents, spaces or marks."""

    def __init__(self, names: Sequence[str], shown: Sequence[str] = ()) -> None:
        self.names = [name.strip().strip("\ufeff").strip('"') for name in names]
        # What messages call the columns, where that isn't what they are read as.
        self.shown = list(shown) or self.names
        self._places: dict[str, list[int]] = {}
        for place, name in enumerate(self.names):
            self._places.setdefault(heading(name), []).append(place)

    @property
    def folded(self) -> list[str]:
        """The names as they are compared, in the file's order."""
        return [heading(name) for name in self.names]

    def has(self, *names: str) -> bool:
        """True when every one of the (folded) names is there."""
        return all(name in self._places for name in names)

    def count(self, names: frozenset[str]) -> int:
        """How many of the (folded) names are there."""
        return len(names & self._places.keys())

    def place(self, *names: str) -> int:
        """Where the first of these names that is there stands; −1, a blank cell, for none."""
        for name in names:
            if name in self._places:
                return self._places[name][0]
        return -1

    def places(self, name: str) -> list[int]:
        """Everywhere a name stands: some shops write the same name twice."""
        return self._places.get(name, [])


def renamed(header: Header, names: dict[int, str], added: Sequence[str] = ()) -> Header:
    """The header as another dialect would write it.

    `names` gives columns by place; every other column loses its name. `added` columns come
    after; messages keep the file's own names.
    """
    places = range(len(header.names))
    return Header([*(names.get(place, "") for place in places), *added], [*header.names, *added])


class Row(NamedTuple):
    """A record of the file: its line and cells."""

    line: int
    cells: list[str]


class OrderReader(Protocol):
    """Reads one file's orders; made for its header."""

    # What the shop itself says of its states: folded phrase → meaning (see states.py). Whoever
    # made the reader may set it; it wins over all that the reader knows.
    states: Mapping[str, str]
    # Columns with dates: whether day or month comes first is learnt from the whole file.
    date_places: tuple[int, ...]
    # Columns that an order's first row always fills, its total first; −1 where there is none.
    first_row: tuple[int, ...]

    def read_dates(self, *, day_first: bool | None) -> None:
        """Read dates such as 03/04/2026 so from now on; None refuses them."""

    def key(self, cells: list[str]) -> str:
        """What the rows of one order share; blank when the row goes on with the last one."""

    def is_total(self, cells: list[str]) -> bool:
        """True for a line of totals at the end of a file."""

    def draft(self, rows: Sequence[Row]) -> OrderDraft:
        """One order of all its rows. Raises InputError with line and column."""


class CustomerReader(Protocol):
    """Reads one file's customers; made for its header."""

    def draft(self, row: Row) -> CustomerDraft | None:
        """One customer; None for a row that only adds to the last one.

        Raises InputError with line and column.
        """


class StockFormat(NamedTuple):
    """How a shop's import of stock names the SKU, the pieces, whether there are any, and the day
    that goods sold ahead come out."""

    delimiter: str
    sku: str
    available: str
    in_stock: str = ""
    released: str = ""


class Dialect(Protocol):
    """What one kind of shop writes, and the files of stock and shipments that it reads."""

    code: str
    label: str
    # The pivot format's own, for shops that have no import of their own.
    stock_format: StockFormat = StockFormat(";", "sku", "available", released="available_from")
    shipment_format: ShipmentFormat = PIVOT

    def recognise(self, header: Header) -> tuple[str, int]:
        """The kind of file this header is of, "" when it isn't ours; how many columns agree."""

    def check_header(self, header: Header, kind: str) -> None:
        """Raises FileRefused naming the columns that are missing."""

    def orders(self, header: Header) -> OrderReader: ...

    def customers(self, header: Header) -> CustomerReader: ...


_registry: Registry[Dialect] = Registry()
register = _registry.register
dialects = _registry.all


def find_dialect(code: str) -> Dialect:
    """The dialect called `code`.

    Raises:
        FileRefused: there is none of that name.
    """
    found = _registry.get(code)
    if found is None:
        raise FileRefused(
            _("Dialecte « %(code)s » inconnu. Dialectes possibles : auto, %(known)s.")
            % {"code": code, "known": _registry.codes()},
            code="file.unknown_dialect",
        )
    return found


def stock_format_of(code: str) -> StockFormat:
    """How shops of the dialect called `code` read their stock; a shop's own as the pivot format."""
    found = _registry.get(code)
    return found.stock_format if found else Dialect.stock_format


def shipment_format_of(code: str) -> ShipmentFormat:
    """How shops of the dialect called `code` read shipments; a shop's own as the pivot format."""
    found = _registry.get(code)
    return found.shipment_format if found else Dialect.shipment_format


def require(header: Header, label: str, *columns: tuple[str, ...]) -> None:
    """Raises FileRefused unless one name of each group in `columns` is in the header."""
    missing = [
        " ou ".join(group)
        for group in columns
        if not any(header.has(heading(name)) for name in group)
    ]
    if missing:
        raise FileRefused(
            _("%(label)s : colonnes manquantes : %(missing)s. Ajoutez-les à l'export.")
            % {"label": label, "missing": ", ".join(missing)},
            code="file.missing_columns",
            line=1,
            column=missing[0],
        )


def no_lines(label: str, way_out: str) -> FileRefused:
    """The refusal of an export of orders without their lines; `way_out` says what to export."""
    return FileRefused(
        _("Export %(label)s sans lignes d'articles : %(way_out)s.")
        % {"label": label, "way_out": way_out},
        code="file.no_lines",
        line=1,
    )


def no_customer_key(line: int, column: str) -> InputError:
    """The refusal of a customer that nothing tells from others."""
    return InputError(
        _("Ligne %(line)s : ni identifiant ni e-mail, ce client ne peut pas être reconnu.")
        % {"line": line},
        code="customer.no_key",
        line=line,
        column=column,
    )
