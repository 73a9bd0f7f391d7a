"""Quotes: written, sent, prolonged, accepted as an order, or left without one."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _

from customers.models import Customer, CustomerAddress
from customers.services import Source, name_in_shop
from inventory.models import Product
from inventory.selectors import find_products
from sales.errors import QuoteRefused
from sales.events import quote_to_mail
from sales.locks import lock_quote
from sales.models import Order, Quote, QuoteLine
from sales.quoting import line_total, most_of, order_draft, quote_taxes
from sales.selectors import last_prices
from sales.services.orders import upsert_orders
from sphinx.core.clock import business_date
from sphinx.core.events import announce
from sphinx.core.models import Company, Shop
from sphinx.core.money import ZERO, to_unit_price
from sphinx.core.services import allocate_number, company, record
from sphinx.core.vat import NORMAL_RATE, TaxRegime, regime_of

Status = Quote.Status
VALID_DAYS = 30
MAX_QUOTE_LINES = 200
_UNTAXED = (TaxRegime.EXEMPT, TaxRegime.EXPORT, TaxRegime.EU_BUSINESS)


class Offered(NamedTuple):
    """A line as typed: quantity in pieces, price EUR excl. tax, discount and rate in percent.

    A blank (None) price is the last one that the product was sold at, a blank rate the
    product's; a line without reference is free text.
    """

    sku: str
    label: str
    quantity: Decimal
    unit_price: Decimal | None
    discount_percent: Decimal = Decimal(0)
    tax_rate: Decimal | None = None


class Terms(NamedTuple):
    """What a quote says besides its lines; shipping EUR excl. tax, its rate None as the goods'.

    `addresses` are fields of the quote by name (`billing_name`, …).
    """

    valid_until: date
    shipping: Decimal = ZERO
    shipping_tax_rate: Decimal | None = None
    reference: str = ""
    note: str = ""
    addresses: Mapping[str, str] = {}


@transaction.atomic
def start_quote(*, customer_id: int, shop: Shop, at: datetime, actor: Any = None) -> Quote:
    """An empty quote for a customer, with the addresses that are known, valid 30 days."""
    customer = Customer.objects.get(pk=customer_id)
    today = business_date(at)
    quote = Quote(
        number=allocate_number(series="DV", on=today),
        shop=shop,
        customer=customer,
        status=Status.DRAFT,
        quoted_on=today,
        valid_until=today + timedelta(days=VALID_DAYS),
        vat_number=customer.vat_number,
        **_known_addresses(customer),
    )
    quote.tax_regime = _regime(quote, company())
    quote.save()
    record("quote.started", [quote], actor=actor, customer=customer.code)
    return quote


def _known_addresses(customer: Customer) -> dict[str, str]:
    known = {address.use: address for address in customer.addresses.all()}
    billing = known.get(CustomerAddress.Use.BILLING)
    shipping = known.get(CustomerAddress.Use.SHIPPING, billing)
    person = f"{customer.first_name} {customer.last_name}".strip()
    found = {}
    for prefix, address in (("billing", billing), ("shipping", shipping)):
        found[f"{prefix}_company"] = customer.company_name
        found[f"{prefix}_name"] = address.name if address and address.name else person
        for name in ("address1", "address2", "postcode", "city", "country") if address else ():
            found[f"{prefix}_{name}"] = getattr(address, name)
    return found


def _regime(quote: Quote, firm: Company) -> TaxRegime:
    """The regime of the goods once sold; taxed where nothing exempts them."""
    place: dict[str, Any] = {
        "country": quote.shipping_country or quote.billing_country,
        "postcode": quote.shipping_postcode or quote.billing_postcode,
        "vat_number": quote.vat_number,
        "franchise": firm.is_tax_exempt,
        "oss": firm.uses_oss,
    }
    untaxed = regime_of(charged=False, **place)
    return untaxed if untaxed in _UNTAXED else regime_of(charged=True, **place)


@transaction.atomic
def write_quote(
    *, quote_id: int, lines: Sequence[Offered], terms: Terms, actor: Any = None
) -> Quote:
    """Replace what a draft offers: its lines, shipping, addresses and terms.

    Raises:
        QuoteRefused: it has left already, or a line doesn't hold; each wrong one is named.
    """
    quote = _locked(quote_id, Status.DRAFT)
    if terms.valid_until < quote.quoted_on:
        raise QuoteRefused(_("Un devis est valable au moins le jour de sa date."))
    if len(lines) > MAX_QUOTE_LINES:
        raise QuoteRefused(_("Un devis a %s lignes au plus.") % MAX_QUOTE_LINES)
    for name, value in terms.addresses.items():
        setattr(quote, name, value)
    quote.tax_regime = _regime(quote, company())
    made = _lines(quote, lines)
    by_rate = [(line.tax_rate, line.total_excl_tax) for line in made]
    quote.valid_until, quote.note = terms.valid_until, terms.note.strip()
    quote.reference = terms.reference.strip()[:80]
    quote.shipping_excl_tax = terms.shipping
    untaxed = quote.tax_regime in _UNTAXED
    wanted = terms.shipping_tax_rate
    quote.shipping_tax_rate = (
        ZERO if untaxed else wanted if wanted is not None else most_of(by_rate)
    )
    _total(quote, by_rate)
    quote.save()
    QuoteLine.objects.filter(quote=quote).delete()
    QuoteLine.objects.bulk_create(made)
    record("quote.written", [quote], actor=actor, total_excl_tax=str(quote.total_excl_tax))
    return quote


def _lines(quote: Quote, offered: Sequence[Offered]) -> list[QuoteLine]:
    products = find_products(line.sku for line in offered)
    prices = last_prices([product.pk for product in products.values()])
    made, wrong = [], []
    for position, line in enumerate(offered, start=1):
        try:
            made.append(_line(quote, position, line, products.get(line.sku), prices))
        except QuoteRefused as error:
            wrong.append(error.message)
    if wrong:
        raise QuoteRefused(" ".join(wrong))
    return made


def _line(
    quote: Quote,
    position: int,
    line: Offered,
    product: Product | None,
    prices: Mapping[int, Decimal],
) -> QuoteLine:
    label = line.label.strip() or (product.label or product.sku if product else "")
    price = line.unit_price
    if price is None and product:
        price = prices.get(product.pk)
    reason = ""
    if line.sku and product is None:
        reason = _("« %s » n'est pas une référence connue ; laissez-la vide pour un texte libre.")
        reason %= line.sku[:40]
    elif not label:
        reason = _("donnez une désignation.")
    elif line.quantity <= 0:
        reason = _("donnez une quantité.")
    elif price is None:
        reason = _("donnez un prix : l'article n'a encore jamais été vendu.")
    elif line.discount_percent > 100:  # noqa: PLR2004 (percent)
        reason = _("la remise est de 100 % au plus.")
    if reason or price is None:
        raise QuoteRefused(_("Ligne %(n)s : %(reason)s") % {"n": position, "reason": reason})
    return QuoteLine(
        quote=quote,
        position=position,
        product=product,
        sku=product.sku if product else "",
        label=label[:200],
        quantity=line.quantity,
        unit_price_excl_tax=to_unit_price(price),
        discount_percent=line.discount_percent,
        tax_rate=_rate(quote, line, product),
        total_excl_tax=line_total(line.quantity, price, line.discount_percent),
    )


def _rate(quote: Quote, line: Offered, product: Product | None) -> Decimal:
    if quote.tax_regime in _UNTAXED:
        return ZERO
    if line.tax_rate is not None:
        return line.tax_rate
    if product and product.tax_rate is not None:
        return Decimal(product.tax_rate)
    if product and product.category and product.category.tax_rate is not None:
        return Decimal(product.category.tax_rate)
    return NORMAL_RATE


def _total(quote: Quote, by_rate: Sequence[tuple[Decimal, Decimal]]) -> None:
    taxes = quote_taxes(by_rate, quote.shipping_excl_tax, quote.shipping_tax_rate)
    quote.taxes = [{"rate": str(t.rate), "base": str(t.base), "tax": str(t.tax)} for t in taxes]
    quote.total_excl_tax = sum((t.base for t in taxes), ZERO)
    quote.total_tax = sum((t.tax for t in taxes), ZERO)
    quote.total_incl_tax = quote.total_excl_tax + quote.total_tax


@transaction.atomic
def send_quote(*, quote_id: int, at: datetime, by_email: bool, actor: Any = None) -> Quote:
    """Send a quote, by e-mail once this is committed, or note that it was given. Again is allowed.

    Raises:
        QuoteRefused: it has no line, was answered, or the customer has no e-mail.
    """
    quote = _locked(quote_id, Status.DRAFT, Status.SENT)
    if not quote.lines.exists():
        raise QuoteRefused(_("Ajoutez au moins une ligne avant d'envoyer le devis."))
    if by_email and not quote.customer.email:
        raise QuoteRefused(_("%s n'a pas d'adresse e-mail.") % quote.customer.name)
    quote.status, quote.sent_at = Status.SENT, at
    quote.by_email, quote.mailed_at = by_email, None if by_email else quote.mailed_at
    quote.save(update_fields=["status", "sent_at", "by_email", "mailed_at"])
    record("quote.sent", [quote], actor=actor, by_email=by_email)
    if by_email:
        announce(quote_to_mail, quote_id=quote.pk)
    return quote


@transaction.atomic
def prolong_quote(*, quote_id: int, until: date, actor: Any = None) -> Quote:
    """Make a quote that waits for an answer valid until another day.

    Raises:
        QuoteRefused: it doesn't wait, or the day is before its own.
    """
    quote = _locked(quote_id, Status.SENT)
    if until < quote.quoted_on:
        raise QuoteRefused(_("Un devis est valable au moins le jour de sa date."))
    quote.valid_until = until
    quote.save(update_fields=["valid_until"])
    record("quote.prolonged", [quote], actor=actor, until=until.isoformat())
    return quote


@transaction.atomic
def accept_quote(*, quote_id: int, at: datetime, actor: Any = None) -> Order:
    """The customer agrees: the quote becomes a confirmed order, not paid yet. Twice is once.

    Raises:
        QuoteRefused: it wasn't sent, isn't valid any more, or the order can't be taken.
    """
    quote = lock_quote(quote_id)
    if quote.status == Status.ACCEPTED and quote.order:
        return quote.order
    _must_be(quote, Status.SENT)
    if quote.valid_until < business_date(at):
        raise QuoteRefused(
            _("Le devis %(number)s n'est plus valable depuis le %(day)s : prolongez-le d'abord.")
            % {"number": quote.number, "day": f"{quote.valid_until:%d/%m/%Y}"}
        )
    ref = name_in_shop(customer=quote.customer, shop=quote.shop)
    draft = order_draft(quote, quote.lines.all(), ref=ref, at=at)
    result = upsert_orders(
        shop=quote.shop, drafts=[draft], source=Source(quote.number), at=at, makes_articles=False
    )
    if result.rejections:
        raise QuoteRefused(result.rejections[0].message)
    quote.order = Order.objects.get(shop=quote.shop, external_id=quote.number)
    quote.status, quote.decided_at = Status.ACCEPTED, at
    quote.save(update_fields=["order", "status", "decided_at"])
    record("quote.accepted", [quote], actor=actor, order=quote.order.number)
    return quote.order


@transaction.atomic
def refuse_quote(*, quote_id: int, reason: str, at: datetime, actor: Any = None) -> Quote:
    """The customer says no, or nobody waits for an answer any more.

    Raises:
        QuoteRefused: it was answered already.
    """
    quote = _locked(quote_id, Status.DRAFT, Status.SENT)
    quote.status, quote.decided_at, quote.decision = Status.REFUSED, at, reason.strip()[:200]
    quote.save(update_fields=["status", "decided_at", "decision"])
    record("quote.refused", [quote], actor=actor, reason=quote.decision)
    return quote


@transaction.atomic
def copy_quote(*, quote_id: int, at: datetime, actor: Any = None) -> Quote:
    """A new draft that says the same; a quote that waited for an answer is replaced by it."""
    quote = lock_quote(quote_id)
    lines = list(quote.lines.all())
    today = business_date(at)
    former = quote.number
    if quote.status == Status.SENT:
        replaced = _("Remplacé par un autre devis")
        refuse_quote(quote_id=quote.pk, reason=replaced, at=at, actor=actor)
    quote.pk, quote.number = None, allocate_number(series="DV", on=today)
    quote.status, quote.order, quote.decision = Status.DRAFT, None, ""
    quote.quoted_on, quote.valid_until = today, today + timedelta(days=VALID_DAYS)
    quote.sent_at = quote.mailed_at = quote.decided_at = None
    quote.by_email = False
    quote.save(force_insert=True)
    for line in lines:
        line.pk, line.quote = None, quote
    QuoteLine.objects.bulk_create(lines)
    record("quote.copied", [quote], actor=actor, copy_of=former)
    return quote


def _locked(quote_id: int, *states: str) -> Quote:
    quote = lock_quote(quote_id)
    _must_be(quote, *states)
    return quote


def _must_be(quote: Quote, *states: str) -> None:
    """Raises QuoteRefused when somebody was first."""
    if quote.status not in states:
        raise QuoteRefused(
            _("Le devis %(number)s est déjà « %(status)s ».")
            % {"number": quote.number, "status": quote.get_status_display()}
        )
