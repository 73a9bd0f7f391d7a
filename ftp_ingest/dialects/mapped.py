"""A shop's own dialect, made in the mapping assistant: its columns read as the pivot format.

A definition is data, no code: which column holds which field, constants for fields that the
file lacks, the shop's words for statuses, whether dates have the day first.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from customers.drafts import AddressDraft, CustomerDraft
from ftp_ingest.dialects.base import (
    CUSTOMERS,
    ORDERS,
    CustomerReader,
    Dialect,
    Header,
    OrderReader,
    Row,
    heading,
    renamed,
)
from ftp_ingest.dialects.columns import Entry
from ftp_ingest.dialects.pivot import PivotCustomers, PivotOrders
from ftp_ingest.dialects.readers import key_of_person
from ftp_ingest.dialects.vocabulary import VOCABULARY
from ftp_ingest.errors import FileRefused
from ftp_ingest.labels import FIELD_LABELS
from sales.drafts import LineDraft, OrderDraft
from sphinx.core.errors import InputError
from sphinx.core.money import HUNDRED, ZERO, to_cents
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
        ("unit_price_incl_tax", "unit_price_excl_tax", "line_total_incl_tax"),
    ),
    CUSTOMERS: (("customer_ref", "email"),),
}
# Fields that may have one value for the whole file.
CONSTANTS = ("currency", "status", "tax_rate", "shipping_tax_rate", "billing_country")
# A shop's own dialect is believed before those that come with the product.
OWN_STRENGTH = 10_000
# The key of the one buyer of a shop whose orders don't say who bought.
NOBODY = "sans-client"


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
            raise _wrong(_("aucune colonne pour : %s") % ", ".join(map(_any_of, missing)))

    def check_choices(self) -> None:
        """What is refused when a mapping is made, not when one that is kept is read.

        Raises:
            InputError: one column serves two fields.
        """
        served: dict[str, str] = {}
        for field, column in self.columns.items():
            other = served.setdefault(heading(column), field)
            if other != field:
                reason = _(
                    "la colonne « %(column)s » est choisie deux fois, pour « %(first)s » et pour "
                    "« %(second)s » : une colonne ne sert qu'une fois"
                )
                labels = {"first": FIELD_LABELS[other], "second": FIELD_LABELS[field]}
                raise _wrong(reason % {"column": column, **labels})

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


def _any_of(group: tuple[str, ...]) -> str:
    """Fields of which one is needed, in the words of the screen."""
    return " / ".join(str(FIELD_LABELS[field]) for field in group)


def _wrong(reason: str) -> InputError:
    return InputError(
        _("Cette correspondance ne peut pas être utilisée : %(reason)s.") % {"reason": reason},
        code="mapping.invalid",
    )


class MappedDialect(Dialect):
    """Reads one shop's files by its definition; `buyer` is who buys where a file names nobody."""

    def __init__(self, code: str, label: str, definition: Definition, buyer: str = "") -> None:
        self.code = code
        self.label = label
        self.definition = definition
        self.buyer = buyer or label

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
        return MappedOrders(self._renamed(header), self.definition, self.buyer)

    def customers(self, header: Header) -> CustomerReader:
        return MappedCustomers(self._renamed(header), self.definition)


def _shown(names: Mapping[str, str], definition: Definition) -> dict[str, str]:
    """What messages call a field: as the file does, else as the screens do."""
    return {
        field: name if field in definition.columns else str(FIELD_LABELS.get(field, name))
        for field, name in names.items()
    }


def _split(first: str, last: str) -> tuple[str, str]:
    """First and last name of one column that has both."""
    if first:
        return first, last
    before, _space, after = last.partition(" ")
    return (before, after) if after else ("", last)


class MappedOrders(PivotOrders):
    """Pivot orders of files that say less.

    Rows get the constants, and their statuses in our words. The buyer needn't have an e-mail or
    a key; an order's total is summed where the file has none; a line's total stands for its
    price.
    """

    def __init__(self, header: Header, definition: Definition, buyer: str) -> None:
        super().__init__(header)
        self._definition = definition
        self._buyer = buyer
        self._constants = list(definition.constants.values())
        self._columns.name = _shown(self._columns.name, definition)
        self._has_price = self._columns.has(self._price)
        self._has_total = self._columns.has("total_incl_tax")
        self._status = self._columns.place["status"]
        if not self._has_price:
            self._includes_tax = True
        if definition.day_first is not None:
            super().read_dates(day_first=definition.day_first)

    def read_dates(self, *, day_first: bool | None) -> None:
        """What the assistant was told holds."""
        if self._definition.day_first is None:
            super().read_dates(day_first=day_first)

    def draft(self, rows: Sequence[Row]) -> OrderDraft:
        draft = super().draft([self._completed(row) for row in rows])
        return draft if self._has_total else self._summed(draft)

    def _completed(self, row: Row) -> Row:
        cells = [*row.cells[:-1], *self._constants, ""]
        if self._status >= 0:
            ours = self._definition.statuses.get(fold(cells[self._status]))
            if ours:
                cells[self._status] = ours
        return Row(row.line, cells)

    def _states_hint(self) -> str:
        return _("Dites dans l'assistant ce que cet état veut dire.")

    def _agreed_total(self, entries: Sequence[Entry]) -> Decimal:
        return super()._agreed_total(entries) if self._has_total else ZERO

    def _summed(self, draft: OrderDraft) -> OrderDraft:
        """The order with the total of its lines and shipping, less its discount."""
        goods = sum((self._including_tax(line) for line in draft.lines), ZERO)
        total = max(goods + draft.shipping_amount - draft.discount, ZERO)
        refunded = draft.refunded
        if draft.payment_status == "refunded" and not refunded:
            refunded = total
        return draft._replace(total_incl_tax=total, refunded=refunded)

    def _including_tax(self, line: LineDraft) -> Decimal:
        amount = line.quantity * line.unit_price - line.discount
        if self._includes_tax:
            return to_cents(amount)
        if line.tax_rate is None:
            raise InputError(
                _(
                    "Ligne %(line)s : sans total de la commande, des prix HT demandent un taux de "
                    "TVA. Choisissez une colonne pour « %(total)s » ou pour « %(rate)s », ou "
                    "donnez un taux fixe."
                )
                % {
                    "line": line.line,
                    "total": FIELD_LABELS["total_incl_tax"],
                    "rate": FIELD_LABELS["tax_rate"],
                },
                code="line.no_rate",
                line=line.line,
                column=self._columns.name["tax_rate"],
            )
        return to_cents(amount * (HUNDRED + line.tax_rate) / HUNDRED)

    def _unit_price(self, entry: Entry, pieces: Decimal, discount: Decimal) -> Decimal:
        if self._has_price:
            return super()._unit_price(entry, pieces, discount)
        if not entry.filled("line_total_incl_tax"):
            column = entry.column("line_total_incl_tax")
            raise InputError(
                _("Ligne %(line)s, colonne %(column)s : le total de la ligne manque.")
                % {"line": entry.line, "column": column},
                code="line.no_price",
                line=entry.line,
                column=column,
            )
        # What the line costs, its discount off.
        return (entry.amount("line_total_incl_tax") + discount) / pieces

    def _names(self, entry: Entry) -> tuple[str, str]:
        first, last = super()._names(entry)
        if self._columns.has("first_name"):
            return first, last
        return _split(first, last or entry.text("shipping_name"))

    def _billing_address(self, entry: Entry) -> AddressDraft:
        """The address of delivery where the file has no other."""
        billing = super()._billing_address(entry)
        delivered = self._shipping_address(entry)
        if delivered is None or billing.address1 or billing.postcode or billing.city:
            return billing
        return delivered._replace(
            name=billing.name or delivered.name,
            company=billing.company or delivered.company,
            country=delivered.country or billing.country,
        )

    def _shipping_address(self, entry: Entry) -> AddressDraft | None:
        address = super()._shipping_address(entry)
        if address is None or address.name:
            return address
        return address._replace(name=" ".join(self._names(entry)).strip())

    def _key_of_customer(self, entry: Entry, billing: AddressDraft) -> tuple[str, str]:
        """By reference or e-mail, else by name and address; blank where these are missing."""
        ref, email = entry.plain("customer_ref"), entry.text("email")
        if ref or email:
            return ref, email
        where = self._shipping_address(entry) or billing
        return key_of_person(billing) or key_of_person(where), ""

    def _customer(self, entry: Entry, billing: AddressDraft) -> CustomerDraft:
        """Who nothing tells from others is the shop's one unknown buyer."""
        customer = super()._customer(entry, billing)
        if customer.ref or customer.email:
            return customer
        return CustomerDraft(ref=NOBODY, last_name=self._buyer, line=entry.line)


class MappedCustomers(PivotCustomers):
    """Pivot customers whose messages speak as the screens do; a full name is split."""

    def __init__(self, header: Header, definition: Definition) -> None:
        super().__init__(header)
        self._columns.name = _shown(self._columns.name, definition)

    def draft(self, row: Row) -> CustomerDraft:
        customer = super().draft(row)
        if self._columns.has("first_name"):
            return customer
        first, last = _split(customer.first_name, customer.last_name)
        return customer._replace(first_name=first, last_name=last)
