"""Electronic invoices received: whose they are, what they charge of what came, entered."""

import hashlib
import re
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from purchasing.einvoices import Read, read_einvoice
from purchasing.errors import WrongState
from purchasing.models import Receipt, ReceiptLine, ReceivedInvoice, SupplierInvoice
from purchasing.services.expenses import Choice, expense_of
from purchasing.services.invoices import Charged, enter_supplier_invoice
from purchasing.unit_codes import unit_of
from sphinx.core.errors import InputError
from sphinx.core.money import ZERO, spread, to_unit_price
from sphinx.core.services import company, record
from sphinx.core.texts import clean, fold, sku_key
from suppliers.models import Supplier
from suppliers.units import PIECE, Unit

Status = ReceivedInvoice.Status


@transaction.atomic
def receive_einvoice(*, name: str, data: bytes, at: datetime, actor: Any = None) -> ReceivedInvoice:
    """Keep an electronic invoice to be entered; the same file again is the same invoice.

    Raises:
        InputError: the file holds no valid invoice, one that is known by its number, in this form
            or another, or one that is another firm's.
    """
    digest = hashlib.sha256(data).hexdigest()
    known = ReceivedInvoice.objects.filter(sha256=digest).first()
    if known is not None:
        return known
    read = read_einvoice(name, data)
    supplier = find_supplier(read.seller)
    _refuse_others(name, read.buyer)
    _refuse_known(name, read, supplier)
    made = ReceivedInvoice.objects.create(
        sha256=digest,
        name=name[:200],
        data=data,
        received_at=at,
        kind=read.kind,
        supplier=supplier,
        seller_name=read.seller.get("name", "?")[:200],
        number=read.number,
        issued_on=read.issued_on,
        due_on=read.due_on,
        order_reference=read.order_reference,
        lines=read.lines,
        carriage_excl_tax=read.carriage,
        tax=read.tax,
        tax_eur=read.tax_eur,
        currency=read.currency,
        rounding=read.rounding,
        total_incl_tax=read.total,
        prepaid=read.prepaid,
    )
    record("einvoice.received", [made], actor=actor, sha256=digest)
    return made


def _refuse_others(name: str, buyer: Mapping[str, str]) -> None:
    """Raises InputError: the buyer that it names by SIREN or VAT number isn't the firm.

    One that it names by neither can't be told from the firm.
    """
    firm = company()
    # A SIRET begins with its SIREN; other registers' numbers say nothing of it.
    legal = re.sub(r"\D", "", buyer.get("legal_identifier", ""))
    given = {legal[:9] if len(legal) in (9, 14) and firm.siren else ""}
    given.add(_vat_key(buyer.get("vat_identifier", "")) if firm.vat_number else "")
    given.discard("")
    if not given or given & {firm.siren, _vat_key(firm.vat_number)}:
        return
    raise InputError(
        _(
            "%(name)s est adressée à %(buyer)s (%(number)s), pas à %(firm)s : refusez-la sur votre "
            "plateforme pour que l'émetteur la renvoie à son destinataire."
        )
        % {
            "name": name,
            "buyer": clean(buyer.get("name", "?"), 200),
            "number": ", ".join(sorted(given)),
            "firm": firm.name,
        },
        code="einvoice.not_ours",
    )


def _vat_key(number: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", number.upper())


def _refuse_known(name: str, read: Read, supplier: Supplier | None) -> None:
    """Raises InputError: the seller's number is received or entered already, put aside apart."""
    seller = Q(supplier=supplier) if supplier else Q(seller_name=read.seller.get("name", "?")[:200])
    received = (
        ReceivedInvoice.objects.filter(seller, number=read.number)
        .exclude(status=Status.IGNORED)
        .exclude(supplier_invoice__status=SupplierInvoice.Status.CANCELLED)
        .first()
    )
    entered = (
        SupplierInvoice.objects.filter(supplier=supplier, supplier_number=read.number)
        .exclude(status=SupplierInvoice.Status.CANCELLED)
        .first()
        if supplier and received is None
        else None
    )
    if received is None and entered is None:
        return
    common = {"name": name, "number": read.number, "seller": supplier or read.seller.get("name")}
    if received is not None:
        raise InputError(
            _(
                "%(name)s : la facture %(number)s de %(seller)s est déjà reçue, dans %(file)s du "
                "%(day)s. Il n'y a rien à faire ; une autre facture doit porter un autre numéro."
            )
            % (common | {"file": received.name, "day": f"{received.received_at:%d/%m/%Y}"}),
            code="einvoice.known",
        )
    raise InputError(
        _(
            "%(name)s : la facture %(number)s de %(seller)s est déjà saisie (%(entered)s). Il n'y "
            "a rien à faire ; si la saisie est fausse, reprenez-la, puis déposez ce fichier."
        )
        % (common | {"entered": entered.number if entered else ""}),
        code="einvoice.known",
    )


def find_supplier(seller: Mapping[str, str]) -> Supplier | None:
    """By VAT number, SIREN, else name."""
    vat = seller.get("vat_identifier", "").replace(" ", "")
    siren = seller.get("legal_identifier", "")[:9]
    known = Q(pk=None)
    if vat:
        known |= Q(vat_number=vat)
    if siren:
        known |= Q(siren=siren)
    found = Supplier.objects.filter(known).order_by("pk").first()
    if found is not None:
        return found
    name = fold(seller.get("name", ""))
    return next((s for s in Supplier.objects.order_by("pk") if fold(s.name) == name), None)


class Matched(NamedTuple):
    """A line of the invoice and the receipt lines that it charges, pieces of each."""

    line: dict[str, str]
    shares: list[tuple[ReceiptLine, Decimal]]


def match_lines(received: ReceivedInvoice, *, lowers_price: bool = False) -> list[Matched]:
    """Each line beside what came and isn't charged yet, of the order it names first, else oldest.

    What is beyond that goes on the last receipt line: the three-way match tells the difference.
    With `lowers_price` beside what was charged: a credit note for pieces that stay. Of an invoice
    a line below zero is pieces taken back.
    """
    open_lines = _chargeable(received, lowers_price)
    left = {
        line.pk: max(_due(line, received.sign, lowers_price), Decimal(0)) for line in open_lines
    }
    matched = []
    for row in received.lines:
        below = Decimal(row["quantity"]) <= 0
        candidates = [] if below else [line for line in open_lines if _is_same(row, line)]
        wanted = (
            unit_of(row, candidates[0].order_line).in_pieces(Decimal(row["quantity"]))
            if candidates
            else Decimal(0)
        )
        shares: list[tuple[ReceiptLine, Decimal]] = []
        for line in candidates:
            part = min(wanted, left[line.pk])
            if part > 0:
                shares.append((line, part))
                left[line.pk] -= part
                wanted -= part
        if wanted > 0 and candidates:
            last = shares.pop() if shares else (candidates[-1], Decimal(0))
            shares.append((last[0], last[1] + wanted))
        matched.append(Matched(row, shares))
    return _with_taken_back(received, matched) if received.sign > 0 else matched


def _with_taken_back(received: ReceivedInvoice, matched: list[Matched]) -> list[Matched]:
    """Lines below zero beside what was sent back and charged, else what was only charged.

    All of it to one receipt line, of which something is left charged, or nothing was charged here:
    what would leave an amount for no pieces is for an account.
    """
    if not any(Decimal(m.line["quantity"]) < 0 for m in matched):
        return matched
    lines = list(_came(received).order_by("pk"))
    here: dict[int, Decimal] = defaultdict(Decimal)
    for m in matched:
        for line, pieces in m.shares:
            here[line.pk] += pieces
    done = []
    for m in matched:
        quantity = Decimal(m.line["quantity"])
        if quantity < 0:
            shares = _taken_back(m.line, lines, here)
            for line, pieces in shares:
                here[line.pk] += pieces
            done.append(Matched(m.line, shares))
        else:
            done.append(m)
    return done


def _taken_back(
    row: Mapping[str, str], lines: list[ReceiptLine], here: Mapping[int, Decimal]
) -> list[tuple[ReceiptLine, Decimal]]:
    same = [line for line in lines if _is_same(row, line)]
    # What went back and is still charged first, then the latest.
    same.sort(key=lambda line: (line.quantity_invoiced <= _stayed(line), -line.pk))
    for line in same:
        pieces = unit_of(row, line.order_line).in_pieces(Decimal(row["quantity"]))
        charged_here = here.get(line.pk, Decimal(0))
        if line.quantity_invoiced + charged_here + pieces >= 0 and charged_here + pieces:
            return [(line, pieces)]
    return []


def _stayed(line: ReceiptLine) -> Decimal:
    return line.quantity - line.quantity_returned


def _due(line: ReceiptLine, sign: int, lowers_price: bool) -> Decimal:
    if lowers_price:
        return line.quantity_invoiced
    return sign * (line.quantity - line.quantity_returned - line.quantity_invoiced)


def _chargeable(received: ReceivedInvoice, lowers_price: bool) -> list[ReceiptLine]:
    lines = _came(received).order_by("pk")
    cited = fold(received.order_reference)

    def is_cited(line: ReceiptLine) -> bool:
        order = line.receipt.purchase_order
        return bool(cited) and cited in (fold(order.number), fold(order.supplier_reference))

    due = [line for line in lines if _due(line, received.sign, lowers_price) > 0]
    # Sorting is stable: within the order, and elsewhere, the oldest receipt first.
    return sorted(due or list(lines), key=lambda line: not is_cited(line))


def _came(received: ReceivedInvoice) -> QuerySet[ReceiptLine]:
    """What the supplier delivered, in the currency of the invoice."""
    return ReceiptLine.objects.filter(
        receipt__purchase_order__supplier=received.supplier,
        receipt__currency=received.currency,
        quantity__gt=0,
    ).select_related("order_line__product", "receipt__purchase_order")


def _is_same(row: Mapping[str, str], line: ReceiptLine) -> bool:
    product, ordered = line.order_line.product, line.order_line
    if row["barcode"] and product.barcode:
        return row["barcode"].lstrip("0") == product.barcode.lstrip("0")
    names = {sku_key(product.sku)} | {sku_key(ordered.supplier_sku)} - {""}
    given = {sku_key(row["reference"]), sku_key(row["sku"])} - {""}
    return bool(given & names) or (not given and fold(row["label"]) == fold(product.label))


@transaction.atomic
def enter_received(
    *,
    received_id: int,
    at: datetime,
    lowers_price: bool = False,
    exchange_rate: Decimal | None = None,
    choices: Mapping[int, Choice] | None = None,
    actor: Any = None,
) -> SupplierInvoice:
    """Enter a received invoice as it is; without a difference it is good to pay. Twice is once.

    A line beside which nothing came is an expense where `choices` gives it an account, by its
    place among the lines, the first being 0.

    With `lowers_price` it is a credit note for pieces that stay and cost less. In another currency
    it is at the rate of its day, or at `exchange_rate` (units for one euro).

    Raises:
        WrongState: its supplier or one of its lines isn't recognised and has no account, or it was
            put aside.
        AlreadyEntered: the supplier's number was typed already.
        NoRate: no rate of its currency is known for its day.
    """
    received = ReceivedInvoice.objects.select_for_update(of=("self",), no_key=True).get(
        pk=received_id
    )
    if received.supplier_invoice is not None:
        return received.supplier_invoice
    if received.status != Status.OPEN or received.supplier is None:
        raise WrongState(_("%s : dites d'abord de quel fournisseur elle vient.") % received)
    matched = match_lines(received, lowers_price=lowers_price)
    goods = [m for m in matched if m.shares]
    other = {place: m.line for place, m in enumerate(matched) if not m.shares}
    chosen = choices or {}
    strange = [row["label"] for place, row in other.items() if place not in chosen]
    if strange and not _came_in(received):
        raise WrongState(
            _(
                "%(invoice)s est en %(currency)s : rien de %(supplier)s n'est venu dans cette "
                "devise. Vérifiez celle de sa fiche et de la commande."
            )
            % {
                "invoice": received,
                "currency": received.currency,
                "supplier": received.supplier,
            }
        )
    if strange or not matched:
        raise WrongState(
            _("Rien de reçu ne correspond à : %s. Recevez d'abord, ou donnez un compte de charge.")
            % (", ".join(strange) or received)
        )
    made = enter_supplier_invoice(
        supplier=received.supplier,
        supplier_number=received.number,
        issued_on=received.issued_on,
        due_on=received.due_on,
        charged=_charged(goods, lowers_price),
        expenses=[expense_of(received, row, chosen[place]) for place, row in other.items()],
        rounding=received.rounding,
        carriage=received.carriage_excl_tax,
        tax=received.tax,
        total_incl_tax=received.total_incl_tax,
        kind=received.kind,
        currency=received.currency,
        exchange_rate=exchange_rate,
        tax_eur=received.tax_eur,
        at=at,
        actor=actor,
    )
    received.status, received.supplier_invoice = Status.ENTERED, made
    received.save(update_fields=["status", "supplier_invoice"])
    record("einvoice.entered", [received], actor=actor, invoice=made.number)
    return made


def _came_in(received: ReceivedInvoice) -> bool:
    """Whether anything came in the invoice's currency, or nothing came at all."""
    came = Receipt.objects.filter(purchase_order__supplier=received.supplier)
    return not came.exists() or came.filter(currency=received.currency).exists()


def _charged(matched: list[Matched], lowers_price: bool) -> list[Charged]:
    """How many of which unit and its price, of each receipt line once."""
    pieces: dict[int, Decimal] = {}
    amounts: dict[int, Decimal] = {}
    units: dict[int, set[Unit]] = {}
    for row, shares in matched:
        parts = spread(Decimal(row["amount"]), [n for _line, n in shares])
        for (line, quantity), part in zip(shares, parts, strict=True):
            pieces[line.pk] = pieces.get(line.pk, Decimal(0)) + quantity
            amounts[line.pk] = amounts.get(line.pk, ZERO) + part
            units.setdefault(line.pk, set()).add(unit_of(row, line.order_line))
    return [
        _as_written(pk, pieces[pk], amounts[pk], units[pk])._replace(lowers_price=lowers_price)
        for pk in pieces
    ]


def _as_written(pk: int, pieces: Decimal, amount: Decimal, units: set[Unit]) -> Charged:
    """In the supplier's unit where it is one, and fills whole ones; else in pieces."""
    unit = units.pop() if len(units) == 1 else PIECE
    count = unit.whole(pieces)
    if count is None:
        return Charged(pk, pieces, to_unit_price(amount / pieces), amount=amount)
    return Charged(pk, count, to_unit_price(amount / count), unit, amount=amount)


@transaction.atomic
def say_supplier(*, received_id: int, supplier: Supplier, actor: Any = None) -> ReceivedInvoice:
    """Say whose invoice it is, where that wasn't recognised.

    Raises:
        WrongState: it was entered or put aside.
    """
    received = _open(received_id)
    received.supplier = supplier
    received.save(update_fields=["supplier"])
    record("einvoice.supplier", [received], actor=actor, supplier=supplier.code)
    return received


@transaction.atomic
def ignore_received(*, received_id: int, actor: Any = None) -> ReceivedInvoice:
    """Put a received invoice aside: not ours, or typed by hand.

    Raises:
        WrongState: it was entered or put aside.
    """
    received = _open(received_id)
    received.status = Status.IGNORED
    received.save(update_fields=["status"])
    record("einvoice.ignored", [received], actor=actor)
    return received


def _open(received_id: int) -> ReceivedInvoice:
    received = ReceivedInvoice.objects.select_for_update(of=("self",), no_key=True).get(
        pk=received_id
    )
    if received.status != Status.OPEN:
        raise WrongState(
            _("%(invoice)s est déjà classée (%(status)s).")
            % {"invoice": received, "status": received.get_status_display()}
        )
    return received
