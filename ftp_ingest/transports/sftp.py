"""SFTP by paramiko: the host's key must be the one written in the feed."""

import base64
import binascii
import io
import posixpath
import socket
import stat
from contextlib import suppress
from pathlib import Path

import paramiko
from django.utils.translation import gettext as _

from ftp_ingest.errors import FeedRejected, FeedUnreachable
from ftp_ingest.transports.base import DONE_FOLDER, TIMEOUT_SECONDS, RemoteFile, Transport

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
            raise self._unreachable(error) from error
        except (OSError, EOFError) as error:
            raise self._unreachable(error) from error

    def _unreachable(self, error: Exception) -> FeedUnreachable:
        slow = isinstance(error, (TimeoutError, socket.timeout))
        reason = _("pas de réponse à temps") if slow else str(error) or type(error).__name__
        return FeedUnreachable(
            _("%(host)s : connexion impossible ou coupée (%(reason)s).")
            % {"host": self.feed.host, "reason": reason}
        )

    def close(self) -> None:
        with suppress(Exception):
            self._client.close()

    def _path(self, name: str) -> str:
        return posixpath.join(self.feed.directory or ".", name)

    def list_files(self) -> list[RemoteFile]:
        try:
            found = self._sftp.listdir_attr(self.feed.directory or ".")
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
            raise self._unreachable(error) from error
        return [
            RemoteFile(f.filename, f.st_size, str(f.st_mtime or 0))
            for f in sorted(found, key=lambda f: f.filename)
            if f.st_mode is None or stat.S_ISREG(f.st_mode)
        ]

    def fetch(self, file: RemoteFile, target: Path) -> None:
        try:
            self._sftp.get(self._path(file.name), str(target))
        except (OSError, EOFError, paramiko.SSHException) as error:
            raise self._unreachable(error) from error

    def put_away(self, file: RemoteFile) -> None:
        done = self._path(DONE_FOLDER)
        with suppress(OSError):
            self._sftp.mkdir(done)
        self._sftp.posix_rename(self._path(file.name), posixpath.join(done, file.name))

    def delete(self, file: RemoteFile) -> None:
        self._sftp.remove(self._path(file.name))


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
