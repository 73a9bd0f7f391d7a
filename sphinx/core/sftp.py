"""SFTP by paramiko, for feeds and for the accountant: the host's key must be the one kept here."""

import base64
import errno
import hashlib
import posixpath
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import paramiko
from django.utils.translation import gettext as _
from paramiko.sftp import (
    CMD_CLOSE,
    CMD_HANDLE,
    CMD_NAME,
    CMD_OPENDIR,
    CMD_READDIR,
    SFTP_EOF,
    SFTP_NO_SUCH_FILE,
    SFTP_OK,
    SFTP_PERMISSION_DENIED,
)

from sphinx.core.errors import ServerRejected, ServerUnreachable
from sphinx.core.ssh_keys import parse_host_keys, parse_private_key
from sphinx.core.texts import visible

SSH_PORT = 22
TIMEOUT_SECONDS = 30
# From the first byte to an open SFTP session, however a server drips them.
LOGIN_SECONDS = 60
# What paramiko raises; a UnicodeError where a server's own words aren't UTF-8.
TRANSFER_ERRORS = (OSError, EOFError, paramiko.SSHException, UnicodeError)


class Account(NamedTuple):
    """Where to log in; secrets in clear, `host_key` as `ssh-ed25519 AAAA…`."""

    host: str
    port: int
    username: str
    password: str
    private_key: str
    host_key: str


class SftpSession(paramiko.SFTPClient):
    """Paramiko's client for servers as they are: names and messages are bytes, UTF-8 or not."""

    def list_raw(self, path: str | bytes) -> Iterator[tuple[bytes, paramiko.SFTPAttributes]]:
        """Each entry of a folder, its name as bytes, as they come."""
        kind, answer = self._request(CMD_OPENDIR, path)
        if kind != CMD_HANDLE:
            raise paramiko.SFTPError("Expected handle")
        handle = answer.get_string()
        while True:
            try:
                kind, answer = self._request(CMD_READDIR, handle)
            except EOFError:
                break
            if kind != CMD_NAME:
                raise paramiko.SFTPError("Expected name response")
            for _n in range(answer.get_int()):
                name, _long = answer.get_string(), answer.get_string()
                attributes = paramiko.SFTPAttributes._from_msg(answer)
                if name not in (b".", b".."):
                    yield name, attributes
        self._request(CMD_CLOSE, handle)

    def _convert_status(self, msg: paramiko.Message) -> None:
        code, text = msg.get_int(), visible(msg.get_string().decode("utf-8", "surrogateescape"))
        if code == SFTP_OK:
            return
        if code == SFTP_EOF:
            raise EOFError(text)
        known = {SFTP_NO_SUCH_FILE: errno.ENOENT, SFTP_PERMISSION_DENIED: errno.EACCES}
        raise OSError(known[code], text) if code in known else OSError(text)


@contextmanager
def limited(client: paramiko.SSHClient, seconds: float) -> Iterator[threading.Event]:
    """Close the client when the time is up, whatever it waits for; the event says so then."""
    is_over = threading.Event()

    def end() -> None:
        is_over.set()
        client.close()

    timer = threading.Timer(max(seconds, 0), end)
    timer.daemon = True
    timer.start()
    try:
        yield is_over
    finally:
        timer.cancel()


def connect(account: Account) -> tuple[paramiko.SSHClient, SftpSession]:
    """Log in and open SFTP; who calls closes the client.

    Raises:
        ServerRejected: host key, log-in or encryption don't fit.
        ServerUnreachable: it doesn't answer.
    """
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(paramiko.RejectPolicy())
    name = account.host if account.port == SSH_PORT else f"[{account.host}]:{account.port}"
    for key in parse_host_keys(account.host_key):
        client.get_host_keys().add(name, key.get_name(), key)
    with limited(client, LOGIN_SECONDS) as is_over:
        try:
            _log_in(client, account)
            return client, _open(client)
        except BaseException as error:
            client.close()
            if is_over.is_set():
                raise failed(account.host, TimeoutError()) from error
            if isinstance(error, TRANSFER_ERRORS):
                raise _refusal(account, error) from error
            raise


def _open(client: paramiko.SSHClient) -> SftpSession:
    transport: Any = client.get_transport()
    session = SftpSession.from_transport(transport)
    channel = session.get_channel() if session is not None else None
    if session is None or channel is None:
        raise EOFError
    channel.settimeout(TIMEOUT_SECONDS)
    return session


def _log_in(client: paramiko.SSHClient, account: Account) -> None:
    client.connect(
        account.host,
        port=account.port,
        username=account.username,
        password=account.password or None,
        pkey=parse_private_key(account.private_key) if account.private_key else None,
        look_for_keys=False,
        allow_agent=False,
        timeout=TIMEOUT_SECONDS,
        banner_timeout=TIMEOUT_SECONDS,
        auth_timeout=TIMEOUT_SECONDS,
        channel_timeout=TIMEOUT_SECONDS,
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
    if isinstance(error, paramiko.AuthenticationException) and "timeout" in str(error).lower():
        return failed(account.host, TimeoutError())
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
            % {**host, "reason": visible(str(error))},
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
    text = visible(str(error)) or type(error).__name__
    reason = _("pas de réponse à temps") if slow else text
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
        ServerRejected: it has no cipher that is accepted here.
    """
    try:
        with socket.create_connection((host, port), timeout=TIMEOUT_SECONDS) as connection:
            connection.settimeout(TIMEOUT_SECONDS)
            transport = paramiko.Transport(connection)
            try:
                transport.start_client(timeout=TIMEOUT_SECONDS)
                if not transport.initial_kex_done:
                    raise TimeoutError
                return transport.get_remote_server_key()
            finally:
                transport.close()
    except paramiko.ssh_exception.IncompatiblePeer as error:
        raise ServerRejected(
            _(
                "Le serveur %(host)s n'offre aucun chiffrement accepté (%(reason)s). Demandez à "
                "l'hébergeur de mettre son serveur à jour."
            )
            % {"host": host, "reason": visible(str(error))},
            code="server.incompatible",
        ) from error
    except TRANSFER_ERRORS as error:
        raise failed(host, error) from error


def fingerprint(key: paramiko.PKey) -> str:
    """The key's SHA-256, as ssh-keygen -l and hosting firms write it."""
    digest = hashlib.sha256(key.asbytes()).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def key_text(key: paramiko.PKey) -> str:
    """The key as it is kept."""
    return f"{key.get_name()} {key.get_base64()}"
