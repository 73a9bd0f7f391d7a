"""Writes of customers: one person, one customer, whatever the shop and the number of files."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _

from customers.drafts import AddressDraft, CustomerDraft
from customers.locks import lock_new_people
from customers.models import Customer, CustomerAddress, ShopIdentity, VatCheck
from customers.vies import ask_vies
from sphinx.core.bulk import insert_rows, reserve_ids
from sphinx.core.errors import BusinessRuleError
from sphinx.core.models import Shop
from sphinx.core.services import company, record
from sphinx.core.validators import (
    compact_vat_number,
    is_siren,
    is_siret,
    is_vat_number,
    unproven_vat_number,
)


class Source(NamedTuple):
    """The file that drafts were read from."""

    file: str = ""
    sha256: str = ""


@dataclass
class CustomerResult:
    """What became of the drafts; `ids` are customer ids in their order."""

    ids: list[int] = field(default_factory=list)
    created: int = 0
    updated: int = 0
    unchanged: int = 0


def email_key(email: str) -> str:
    """The form in which two e-mail addresses are compared."""
    return email.strip().lower()


def identity_key(draft: CustomerDraft) -> str:
    """The shop's own key, else the e-mail: a guest has an identity too."""
    return draft.ref[:80] or (f"mailto:{email_key(draft.email)}"[:80] if draft.email else "")


def _content_hash(draft: CustomerDraft) -> str:
    text = "\x1f".join(map(str, draft[:12])) + "\x1e" + "\x1f".join(draft.address)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


@transaction.atomic
def upsert_customers(
    *,
    shop: Shop,
    drafts: Sequence[CustomerDraft],
    source: Source,
    at: datetime,
    overwrite: bool = True,
) -> CustomerResult:
    """Make or update the customers of `drafts`; a constant number of queries.

    Recognised by the shop's own key first, then by e-mail, so that a guest who registers
    later, or buys in a second shop, stays one customer. With `overwrite` False (customers
    seen on an order) known customers are left as they are: the customers file rules.
    """
    identities, by_email = _known(shop, drafts)
    if _unknown_count(drafts, identities, by_email):
        # Another shop may be making the same person: whoever is second looks again.
        lock_new_people(_unknown_keys(shop, drafts, identities, by_email))
        identities, by_email = _known(shop, drafts)
    result = CustomerResult()
    fresh: list[tuple[int, CustomerDraft]] = []
    changed: dict[int, CustomerDraft] = {}
    new_identities: list[tuple[str, int, CustomerDraft]] = []
    hashes: list[ShopIdentity] = []
    ids = iter(reserve_ids(Customer, _unknown_count(drafts, identities, by_email)))
    for draft in drafts:
        key = identity_key(draft)
        identity = identities.get(key) if key else None
        email = email_key(draft.email)
        customer_id = identity.customer_id if identity else by_email.get(email) if email else None
        if customer_id is None:
            customer_id = next(ids)
            fresh.append((customer_id, draft))
            result.created += 1
        elif not overwrite or (identity and identity.content_hash == _content_hash(draft)):
            result.unchanged += 1
        else:
            changed[customer_id] = draft
            result.updated += 1
        if email:
            by_email.setdefault(email, customer_id)
        if key and not identity:
            identities[key] = ShopIdentity(customer_id=customer_id)
            new_identities.append((key, customer_id, draft))
        elif identity and identity.pk and overwrite:
            identity.content_hash = _content_hash(draft)
            hashes.append(identity)
        result.ids.append(customer_id)
    _insert_customers(fresh, at)
    _update_customers(changed)
    _insert_identities(shop, new_identities, source, keep_hash=overwrite)
    ShopIdentity.objects.bulk_update(hashes, ["content_hash"], batch_size=500)
    return result


def _known(
    shop: Shop, drafts: Sequence[CustomerDraft]
) -> tuple[dict[str, ShopIdentity], dict[str, int]]:
    refs = {identity_key(d) for d in drafts}
    emails = {email_key(d.email) for d in drafts if d.email}
    identities = {
        i.external_ref: i for i in ShopIdentity.objects.filter(shop=shop, external_ref__any_of=refs)
    }
    by_email: dict[str, int] = {}
    found = Customer.objects.filter(email__any_of=emails).order_by("pk")
    for email, pk, merged_into in found.values_list("email", "pk", "merged_into_id"):
        # Who was merged stays merged, whatever the shop's files still say.
        by_email.setdefault(email, merged_into or pk)
    return identities, by_email


def _unknown_keys(
    shop: Shop,
    drafts: Sequence[CustomerDraft],
    identities: dict[str, ShopIdentity],
    by_email: dict[str, int],
) -> set[str]:
    """What others could make the same people by: their e-mails anywhere, their keys in the shop."""
    emails = {email_key(draft.email) for draft in drafts} - set(by_email) - {""}
    refs = {identity_key(draft) for draft in drafts} - set(identities) - {""}
    return emails | {f"{shop.pk}/{ref}" for ref in refs}


def _unknown_count(
    drafts: Sequence[CustomerDraft],
    identities: dict[str, ShopIdentity],
    by_email: dict[str, int],
) -> int:
    refs, emails, count = set(identities), set(by_email), 0
    for draft in drafts:
        key, email = identity_key(draft), email_key(draft.email)
        if not ((key and key in refs) or (email and email in emails)):
            count += 1
        refs.add(key)
        emails.add(email)
    return count


def _kind(draft: CustomerDraft) -> str:
    is_company = draft.is_business or bool(draft.company) or bool(draft.vat_number)
    return Customer.Kind.COMPANY if is_company else Customer.Kind.PERSON


def _fields(draft: CustomerDraft) -> dict[str, object]:
    """Columns of Customer that a shop's file says; an identifier that isn't one is left out."""
    siret = draft.siret if is_siret(draft.siret) else ""
    # Shops write a SIREN in that column too.
    siren = siret[:9] or (draft.siret if is_siren(draft.siret) else "")
    vat_number = compact_vat_number(draft.vat_number)
    return {
        "kind": _kind(draft),
        "first_name": draft.first_name[:80],
        "last_name": draft.last_name[:80],
        "company_name": draft.company[:120],
        "email": email_key(draft.email)[:254],
        "phone": draft.phone[:30],
        "vat_number": vat_number[:20] if is_vat_number(vat_number) else "",
        "stated_vat_number": unproven_vat_number(draft.vat_number),
        "siret": siret,
        "siren": siren,
        "accepts_marketing": draft.accepts_marketing,
        "note": draft.note,
    }


def _insert_customers(fresh: list[tuple[int, CustomerDraft]], at: datetime) -> None:
    if not fresh:
        return
    names = list(_fields(fresh[0][1]))
    insert_rows(
        Customer,
        ["id", "code", "auxiliary_account", "created_at", *names],
        (
            (pk, f"C{pk:06d}", "", draft.created_at or at, *_fields(draft).values())
            for pk, draft in fresh
        ),
    )
    insert_rows(
        CustomerAddress,
        ["customer_id", "use", *_ADDRESS_COLUMNS],
        (
            (pk, CustomerAddress.Use.BILLING.value, *_address_values(draft.address))
            for pk, draft in fresh
            if any(draft.address)
        ),
    )


def _update_customers(changed: dict[int, CustomerDraft]) -> None:
    """Overwrite what the shop says; what it leaves blank stays as staff completed it."""
    customers = list(
        Customer.objects.select_for_update(no_key=True).filter(pk__in=changed).order_by("pk")
    )
    touched: set[str] = set()
    for customer in customers:
        fields = _fields(changed[customer.pk])
        for name, value in fields.items():
            # A number that checks takes the place of what didn't.
            is_settled = name == "stated_vat_number" and fields["vat_number"]
            if (value != "" or is_settled) and getattr(customer, name) != value:
                setattr(customer, name, value)
                touched.add(name)
    if touched:
        Customer.objects.bulk_update(customers, sorted(touched), batch_size=200)
    _write_addresses({pk: draft.address for pk, draft in changed.items()})


_ADDRESS_COLUMNS = ("name", "address1", "address2", "postcode", "city", "country")


def _address_values(address: AddressDraft) -> tuple[str, ...]:
    return (
        address.name[:120],
        address.address1[:120],
        address.address2[:120],
        address.postcode[:16],
        address.city[:80],
        address.country[:2],
    )


def _write_addresses(addresses: dict[int, AddressDraft]) -> None:
    CustomerAddress.objects.bulk_create(
        (
            CustomerAddress(
                customer_id=pk,
                use=CustomerAddress.Use.BILLING,
                **dict(zip(_ADDRESS_COLUMNS, _address_values(address), strict=True)),
            )
            for pk, address in addresses.items()
            if any(address)
        ),
        update_conflicts=True,
        unique_fields=["customer", "use"],
        update_fields=_ADDRESS_COLUMNS,
        batch_size=1000,
    )


def _insert_identities(
    shop: Shop,
    new: Iterable[tuple[str, int, CustomerDraft]],
    source: Source,
    *,
    keep_hash: bool,
) -> None:
    columns = (
        "shop_id external_ref customer_id content_hash source_file source_sha256 source_line"
    ).split()
    rows = [
        (
            shop.pk,
            ref,
            customer_id,
            _content_hash(draft) if keep_hash else "",
            source.file,
            source.sha256,
            draft.line,
        )
        for ref, customer_id, draft in new
    ]
    if rows:
        insert_rows(ShopIdentity, columns, rows)


@transaction.atomic
def add_professional(*, shop: Shop, draft: CustomerDraft, at: datetime) -> Customer:
    """Note a professional who hasn't bought yet; who is known by this e-mail is found, unchanged.

    Raises:
        BusinessRuleError: name or e-mail is missing, or an identifier isn't one.
    """
    if not (draft.company.strip() and "@" in draft.email):
        raise BusinessRuleError(
            _("Donnez la raison sociale et l'adresse e-mail."), code="customer.incomplete"
        )
    number = compact_vat_number(draft.vat_number)
    if number and not is_vat_number(number):
        raise BusinessRuleError(
            _("« %s » n'est pas un numéro de TVA valide.") % draft.vat_number[:20],
            code="customer.vat_number",
        )
    if draft.siret and not (is_siret(draft.siret) or is_siren(draft.siret)):
        raise BusinessRuleError(
            _("« %s » n'est ni un SIREN ni un SIRET.") % draft.siret[:20], code="customer.siret"
        )
    result = upsert_customers(shop=shop, drafts=[draft], source=Source(), at=at, overwrite=False)
    return Customer.objects.get(pk=result.ids[0])


@transaction.atomic
def name_in_shop(*, customer: Customer, shop: Shop) -> str:
    """The shop's key of a customer; one of ours is given to who has none there."""
    known = ShopIdentity.objects.filter(shop=shop, customer=customer).order_by("pk").first()
    if known is None:
        known, _made = ShopIdentity.objects.get_or_create(
            shop=shop, external_ref=f"sphinx:{customer.code}", defaults={"customer": customer}
        )
    return str(known.external_ref)


@transaction.atomic
def absorb_customer(*, keep_id: int, absorb_id: int) -> Customer:
    """Make two customers one: the shops' names of the second now name the first.

    The second row stays, pointing to the first, for the documents issued to it.

    Raises:
        BusinessRuleError: they are the same, or one has been merged already.
    """
    locked = Customer.objects.select_for_update(no_key=True, of=("self",)).order_by("pk")
    both = {c.pk: c for c in locked.filter(pk__in=(keep_id, absorb_id))}
    kept, absorbed = both.get(keep_id), both.get(absorb_id)
    if kept is None or absorbed is None or kept == absorbed:
        raise BusinessRuleError(_("Choisissez deux clients différents."), code="customer.same")
    if kept.merged_into_id or absorbed.merged_into_id:
        raise BusinessRuleError(
            _("L'un des deux a déjà été fusionné : choisissez le client qui reste."),
            code="customer.merged",
        )
    ShopIdentity.objects.filter(customer=absorbed).update(customer=kept)
    Customer.objects.filter(merged_into=absorbed).update(merged_into=kept)
    absorbed.merged_into = kept
    absorbed.save(update_fields=["merged_into"])
    filled = [n for n in _COMPLETED if not getattr(kept, n) and getattr(absorbed, n)]
    for name in filled:
        setattr(kept, name, getattr(absorbed, name))
    if filled:
        kept.save(update_fields=filled)
    return kept


# What the one who stays takes over where it has nothing of its own.
_COMPLETED = (
    "email phone company_name vat_number stated_vat_number siren siret first_name last_name".split()
)


def check_vat_number(*, customer_id: int, at: datetime, actor: Any = None) -> VatCheck:
    """Ask VIES about a customer's VAT number and keep the answer.

    Raises:
        BusinessRuleError: the customer has none.
        TransientError: VIES can't be reached; nothing is kept.
    """
    customer = Customer.objects.get(pk=customer_id)
    number = compact_vat_number(customer.vat_number)
    if not number:
        raise BusinessRuleError(
            _("%s n'a pas de numéro de TVA.") % customer.name, code="customers.no_vat_number"
        )
    # The network first: no transaction waits for it.
    found = ask_vies(number, asker=compact_vat_number(company().vat_number))
    with transaction.atomic():
        kept = VatCheck.objects.create(
            customer=customer,
            vat_number=customer.vat_number,
            checked_at=at,
            is_valid=found.is_valid,
            name=found.name,
            address=found.address,
            consultation=found.consultation,
            answer=found.raw,
        )
        record("customer.vat_checked", [customer], actor=actor, number=number, valid=kept.is_valid)
    return kept
