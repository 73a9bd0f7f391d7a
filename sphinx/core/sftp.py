"""SFTP by paramiko, for feeds and for the accountant: the host's key must be the one kept here."""

import base64
import binascii
import errno
import hashlib
import io
import posixpath
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import paramiko
from django.utils.translation import gettext as _

from sphinx.core.errors import ServerRejected, ServerUnreachable

SSH_PORT = 22
TIMEOUT_SECONDS = 30
TRANSFER_ERRORS = (OSError, EOFError, paramiko.SSHException)
_KEY_CLASSES = (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey)


class Account(NamedTuple):
    """Where to log in; secrets in clear, `host_key` as `ssh-ed25519 AAAA…`."""

    host: str
    port: int
    username: str
    password: str
    private_key: str
    host_key: str


def connect(account: Account) -> tuple[paramiko.SSHClient, paramiko.SFTPClient]:
    """Log in and open SFTP; who calls closes the client.

    Raises:
        ServerRejected: host key, log-in or encryption don't fit.
        ServerUnreachable: it doesn't answer.
    """
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(paramiko.RejectPolicy())
    name = account.host if account.port == SSH_PORT else f"[{account.host}]:{account.port}"
    key = _host_key(account.host_key)
    client.get_host_keys().add(name, key.get_name(), key)
    try:
        _log_in(client, account)
        sftp = client.open_sftp()
        channel = sftp.get_channel()
        if channel is not None:
            channel.settimeout(TIMEOUT_SECONDS)
    except BaseException as error:
        client.close()
        if isinstance(error, TRANSFER_ERRORS):
            raise _refusal(account, error) from error
        raise
    return client, sftp


def _log_in(client: paramiko.SSHClient, account: Account) -> None:
    client.connect(
        account.host,
        port=account.port,
        username=account.username,
        password=account.password or None,
        pkey=_private_key(account.private_key),
        look_for_keys=False,
        allow_agent=False,
        timeout=TIMEOUT_SECONDS,
        banner_timeout=TIMEOUT_SECONDS,
        auth_timeout=TIMEOUT_SECONDS,
    )


def _refusal(account: Account, error: Exception) -> ServerRejected | ServerUnreachable:
    """What went wrong at log-in, in words."""
    host = {"host": account.host}
    if isinstance(error, paramiko.BadHostKeyException):
        return ServerRejected(
            _(
                "La clé du serveur %(host)s a changé : quelqu'un doit vérifier auprès de "
                "l'hébergeur avant de l'accepter (clé présentée : %(key)s)."
            )
            % {**host, "key": key_text(error.key)},
            code="server.host_key_changed",
        )
    if isinstance(error, paramiko.AuthenticationException):
        return ServerRejected(
            _("%(host)s refuse le mot de passe ou la clé de « %(user)s ».")
            % {**host, "user": account.username},
            code="server.bad_login",
        )
    if isinstance(error, paramiko.ssh_exception.IncompatiblePeer):
        return ServerRejected(
            _(
                "Le serveur %(host)s n'offre ni la clé retenue ni un chiffrement accepté "
                "(%(reason)s). Vérifiez la clé d'hôte auprès de l'hébergeur, ou demandez-lui "
                "de mettre son serveur à jour."
            )
            % {**host, "reason": error},
            code="server.incompatible",
        )
    if isinstance(error, paramiko.SSHException) and "not found in known_hosts" in str(error):
        return ServerRejected(
            _("Le serveur %(host)s présente une autre sorte de clé que celle retenue.") % host,
            code="server.host_key_unknown",
        )
    return failed(account.host, error)


def failed(host: str, error: Exception) -> ServerUnreachable:
    """What a failed transfer is: our disk being full, a slow server, a silent one."""
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return ServerUnreachable(
            _("Disque plein ici : rien n'a été gardé, le fichier sera relevé plus tard."),
            code="server.disk_full",
        )
    slow = isinstance(error, TimeoutError)
    reason = _("pas de réponse à temps") if slow else str(error) or type(error).__name__
    return ServerUnreachable(
        _("%(host)s : connexion impossible ou coupée (%(reason)s).")
        % {"host": host, "reason": reason}
    )


def put_whole(
    sftp: paramiko.SFTPClient,
    source: Path,
    target: str,
    progress: Callable[[int, int], object] | None = None,
) -> None:
    """Leave a file there, whole at once: written aside, then renamed over what has its name."""
    folder, name = posixpath.split(target)
    aside = posixpath.join(folder, f".{name}.part")
    sftp.put(str(source), aside, callback=progress)
    sftp.posix_rename(aside, target)


def presented_key(host: str, port: int) -> paramiko.PKey:
    """The host key that a server presents, before any log-in.

    Raises:
        ServerUnreachable: it doesn't answer, or speaks something else.
    """
    try:
        with socket.create_connection((host, port), timeout=TIMEOUT_SECONDS) as connection:
            connection.settimeout(TIMEOUT_SECONDS)
            transport = paramiko.Transport(connection)
            try:
                transport.start_client(timeout=TIMEOUT_SECONDS)
                return transport.get_remote_server_key()
            finally:
                transport.close()
    except (OSError, EOFError, paramiko.SSHException) as error:
        raise ServerUnreachable(
            _("%(host)s : connexion impossible ou coupée (%(reason)s).")
            % {"host": host, "reason": str(error) or type(error).__name__}
        ) from error


def fingerprint(key: paramiko.PKey) -> str:
    """The key's SHA-256, as ssh-keygen -l and hosting firms write it."""
    digest = hashlib.sha256(key.asbytes()).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def key_text(key: paramiko.PKey) -> str:
    """The key as it is kept."""
    return f"{key.get_name()} {key.get_base64()}"


def _host_key(text: str) -> paramiko.PKey:
    parts = text.split()
    try:
        return paramiko.PKey.from_type_string(parts[0], base64.b64decode(parts[1]))
    except (
        IndexError,
        ValueError,
        binascii.Error,
        paramiko.SSHException,
        paramiko.pkey.UnknownKeyType,
    ) as error:
        raise ServerRejected(
            _(
                "La clé d'hôte manque ou est illisible. Demandez-la à l'hébergeur, ou : "
                "ssh-keyscan -p PORT SERVEUR. Forme attendue : ssh-ed25519 AAAA…"
            ),
            code="server.no_host_key",
        ) from error


def _private_key(text: str) -> paramiko.PKey | None:
    if not text:
        return None
    for key_class in _KEY_CLASSES:
        with suppress(paramiko.SSHException, ValueError):
            return key_class.from_private_key(io.StringIO(text))
    raise ServerRejected(
        _("La clé privée est illisible : collez une clé OpenSSH sans phrase secrète."),
        code="server.bad_private_key",
    )
