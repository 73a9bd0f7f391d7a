"""SFTP by paramiko: the host's key must be the one written in the feed."""

import posixpath
import stat
from contextlib import suppress
from pathlib import Path

from django.utils.translation import gettext as _

from ftp_ingest.transports.base import DONE_FOLDER, MAX_DEPTH, RemoteFile, Transport, is_safe
from sphinx.core import sftp
from sphinx.core.errors import ServerRejected


class SftpTransport(Transport):
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
            raise ServerRejected(
                _("Le dossier « %s » n'existe pas sur le serveur.") % self.feed.directory,
                code="server.no_folder",
            ) from error
        except PermissionError as error:
            raise ServerRejected(
                _("Le dossier « %s » est interdit à cet utilisateur.") % self.feed.directory,
                code="server.no_permission",
            ) from error
        except sftp.TRANSFER_ERRORS as error:
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
        except sftp.TRANSFER_ERRORS as error:
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
        try:
            sftp.put_whole(self._sftp, source, self._path(name), self.check_time)
        except sftp.TRANSFER_ERRORS as error:
            raise self.failed(error) from error
