"""A folder of this machine, for shops that live on it and for mounted shares."""

import shutil
from pathlib import Path

from django.utils.translation import gettext as _

from ftp_ingest.transports.base import DONE_FOLDER, RemoteFile, Transport
from sphinx.core.errors import ServerRejected


class FolderTransport(Transport):
    def connect(self) -> None:
        self._folder = Path(self.feed.directory)
        if not self._folder.is_dir():
            raise ServerRejected(
                _("Le dossier « %s » n'existe pas.") % self._folder, code="server.no_folder"
            )

    def list_files(self) -> list[RemoteFile]:
        try:
            around = self._folder.rglob("*") if self.feed.subfolders else self._folder.iterdir()
            found = [p for p in around if p.is_file() and DONE_FOLDER not in p.parts]
            return [
                RemoteFile(
                    p.relative_to(self._folder).as_posix(), s.st_size, str(int(s.st_mtime_ns))
                )
                for p in sorted(found)
                for s in [p.stat()]
            ]
        except PermissionError as error:
            raise ServerRejected(
                _("Le dossier « %s » n'est pas lisible.") % self._folder,
                code="server.no_permission",
            ) from error

    def fetch(self, file: RemoteFile, target: Path) -> None:
        try:
            shutil.copyfile(self._folder / file.name, target)
        except OSError as error:
            raise self.failed(error) from error

    def put_away(self, file: RemoteFile) -> None:
        target = self._folder / DONE_FOLDER / file.name
        target.parent.mkdir(parents=True, exist_ok=True)
        (self._folder / file.name).replace(target)

    def delete(self, file: RemoteFile) -> None:
        (self._folder / file.name).unlink()

    def put(self, source: Path, name: str) -> None:
        aside = self._folder / f".{name}.part"
        try:
            shutil.copyfile(source, aside)
            aside.replace(self._folder / name)
        except OSError as error:
            raise self.failed(error) from error
