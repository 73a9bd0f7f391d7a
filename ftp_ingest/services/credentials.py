"""Feed passwords and keys: encrypted at rest (Fernet), written and used, never shown."""

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.utils.translation import gettext as _

from ftp_ingest.errors import FeedRejected
from ftp_ingest.models import Feed


def _box() -> MultiFernet:
    """The newest key encrypts, every key decrypts: keys rotate by adding one in front."""
    keys = settings.CREDENTIAL_KEYS or [
        base64.urlsafe_b64encode(
            hashlib.sha256(b"sphinx feed credentials" + settings.SECRET_KEY.encode()).digest()
        )
    ]
    return MultiFernet([Fernet(key) for key in keys])


def set_credentials(feed: Feed, *, password: str = "", private_key: str = "") -> None:
    """Keep what is given, encrypted; a blank leaves what is there."""
    if password:
        feed.password_encrypted = _box().encrypt(password.encode()).decode()
    if private_key:
        feed.private_key_encrypted = _box().encrypt(private_key.encode()).decode()
    feed.save(update_fields=["password_encrypted", "private_key_encrypted"])


def reveal(encrypted: str) -> str:
    """The secret in clear, for the moment of a log-in; "" stays "".

    Raises:
        FeedRejected: it was encrypted with a key that is no longer there.
    """
    if not encrypted:
        return ""
    try:
        return _box().decrypt(encrypted.encode()).decode()
    except InvalidToken as error:
        raise FeedRejected(
            _(
                "Le mot de passe du flux ne peut plus être déchiffré (clé changée) : "
                "ressaisissez-le."
            ),
            code="feed.unreadable_secret",
        ) from error
