"""A new installation is told who it is without a browser: firm, owner, shops, warehouses, platform.

Values come as one document of parts (JSON), each a field by its name. What is said twice is said
once: a row is found by its code, and only what differs is written.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.auth.models import Group, User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _

from inventory.models import Warehouse
from invoicing.models import PlatformSettings
from sphinx.core.errors import InputError
from sphinx.core.models import Company, Shop
from sphinx.core.services import company, record

OWNERS = "Gérant"
# Fields of each part that a document may give.
FIELDS: Mapping[type[models.Model], tuple[str, ...]] = {
    Company: (
        *("name", "legal_form", "share_capital", "siren", "siret", "vat_number", "trade_register"),
        *("address1", "address2", "postcode", "city", "country", "email", "phone", "iban"),
        *("is_tax_exempt", "uses_oss", "taxes_on_debits", "payment_terms_days"),
        *("fiscal_year_end_month", "stock_alert_emails", "weekly_report_emails"),
    ),
    Shop: ("code", "name", "dialect", "url", "currency", "untaxed_rate", "history_until"),
    Warehouse: ("code", "name"),
    PlatformSettings: (
        *("adapter", "is_active", "starts_on", "platform_id", "platform_name", "report_every"),
    ),
}
_PARTS = ("company", "owner", "shop", "shops", "warehouse", "warehouses", "platform")
_OF_OWNER = {"username", "email", "password"}
_LAW = ("name", "siren", "address1", "postcode", "city", "vat_number")


@transaction.atomic
def set_up(document: Mapping[str, Any]) -> list[str]:
    """Write what differs, all or nothing; returns what was, as part.field.

    Raises:
        InputError: a part or field that isn't one, or a value that can't be.
    """
    _only(document, _PARTS, "")
    changed = _fill("company", company(), document.get("company", {}))
    changed += _owner(document.get("owner", {}))
    for part, model in (("shop", Shop), ("warehouse", Warehouse)):
        for values in _several(document, part):
            changed += _coded(part, model, values)
    if "platform" in document:
        row, _created = PlatformSettings.objects.get_or_create(pk=1)
        changed += _fill("platform", row, document["platform"])
    if changed:
        record("firm.set_up", [company()], fields=changed)
    return changed


def told() -> dict[str, Any]:
    """What is set, and what is missing before the first invoice."""
    firm = company()
    owner = User.objects.filter(groups__name=OWNERS, is_active=True).order_by("pk").first()
    owner = owner or User.objects.filter(is_superuser=True, is_active=True).order_by("pk").first()
    return {
        "company": _values(firm),
        "owner": owner.username if owner else None,
        "shops": [_values(shop) for shop in Shop.objects.order_by("code")],
        "warehouses": [_values(row) for row in Warehouse.objects.order_by("code")],
        "platform": _values(PlatformSettings.objects.filter(pk=1).first() or PlatformSettings()),
        "missing": list(_missing(firm, owner)),
    }


def _missing(firm: Company, owner: User | None) -> Iterable[str]:
    for name in _LAW:
        if name == "vat_number" and firm.is_tax_exempt:
            continue
        if not getattr(firm, name) or (name == "name" and firm.name == _("Société à compléter")):
            yield f"company.{name}"
    if owner is None:
        yield "owner"
    if not Shop.objects.exists():
        yield "shop"
    if not Warehouse.objects.exists():
        yield "warehouse"


def _values(row: models.Model) -> dict[str, Any]:
    found = {name: getattr(row, name) for name in FIELDS[type(row)]}
    return {k: v if isinstance(v, bool | int | None) else str(v) for k, v in found.items()}


def _several(document: Mapping[str, Any], part: str) -> list[Mapping[str, Any]]:
    one, many = document.get(part), document.get(f"{part}s", [])
    if not isinstance(many, list):
        raise InputError(_("« %s » est une liste.") % f"{part}s", code="setup.not_a_list")
    return [*([one] if one is not None else []), *many]


def _coded(part: str, model: type[models.Model], values: Mapping[str, Any]) -> list[str]:
    _only(values, FIELDS[model], part)
    code = str(values.get("code", ""))
    row = model._default_manager.filter(code=code).first() if code else None
    if row is None:
        row = model(code=code, name=values.get("name") or code)
        if isinstance(row, Warehouse) and not Warehouse.objects.filter(is_default=True).exists():
            row.is_default = True
        return _fill(part, row, values) or [f"{part}.code"]
    return _fill(part, row, values)


def _fill(part: str, row: models.Model, values: Mapping[str, Any]) -> list[str]:
    """Write the fields that differ, if they may be; returns them."""
    _only(values, FIELDS[type(row)], part)
    changed = []
    try:
        for name, given in values.items():
            value = row._meta.get_field(name).to_python(_plain(given))  # type: ignore[union-attr]
            if getattr(row, name) != value or row.pk is None:
                setattr(row, name, value)
                changed.append(f"{part}.{name}")
        if changed:
            row.full_clean()
            row.save()
    except ValidationError as error:
        raise InputError(
            f"{part} : " + " ".join(_sentences(error)), code="setup.refused"
        ) from error
    return changed


def _plain(given: Any) -> Any:
    """Words of a command's line are texts: true and false are what they say."""
    return {"true": True, "false": False}.get(given, given) if isinstance(given, str) else given


def _sentences(error: ValidationError) -> Iterable[str]:
    if not hasattr(error, "error_dict"):
        return error.messages
    return [f"{name} : {' '.join(said)}" for name, said in error.message_dict.items()]


def _owner(values: Mapping[str, Any]) -> list[str]:
    """The first owner; who is there keeps the password that he has."""
    if not values:
        return []
    _only(values, _OF_OWNER, "owner")
    username = str(values.get("username") or values.get("email") or "")
    if not username:
        raise InputError(_("owner : donnez username ou email."), code="setup.refused")
    user = User.objects.filter(username=username).first()
    changed = []
    if user is None:
        user = User(username=username, email=values.get("email", ""), is_staff=True)
        password = str(values.get("password", ""))
        try:
            validate_password(password, user)
            user.set_password(password)
            user.full_clean()
        except ValidationError as error:
            raise InputError(
                "owner.password : " + " ".join(_sentences(error)), code="setup.refused"
            ) from error
        user.save()
        changed.append("owner.username")
    elif values.get("email") and user.email != values["email"]:
        user.email = values["email"]
        user.save(update_fields=["email"])
        changed.append("owner.email")
    group = Group.objects.get(name=OWNERS)
    if not user.groups.filter(pk=group.pk).exists():
        user.groups.add(group)
        changed.append("owner.role")
    return changed


def _only(values: Any, allowed: Iterable[str], part: str) -> None:
    if not isinstance(values, Mapping):
        raise InputError(_("« %s » est un objet de champs.") % part, code="setup.not_an_object")
    for name in values:
        if name not in allowed:
            raise InputError(
                _("« %(name)s » n'est pas un réglage ; ceux de %(part)s : %(allowed)s.")
                % {
                    "name": ".".join(filter(None, (part, name))),
                    "part": part or "setup",
                    "allowed": ", ".join(sorted(allowed)),
                },
                code="setup.unknown",
            )
