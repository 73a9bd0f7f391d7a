"""A folder of this machine, for shops that live on it and for mounted shares.

It lies below the one that the operator names; see enclosure.py.
"""

import os
import shutil
import stat
from contextlib import suppress
from pathlib import Path

from django.utils.translation import gettext as _

from ftp_ingest.transports import enclosure
from ftp_ingest.transports.base import Entry, RemoteFile, Transport, moment, not_given
from sphinx.core.errors import ServerRejected
from sphinx.core.texts import visible

_BLOCK = 1024 * 1024
_FILE = os.O_CLOEXEC | os.O_NOFOLLOW
# A pipe that somebody put in a file's place isn't waited for.
_READ = _FILE | os.O_RDONLY | os.O_NONBLOCK
_WRITE = _FILE | os.O_WRONLY | os.O_CREAT | os.O_EXCL


class FolderTransport(Transport):
    _top = -1

    def connect(self) -> None:
        self._top = enclosure.open_folder(self.feed.directory)

    def close(self) -> None:
        if self._top >= 0:
            os.close(self._top)
            self._top = -1

    def list_folder(self, below: str) -> list[Entry]:
        entries = []
        try:
            with (
                enclosure.opened(self._top, below.split("/") if below else []) as folder,
                os.scandir(folder) as found,
            ):
                for item in found:
                    self.count_listed(len(item.name), 1)
                    entry = self._entry(item)
                    if entry is not None:
                        entries.append(entry)
        except OSError as error:
            if below:
                raise self.no_folder(below) from error
            raise ServerRejected(
                _("Le dossier « %s » n'est pas lisible.") % self.feed.directory,
                code="server.no_permission",
            ) from error
        return entries

    def _entry(self, item: os.DirEntry[str]) -> Entry | None:
        """None for what is neither a file nor a folder, or is gone meanwhile."""
        try:
            state = item.stat(follow_symlinks=False)
        except OSError:
            return None
        if stat.S_ISDIR(state.st_mode):
            return Entry(item.name, is_folder=True)
        if stat.S_ISLNK(state.st_mode) and self.matches(item.name):
            self.leave(
                _("« %s » : un lien, qui n'est pas suivi ; laissé de côté.") % visible(item.name)
            )
        if not stat.S_ISREG(state.st_mode):
            return None
        at = moment(state.st_mtime)
        return Entry(item.name, False, state.st_size, str(state.st_mtime_ns), at)

    def fetch(self, file: RemoteFile, target: Path) -> None:
        try:
            with enclosure.folder_of(self._top, file.name) as (folder, name):
                source = os.fdopen(os.open(name, _READ, dir_fd=folder), "rb")
        except OSError as error:
            raise not_given(file, error) from error
        try:
            with source, self.receiving(file, target) as keep:
                if not stat.S_ISREG(os.fstat(source.fileno()).st_mode):
                    raise not_given(file, OSError(_("ce n'est plus un fichier")))
                while block := source.read(_BLOCK):
                    keep(block)
        except OSError as error:
            raise self.failed(error) from error

    def put_away(self, file: RemoteFile) -> None:
        target = self.done_name(file, lambda name: enclosure.is_there(self._top, name))
        enclosure.make_folders(self._top, target)
        with (
            enclosure.folder_of(self._top, file.name) as (here, name),
            enclosure.folder_of(self._top, target) as (there, done),
        ):
            os.rename(name, done, src_dir_fd=here, dst_dir_fd=there)

    def delete(self, file: RemoteFile) -> None:
        with enclosure.folder_of(self._top, file.name) as (folder, name):
            os.unlink(name, dir_fd=folder)

    def put(self, source: Path, name: str) -> None:
        try:
            with enclosure.folder_of(self._top, name) as (folder, last):
                aside = f".{last}.part"
                # What a worker that died left there, whatever it is.
                with suppress(FileNotFoundError):
                    os.unlink(aside, dir_fd=folder)
                handle = os.open(aside, _WRITE, 0o666, dir_fd=folder)
                with os.fdopen(handle, "wb") as target, source.open("rb") as stream:
                    shutil.copyfileobj(stream, target)
                os.replace(aside, last, src_dir_fd=folder, dst_dir_fd=folder)
        except OSError as error:
            raise self.failed(error) from error
