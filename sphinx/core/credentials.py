"""Passwords and keys of servers: encrypted at rest (Fernet), written and used, never shown."""

import base64
import hashlib
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.apps import apps
from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from sphinx.core.errors import ServerRejected

_SEALED = ("password_encrypted", "private_key_encrypted")


def _box() -> MultiFernet:
    """The newest key encrypts, every key decrypts: keys rotate by adding one in front.

    What was sealed before there were keys, or under an earlier SECRET_KEY, is read until
    `rotate_keys` has sealed it anew: so the derived keys stay, behind the given ones.
    """
    derived = (_derived(key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))
    return MultiFernet([Fernet(key) for key in (*settings.CREDENTIAL_KEYS, *derived)])


def _derived(secret_key: str) -> bytes:
    digest = hashlib.sha256(b"sphinx feed credentials" + secret_key.encode()).digest()
    return base64.urlsafe_b64encode(digest)


def seal(secret: str) -> str:
    """The secret as it is kept."""
    return _box().encrypt(secret.encode()).decode()


def reveal(sealed: str) -> str:
    """The secret in clear, for the moment of a log-in; "" stays "".

    Raises:
        ServerRejected: it was encrypted with a key that is no longer there.
    """
    if not sealed:
        return ""
    try:
        return _box().decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise ServerRejected(
            _("Le mot de passe ne peut plus être déchiffré (clé changée) : ressaisissez-le."),
            code="server.unreadable_secret",
        ) from error


def set_credentials(row: Any, *, password: str = "", private_key: str = "") -> None:
    """Keep what is given in the row that has them, encrypted; a blank leaves what is there."""
    if password:
        row.password_encrypted = seal(password)
    if private_key:
        row.private_key_encrypted = seal(private_key)
    row.save(update_fields=list(_SEALED))


@transaction.atomic
def reseal_all() -> tuple[int, list[str]]:
    """Encrypt every kept secret with the newest key; how many, and which can't be read any more.

    After it the old keys can go. Twice is once.
    """
    resealed, unreadable = 0, []
    for model in apps.get_models():
        names = [f.name for f in model._meta.fields if f.name in _SEALED]
        if not names:
            continue
        for row in model._default_manager.select_for_update(no_key=True).order_by("pk"):
            for name in names:
                try:
                    secret = reveal(getattr(row, name))
                except ServerRejected:
                    unreadable.append(f"{row._meta.verbose_name} {row}")
                    continue
                if secret:
                    setattr(row, name, seal(secret))
                    resealed += 1
            row.save(update_fields=names)
    return resealed, unreadable
