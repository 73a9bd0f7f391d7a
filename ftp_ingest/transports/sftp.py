"""SFTP by paramiko: the host's key must be the one written in the feed."""

import base64
import binascii
import hashlib
import io
import posixpath
import socket
import stat
from contextlib import suppress
from pathlib import Path

import paramiko
from django.utils.translation import gettext as _

from ftp_ingest.errors import FeedRejected, FeedUnreachable
from ftp_ingest.transports.base import (
    DONE_FOLDER,
    MAX_DEPTH,
    TIMEOUT_SECONDS,
    RemoteFile,
    Transport,
    is_safe,
)

SSH_PORT = 22
_KEY_CLASSES = (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey)


class SftpTransport(Transport):
    def connect(self) -> None:
        feed = self.feed
        self._client = paramiko.SSHClient()
        self._client.set_missing_host_key_policy(paramiko.RejectPolicy())
        port = feed.port or SSH_PORT
        name = feed.host if port == SSH_PORT else f"[{feed.host}]:{port}"
        key = _host_key(feed.host_key)
        self._client.get_host_keys().add(name, key.get_name(), key)
        try:
            self._client.connect(
                feed.host,
                port=port,
                username=feed.username,
                password=self.password or None,
                pkey=_private_key(self.private_key),
                look_for_keys=False,
                allow_agent=False,
                timeout=TIMEOUT_SECONDS,
                banner_timeout=TIMEOUT_SECONDS,
                auth_timeout=TIMEOUT_SECONDS,
            )
            self._sftp = self._client.open_sftp()
            channel = self._sftp.get_channel()
            if channel is not None:
                channel.settimeout(TIMEOUT_SECONDS)
        except paramiko.BadHostKeyException as error:
            raise FeedRejected(
                _(
                    "La clé du serveur %(host)s a changé : quelqu'un doit vérifier auprès de "
                    "l'hébergeur avant de l'accepter (clé présentée : %(key)s)."
                )
                % {"host": feed.host, "key": f"{error.key.get_name()} {error.key.get_base64()}"},
                code="feed.host_key_changed",
            ) from error
        except paramiko.AuthenticationException as error:
            raise FeedRejected(
                _("%(host)s refuse le mot de passe ou la clé de « %(user)s ».")
                % {"host": feed.host, "user": feed.username},
                code="feed.bad_login",
            ) from error
        except paramiko.ssh_exception.IncompatiblePeer as error:
            raise FeedRejected(
                _(
                    "Le serveur %(host)s n'offre ni la clé du flux ni un chiffrement accepté "
                    "(%(reason)s). Vérifiez la clé d'hôte auprès de l'hébergeur, ou demandez-lui "
                    "de mettre son serveur à jour."
                )
                % {"host": feed.host, "reason": error},
                code="feed.incompatible",
            ) from error
        except paramiko.SSHException as error:
            if "not found in known_hosts" in str(error):
                raise FeedRejected(
                    _("Le serveur %(host)s présente une autre sorte de clé que celle du flux.")
                    % {"host": feed.host},
                    code="feed.host_key_unknown",
                ) from error
            raise self.failed(error) from error
        except (OSError, EOFError) as error:
            raise self.failed(error) from error

    def close(self) -> None:
        with suppress(Exception):
            self._client.close()

    def _path(self, name: str) -> str:
        return posixpath.join(self.feed.directory or ".", name)

    def list_files(self) -> list[RemoteFile]:
        return self._list("", MAX_DEPTH if self.feed.subfolders else 0)

    def _list(self, below: str, depth: int) -> list[RemoteFile]:
        try:
            found = self._sftp.listdir_attr(self._path(below) if below else self._path("."))
        except FileNotFoundError as error:
            raise FeedRejected(
                _("Le dossier « %s » n'existe pas sur le serveur.") % self.feed.directory,
                code="feed.no_folder",
            ) from error
        except PermissionError as error:
            raise FeedRejected(
                _("Le dossier « %s » est interdit à cet utilisateur.") % self.feed.directory,
                code="feed.no_permission",
            ) from error
        except (OSError, EOFError, paramiko.SSHException) as error:
            raise self.failed(error) from error
        files = []
        for entry in sorted(found, key=lambda entry: entry.filename):
            name = posixpath.join(below, entry.filename) if below else entry.filename
            if entry.st_mode is None or stat.S_ISREG(entry.st_mode):
                files.append(RemoteFile(name, entry.st_size, str(entry.st_mtime or 0)))
            elif depth and stat.S_ISDIR(entry.st_mode) and self._is_entered(name):
                files += self._list(name, depth - 1)
        return files

    @staticmethod
    def _is_entered(name: str) -> bool:
        return is_safe(name) and posixpath.basename(name) != DONE_FOLDER

    def fetch(self, file: RemoteFile, target: Path) -> None:
        try:
            self._sftp.get(self._path(file.name), str(target), callback=self.check_time)
        except (OSError, EOFError, paramiko.SSHException) as error:
            raise self.failed(error) from error

    def put_away(self, file: RemoteFile) -> None:
        done = self._path(DONE_FOLDER)
        with suppress(OSError):
            self._sftp.mkdir(done)
        base = posixpath.basename(file.name)
        self._sftp.posix_rename(self._path(file.name), posixpath.join(done, base))

    def delete(self, file: RemoteFile) -> None:
        self._sftp.remove(self._path(file.name))

    def put(self, source: Path, name: str) -> None:
        aside = self._path(f".{name}.part")
        try:
            self._sftp.put(str(source), aside, callback=self.check_time)
            self._sftp.posix_rename(aside, self._path(name))
        except (OSError, EOFError, paramiko.SSHException) as error:
            raise self.failed(error) from error


def presented_key(host: str, port: int) -> paramiko.PKey:
    """The host key that a server presents, before any log-in.

    Raises:
        FeedUnreachable: it doesn't answer, or speaks something else.
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
        raise FeedUnreachable(
            _("%(host)s : connexion impossible ou coupée (%(reason)s).")
            % {"host": host, "reason": str(error) or type(error).__name__}
        ) from error


def fingerprint(key: paramiko.PKey) -> str:
    """The key's SHA-256, as ssh-keygen -l and hosting firms write it."""
    digest = hashlib.sha256(key.asbytes()).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def key_text(key: paramiko.PKey) -> str:
    """The key as a feed keeps it."""
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
        raise FeedRejected(
            _(
                "La clé d'hôte du flux manque ou est illisible. Demandez-la à l'hébergeur, ou : "
                "ssh-keyscan -p PORT SERVEUR. Forme attendue : ssh-ed25519 AAAA…"
            ),
            code="feed.no_host_key",
        ) from error


def _private_key(text: str) -> paramiko.PKey | None:
    if not text:
        return None
    for key_class in _KEY_CLASSES:
        with suppress(paramiko.SSHException, ValueError):
            return key_class.from_private_key(io.StringIO(text))
    raise FeedRejected(
        _("La clé privée du flux est illisible : collez une clé OpenSSH sans phrase secrète."),
        code="feed.bad_private_key",
    )
