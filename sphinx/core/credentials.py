"""Passwords and keys of servers: encrypted at rest (Fernet), written and used, never shown."""

import base64
import hashlib
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.utils.translation import gettext as _

from sphinx.core.errors import ServerRejected


def _box() -> MultiFernet:
    """The newest key encrypts, every key decrypts: keys rotate by adding one in front."""
    keys = settings.CREDENTIAL_KEYS or [
        base64.urlsafe_b64encode(
            hashlib.sha256(b"sphinx feed credentials" + settings.SECRET_KEY.encode()).digest()
        )
    ]
    return MultiFernet([Fernet(key) for key in keys])


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
    row.save(update_fields=["password_encrypted", "private_key_encrypted"])
