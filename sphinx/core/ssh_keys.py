"""SSH keys as people paste them: host keys in any of their forms, private keys of any format."""

import base64
import binascii
import io
from itertools import pairwise
from typing import Any

import paramiko
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from django.utils.translation import gettext as _

from sphinx.core.errors import ServerRejected

_CLASSES: dict[type, type[paramiko.PKey]] = {
    ed25519.Ed25519PrivateKey: paramiko.Ed25519Key,
    ec.EllipticCurvePrivateKey: paramiko.ECDSAKey,
    rsa.RSAPrivateKey: paramiko.RSAKey,
}


def parse_host_keys(text: str) -> list[paramiko.PKey]:
    """Every host key of a text: `ssh-ed25519 AAAA…`, with or without what stands around it (a
    comment after it, ssh-keyscan's host before it, its lines that begin with #).

    Raises:
        ServerRejected: there is none.
    """
    keys = [
        key
        for line in text.splitlines()
        if not line.lstrip().startswith("#") and (key := _host_key(line.split())) is not None
    ]
    if not keys:
        raise ServerRejected(
            _(
                "La clé d'hôte manque ou est illisible. Demandez-la à l'hébergeur, ou : "
                "ssh-keyscan -p PORT SERVEUR. Forme attendue : ssh-ed25519 AAAA…"
            ),
            code="server.no_host_key",
        )
    return keys


def _host_key(words: list[str]) -> paramiko.PKey | None:
    """The key among the words of a line: its kind, then its bytes."""
    for kind, data in pairwise(words):
        try:
            return paramiko.PKey.from_type_string(kind, base64.b64decode(data, validate=True))
        except (
            ValueError,
            binascii.Error,
            paramiko.SSHException,
            paramiko.pkey.UnknownKeyType,
        ):
            continue
    return None


def parse_private_key(text: str, passphrase: str = "") -> paramiko.PKey:
    """A private key in PEM (PKCS#1, PKCS#8, EC) or OpenSSH's format.

    Raises:
        ServerRejected: it can't be read; the sentence says why.
    """
    return _as_paramiko(_load(text, passphrase))


def without_passphrase(text: str, passphrase: str = "") -> str:
    """The private key as it is kept: in OpenSSH's format, read once and found good.

    Raises:
        ServerRejected: see parse_private_key.
    """
    key = _load(text, passphrase)
    _as_paramiko(key)
    return _openssh(key)


def _load(text: str, passphrase: str) -> Any:
    # Pasted from a page, lines come with blanks around them.
    lines = "\n".join(line.strip() for line in text.strip().splitlines()) + "\n"
    is_openssh = lines.startswith("-----BEGIN OPENSSH PRIVATE KEY-----")
    load: Any = (
        serialization.load_ssh_private_key if is_openssh else serialization.load_pem_private_key
    )
    secret = passphrase.encode() or None
    try:
        return load(lines.encode(), secret)
    except TypeError as error:
        if secret is not None:
            # The key has none: what was typed isn't needed.
            return _load(text, "")
        raise _refused_locked() from error
    except (ValueError, UnsupportedAlgorithm) as error:
        if _is_locked(lines) and secret is None:
            raise _refused_locked() from error
        if _is_locked(lines):
            raise ServerRejected(
                _("La phrase secrète n'ouvre pas cette clé privée."),
                code="server.bad_passphrase",
            ) from error
        raise _unreadable(lines) from error


def _is_locked(lines: str) -> bool:
    """True for a key under a passphrase, as far as its text tells."""
    if "ENCRYPTED" in lines:
        return True
    body = "".join(line for line in lines.splitlines() if not line.startswith("-----"))
    try:
        # OpenSSH's format names its key derivation, "none" or "bcrypt", near the beginning.
        return b"bcrypt" in base64.b64decode(body)[:60]
    except (ValueError, binascii.Error):
        return False


def _refused_locked() -> ServerRejected:
    return ServerRejected(
        _("La clé privée est protégée : donnez aussi sa phrase secrète en la collant."),
        code="server.locked_private_key",
    )


def _unreadable(lines: str) -> ServerRejected:
    if lines.startswith("PuTTY-User-Key-File"):
        text = _(
            "Cette clé privée est au format de PuTTY : exportez-la de PuTTYgen au format OpenSSH "
            "(Conversions › Export OpenSSH key)."
        )
    elif lines.startswith(("ssh-", "ecdsa-", "---- BEGIN SSH2 PUBLIC", "-----BEGIN PUBLIC")):
        text = _("C'est la clé publique : collez ici la clé privée, qui va avec.")
    else:
        text = _(
            "La clé privée est illisible : collez-la entière, de « -----BEGIN » à « -----END »."
        )
    return ServerRejected(text, code="server.bad_private_key")


def _openssh(key: Any) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.OpenSSH,
        serialization.NoEncryption(),
    ).decode()


def _as_paramiko(key: Any) -> paramiko.PKey:
    for kind, chosen in _CLASSES.items():
        if isinstance(key, kind):
            return chosen.from_private_key(io.StringIO(_openssh(key)))
    raise ServerRejected(
        _("Cette sorte de clé privée n'est plus acceptée : prenez Ed25519, ECDSA ou RSA."),
        code="server.bad_private_key",
    )
