"""A shop's own dialect, made in the mapping assistant: its columns read as the pivot format.

A definition is data, no code: which column holds which field, constants for fields that the
file lacks, the shop's words for statuses, whether dates have the day first.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from ftp_ingest.dialects.base import (
    CUSTOMERS,
    ORDERS,
    CustomerReader,
    Header,
    OrderReader,
    Row,
    heading,
    renamed,
)
from ftp_ingest.dialects.pivot import PivotCustomers, PivotOrders
from ftp_ingest.dialects.vocabulary import VOCABULARY
from ftp_ingest.errors import FileRefused
from sales.drafts import OrderDraft
from sphinx.core.errors import InputError
from sphinx.core.texts import fold

FORMAT = "sphinx-dialect/1"
STATUSES = ("pending paid shipped delivered cancelled refunded partially_refunded").split()
# Of each group one field must be mapped, or the file says too little.
REQUIRED: dict[str, tuple[tuple[str, ...], ...]] = {
    ORDERS: (
        ("order_number",),
        ("placed_at",),
        ("sku", "label"),
        ("quantity",),
        ("unit_price_incl_tax", "unit_price_excl_tax"),
        ("total_incl_tax",),
        # Who ordered: by a key, else by name and address.
        ("email", "customer_ref", "last_name", "shipping_name"),
    ),
    CUSTOMERS: (("customer_ref", "email"),),
}
# Fields that may have one value for the whole file.
CONSTANTS = ("currency", "status", "tax_rate", "shipping_tax_rate", "billing_country")
# A shop's own dialect is believed before those that come with the product.
OWN_STRENGTH = 10_000


class Definition:
    """What an assistant's page or a small file says, checked.

    Raises:
        InputError: a field, a status or a constant isn't one of ours, or a required field has
            no column.
    """

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.kind = str(data.get("kind", ORDERS))
        if self.kind not in VOCABULARY:
            raise _wrong(_("contenu « %s » inconnu") % self.kind)
        fields = VOCABULARY[self.kind]
        self.columns = _texts(data.get("columns"), fields, _("champ"))
        self.constants = _texts(data.get("constants"), CONSTANTS, _("constante"))
        self.statuses = {fold(k): v for k, v in _texts(data.get("statuses"), None, "").items()}
        unknown = set(self.statuses.values()) - set(STATUSES)
        if unknown:
            raise _wrong(_("état « %s » inconnu") % sorted(unknown)[0])
        day_first = data.get("day_first")
        self.day_first = day_first if isinstance(day_first, bool) else None
        missing = [
            group for group in REQUIRED[self.kind] if not any(f in self.columns for f in group)
        ]
        if missing:
            names = ", ".join(" / ".join(group) for group in missing)
            raise _wrong(_("aucune colonne pour : %s") % names)

    def as_json(self) -> dict[str, Any]:
        """The small file that another installation can take."""
        return {
            "format": FORMAT,
            "kind": self.kind,
            "columns": self.columns,
            "constants": self.constants,
            "statuses": self.statuses,
            "day_first": self.day_first,
        }


def _texts(given: Any, allowed: Any, what: str) -> dict[str, str]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise _wrong(_("une table de noms était attendue"))
    found = {str(k)[:80]: str(v)[:200] for k, v in given.items() if str(v).strip()}
    for name in found:
        if allowed is not None and name not in allowed:
            raise _wrong(f"{what} « {name} »")
    return found


def _wrong(reason: str) -> InputError:
    return InputError(
        _("Cette correspondance ne peut pas être utilisée : %(reason)s.") % {"reason": reason},
        code="mapping.invalid",
    )


class MappedDialect:
    """Reads one shop's files by its definition."""

    def __init__(self, code: str, label: str, definition: Definition) -> None:
        self.code = code
        self.label = label
        self.definition = definition

    def recognise(self, header: Header) -> tuple[str, int]:
        """Every mapped column is there."""
        columns = self.definition.columns.values()
        if not all(header.has(heading(column)) for column in columns):
            return "", 0
        return self.definition.kind, OWN_STRENGTH + len(columns)

    def check_header(self, header: Header, kind: str) -> None:
        missing = [c for c in self.definition.columns.values() if not header.has(heading(c))]
        if missing or kind != self.definition.kind:
            raise FileRefused(
                _("%(label)s : colonnes manquantes : %(missing)s. Ajoutez-les à l'export.")
                % {"label": self.label, "missing": ", ".join(missing)},
                code="file.missing_columns",
                line=1,
                column=missing[0] if missing else "",
            )

    def _renamed(self, header: Header) -> Header:
        names = {
            header.place(heading(column)): field
            for field, column in self.definition.columns.items()
        }
        return renamed(header, names, list(self.definition.constants))

    def orders(self, header: Header) -> OrderReader:
        return MappedOrders(self._renamed(header), self.definition)

    def customers(self, header: Header) -> CustomerReader:
        return PivotCustomers(self._renamed(header))


class MappedOrders(PivotOrders):
    """Pivot orders whose rows get the constants, and their statuses in our words."""

    def __init__(self, header: Header, definition: Definition) -> None:
        super().__init__(header)
        self._definition = definition
        self._constants = list(definition.constants.values())
        if definition.day_first is not None:
            super().read_dates(day_first=definition.day_first)

    def read_dates(self, *, day_first: bool | None) -> None:
        """What the assistant was told holds."""
        if self._definition.day_first is None:
            super().read_dates(day_first=day_first)

    def draft(self, rows: Sequence[Row]) -> OrderDraft:
        return super().draft([self._completed(row) for row in rows])

    def _completed(self, row: Row) -> Row:
        cells = [*row.cells[:-1], *self._constants, ""]
        if self._status >= 0:
            ours = self._definition.statuses.get(fold(cells[self._status]))
            if ours:
                cells[self._status] = ours
        return Row(row.line, cells)
