"""Who the firm's identity provider sends, whether they get in, and with which roles.

Nobody opens an account by themselves: a group that `OIDC_ROLES` maps to a role of ours does it, or
an account that is there already with the same verified e-mail. Roles that the mapping names are
set anew at each log-in; others are left alone. Super-users log in by password.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.db import IntegrityError, transaction
from django.db.models import Q

from sphinx.core.services import record

NAME_CHARS = 100


@dataclass(frozen=True)
class Identity:
    """What a checked ID token says of a person."""

    provider: str
    subject: str
    email: str = ""
    is_verified: bool = False
    username: str = ""
    first_name: str = ""
    last_name: str = ""
    groups: frozenset[str] = field(default_factory=frozenset)
    # Too many groups for a token: which ones is unknown.
    is_partial: bool = False


@dataclass(frozen=True)
class Admission:
    """Who gets in, or the reason why nobody does."""

    user: User | None
    reason: str = ""


def role_pairs(text: str) -> list[tuple[str, str]]:
    """Groups and roles of "group=Role; other=Role"; a group may hold = and commas, as in LDAP.

    Raises:
        ValueError: a part names no group or no role.
    """
    pairs = []
    for part in filter(None, (part.strip() for part in text.split(";"))):
        group, _sign, role = (piece.strip() for piece in part.rpartition("="))
        if not group or not role:
            raise ValueError(part)
        pairs.append((group, role))
    return pairs


def mapped_roles() -> list[tuple[str, str]]:
    """The mapping of the environment; one that can't be read maps nothing."""
    try:
        return role_pairs(settings.OIDC_ROLES)
    except ValueError:
        return []


def admit(who: Identity) -> Admission:
    """Find or make the person's account and set its roles; what is refused is written too.

    A person who comes twice at once has one account: the second finds the first one's.
    """
    try:
        return _admit(who)
    except IntegrityError:
        return _admit(who)


@transaction.atomic
def _admit(who: Identity) -> Admission:
    wanted = _wanted_roles(who)
    linked = SocialAccount.objects.filter(provider=who.provider, uid=who.subject).first()
    user, reason = (_locked(linked.user_id), "") if linked else _by_email(who)
    if reason:
        return _refused(user, reason)
    if user is None:
        if not wanted:
            return _refused(None, "stranger")
        user = _new_account(who)
    if not user.is_active:
        return _refused(user, "inactive")
    if user.is_superuser:
        return _refused(user, "super_user")
    if who.is_partial:
        return _refused(user, "too_many_groups")
    _set_roles(user, wanted)
    if settings.OIDC_ROLES and not user.groups.exists():
        return _refused(user, "no_role")
    if linked is None:
        _link(user, who)
    return Admission(user)


def _wanted_roles(who: Identity) -> list[Group]:
    names = {role for group, role in mapped_roles() if group in who.groups}
    return list(Group.objects.filter(name__in=names))


def _locked(pk: int) -> User:
    return User.objects.select_for_update().get(pk=pk)


def _by_email(who: Identity) -> tuple[User | None, str]:
    """The one account of that e-mail; none that somebody only says is theirs."""
    if not who.email:
        return None, ""
    people = list(User.objects.select_for_update().filter(email__iexact=who.email).order_by("pk"))
    if not people:
        return None, ""
    if not who.is_verified:
        return None, "unverified"
    if len(people) > 1:
        return None, "ambiguous"
    return people[0], ""


def _new_account(who: Identity) -> User:
    user = User(
        username=_free_name(who),
        # An address that nobody vouches for would get links to a new password.
        email=who.email if who.is_verified else "",
        first_name=who.first_name[:NAME_CHARS],
        last_name=who.last_name[:NAME_CHARS],
        is_staff=True,
    )
    user.set_unusable_password()
    user.save()
    record("account.provider_created", [user], actor=user, subject=who.subject)
    return user


def _free_name(who: Identity) -> str:
    """A name that is nobody's name nor e-mail."""
    wish = who.username or who.email or "compte"
    stem = re.sub(r"[^\w.+-]", "", wish.partition("@")[0])[:NAME_CHARS] or "compte"
    name, number = stem, 1
    while User.objects.filter(Q(username__iexact=name) | Q(email__iexact=name)).exists():
        number += 1
        name = f"{stem}{number}"
    return name


def _link(user: User, who: Identity) -> None:
    """This person of the provider's, and no other any more, opens the account."""
    SocialAccount.objects.filter(provider=who.provider, user=user).delete()
    SocialAccount.objects.create(provider=who.provider, uid=who.subject, user=user)
    record("account.provider_linked", [user], actor=user, subject=who.subject)


def _set_roles(user: User, wanted: list[Group]) -> None:
    """Give the mapped roles that the groups say, take the mapped ones that they don't."""
    ours = {role for _group, role in mapped_roles()}
    held = set(user.groups.all())
    given = set(wanted) - held
    taken = {group for group in held if group.name in ours} - set(wanted)
    if not given and not taken:
        return
    user.groups.add(*given)
    user.groups.remove(*taken)
    changes = {"given": _names(given), "taken": _names(taken)}
    record("account.provider_roles", [user], actor=user, **changes)


def _names(groups: set[Group]) -> list[str]:
    return sorted(group.name for group in groups)


def _refused(user: User | None, reason: str) -> Admission:
    """Strangers too: who comes here has an account at the firm's provider."""
    record("account.provider_refused", [user or User(username="?")], reason=reason)
    return Admission(None, reason)


def identity(claims: dict[str, Any], provider: str) -> Identity:
    """What the claims of a checked ID token say."""
    overflow = claims.get("_claim_names")
    name = settings.OIDC_GROUPS_CLAIM
    return Identity(
        provider=provider,
        subject=str(claims["sub"]),
        email=_text(claims, "email"),
        is_verified=settings.OIDC_TRUST_EMAIL or claims.get("email_verified") in (True, "true"),
        username=_text(claims, "preferred_username"),
        first_name=_text(claims, "given_name"),
        last_name=_text(claims, "family_name"),
        groups=frozenset(_groups(claims, name)),
        is_partial=isinstance(overflow, dict) and name in overflow,
    )


def _text(claims: dict[str, Any], name: str) -> str:
    value = claims.get(name)
    return value.strip()[:254] if isinstance(value, str) and "\0" not in value else ""


def _groups(claims: dict[str, Any], name: str) -> list[str]:
    """The claim of that name, or of that path (realm_access.roles)."""
    value: Any = claims.get(name)
    if value is None:
        value = claims
        for step in name.split("."):
            value = value.get(step) if isinstance(value, dict) else None
    if isinstance(value, str):
        return [value]
    return [group for group in value if isinstance(group, str)] if isinstance(value, list) else []
