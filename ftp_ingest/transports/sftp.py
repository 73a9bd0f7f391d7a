"""SFTP by paramiko: the host's key must be the one written in the feed."""

import stat
from contextlib import ExitStack, suppress
from pathlib import Path

import paramiko
from django.utils.translation import gettext as _

from ftp_ingest.models import Feed
from ftp_ingest.transports import base
from ftp_ingest.transports.base import (
    Entry,
    RemoteFile,
    Transport,
    moment,
    not_given,
    parents,
    refuse_large,
)
from sphinx.core import sftp
from sphinx.core.errors import ServerRejected

_BLOCK = 32 * 1024


class SftpTransport(Transport):
    _client: paramiko.SSHClient | None = None

    def __init__(self, feed: Feed, password: str, private_key: str) -> None:
        # Paramiko waits in many places: what ends them all is the end of the connection.
        self._alarm = ExitStack()
        super().__init__(feed, password, private_key)

    def connect(self) -> None:
        feed = self.feed
        account = sftp.Account(
            feed.host,
            feed.port or sftp.SSH_PORT,
            feed.username,
            self.password,
            self.private_key,
            feed.host_key,
        )
        self._client, self._sftp = sftp.connect(account)
        self.start_clock()

    def start_clock(self) -> None:
        super().start_clock()
        self._alarm.close()
        if self._client is not None:
            self._alarm.enter_context(sftp.limited(self._client, base.MAX_SECONDS))

    def stop_clock(self) -> None:
        super().stop_clock()
        self._alarm.close()

    def close(self) -> None:
        self._alarm.close()
        if self._client is not None:
            with suppress(Exception):
                self._client.close()

    def _path(self, name: str) -> bytes:
        """The path as bytes, as the server spells it."""
        folder = self.feed.directory or "."
        return f"{folder.rstrip('/')}/{name}".encode("utf-8", "surrogateescape")

    def list_folder(self, below: str) -> list[Entry]:
        entries = []
        try:
            for raw, state in self._sftp.list_raw(self._path(below or ".")):
                self.count_listed(len(raw), 1)
                mode = state.st_mode
                is_folder = mode is not None and stat.S_ISDIR(mode)
                if is_folder or mode is None or stat.S_ISREG(mode):
                    name = raw.decode("utf-8", "surrogateescape")
                    at = moment(state.st_mtime)
                    modified = str(state.st_mtime or 0)
                    entries.append(Entry(name, is_folder, state.st_size, modified, at))
        except (FileNotFoundError, PermissionError) as error:
            raise self._no_folder(below, error) from error
        except sftp.TRANSFER_ERRORS as error:
            raise self.failed(error) from error
        return entries

    def _no_folder(self, below: str, error: OSError) -> Exception:
        if below:
            return self.no_folder(below)
        if isinstance(error, PermissionError):
            return ServerRejected(
                _("Le dossier « %s » est interdit à cet utilisateur.") % self.feed.directory,
                code="server.no_permission",
            )
        return ServerRejected(
            _("Le dossier « %s » n'existe pas sur le serveur.") % self.feed.directory,
            code="server.no_folder",
        )

    def fetch(self, file: RemoteFile, target: Path) -> None:
        try:
            with self.receiving(file, target) as keep, self._open(file) as source:
                size = source.stat().st_size or 0
                refuse_large(file, size)
                source.prefetch(size)
                while block := source.read(_BLOCK):
                    keep(block)
        except sftp.TRANSFER_ERRORS as error:
            if self._is_answer(error):
                raise not_given(file, error) from error
            raise self.failed(error) from error

    def _open(self, file: RemoteFile) -> paramiko.SFTPFile:
        return self._sftp.open(self._path(file.name), "rb")  # type: ignore[arg-type]

    def _is_answer(self, error: Exception) -> bool:
        """True for the server's no to this file: its connection is there, and so is our disk."""
        channel = self._sftp.get_channel()
        if channel is None or channel.closed or channel.eof_received:
            return False
        if isinstance(error, FileNotFoundError | PermissionError | EOFError):
            return True
        is_plain = isinstance(error, OSError) and error.errno is None
        return is_plain and not isinstance(error, TimeoutError)

    def put_away(self, file: RemoteFile) -> None:
        target = self.done_name(file, self._exists)
        for folder in parents(target):
            with suppress(OSError):
                self._sftp.mkdir(self._path(folder))  # type: ignore[arg-type]
        self._sftp.rename(self._path(file.name), self._path(target))  # type: ignore[arg-type]

    def _exists(self, name: str) -> bool:
        try:
            self._sftp.lstat(self._path(name))  # type: ignore[arg-type]
        except FileNotFoundError:
            return False
        return True

    def delete(self, file: RemoteFile) -> None:
        self._sftp.remove(self._path(file.name))  # type: ignore[arg-type]

    def put(self, source: Path, name: str) -> None:
        try:
            sftp.put_whole(self._sftp, source, self._path(name).decode(), self.check_time)
        except sftp.TRANSFER_ERRORS as error:
            raise self.failed(error) from error
