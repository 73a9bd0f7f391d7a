"""A folder of this machine, for shops that live on it and for mounted shares."""

import os
import shutil
import stat
from pathlib import Path

from django.utils.translation import gettext as _

from ftp_ingest.transports.base import Entry, RemoteFile, Transport, moment, not_given
from sphinx.core.errors import ServerRejected

_BLOCK = 1024 * 1024


class FolderTransport(Transport):
    def connect(self) -> None:
        self._folder = Path(self.feed.directory)
        if not self._folder.is_dir():
            raise ServerRejected(
                _("Le dossier « %s » n'existe pas.") % self._folder, code="server.no_folder"
            )

    def list_folder(self, below: str) -> list[Entry]:
        entries = []
        try:
            with os.scandir(self._folder / below) as found:
                for item in found:
                    self.count_listed(len(item.name), 1)
                    entry = self._entry(item)
                    if entry is not None:
                        entries.append(entry)
        except OSError as error:
            if below:
                raise self.no_folder(below) from error
            raise ServerRejected(
                _("Le dossier « %s » n'est pas lisible.") % self._folder,
                code="server.no_permission",
            ) from error
        return entries

    @staticmethod
    def _entry(item: os.DirEntry[str]) -> Entry | None:
        """None for what is neither a file nor a folder, or is gone meanwhile."""
        if item.is_dir(follow_symlinks=False):
            return Entry(item.name, is_folder=True)
        try:
            state = item.stat()
        except OSError:
            return None
        if not stat.S_ISREG(state.st_mode):
            return None
        at = moment(state.st_mtime)
        return Entry(item.name, False, state.st_size, str(state.st_mtime_ns), at)

    def fetch(self, file: RemoteFile, target: Path) -> None:
        try:
            source = (self._folder / file.name).open("rb")
        except OSError as error:
            raise not_given(file, error) from error
        try:
            with source, self.receiving(file, target) as keep:
                while block := source.read(_BLOCK):
                    keep(block)
        except OSError as error:
            raise self.failed(error) from error

    def put_away(self, file: RemoteFile) -> None:
        target = self._folder / self.done_name(file, lambda name: (self._folder / name).exists())
        target.parent.mkdir(parents=True, exist_ok=True)
        (self._folder / file.name).rename(target)

    def delete(self, file: RemoteFile) -> None:
        (self._folder / file.name).unlink()

    def put(self, source: Path, name: str) -> None:
        target = self._folder / name
        aside = target.with_name(f".{target.name}.part")
        try:
            shutil.copyfile(source, aside)
            aside.replace(target)
        except OSError as error:
            raise self.failed(error) from error
