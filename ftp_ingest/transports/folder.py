"""A folder of this machine, for shops that live on it and for mounted shares."""

import shutil
from pathlib import Path

from django.utils.translation import gettext as _

from ftp_ingest.errors import FeedRejected, FeedUnreachable
from ftp_ingest.transports.base import DONE_FOLDER, RemoteFile, Transport


class FolderTransport(Transport):
    def connect(self) -> None:
        self._folder = Path(self.feed.directory)
        if not self._folder.is_dir():
            raise FeedRejected(
                _("Le dossier « %s » n'existe pas.") % self._folder, code="feed.no_folder"
            )

    def list_files(self) -> list[RemoteFile]:
        try:
            found = [p for p in self._folder.iterdir() if p.is_file()]
            return [
                RemoteFile(p.name, s.st_size, str(int(s.st_mtime_ns)))
                for p in sorted(found)
                for s in [p.stat()]
            ]
        except PermissionError as error:
            raise FeedRejected(
                _("Le dossier « %s » n'est pas lisible.") % self._folder, code="feed.no_permission"
            ) from error

    def fetch(self, file: RemoteFile, target: Path) -> None:
        try:
            shutil.copyfile(self._folder / file.name, target)
        except OSError as error:
            raise FeedUnreachable(
                _("« %(name)s » n'a pas pu être lu : %(reason)s.")
                % {"name": file.name, "reason": error.strerror}
            ) from error

    def put_away(self, file: RemoteFile) -> None:
        done = self._folder / DONE_FOLDER
        done.mkdir(exist_ok=True)
        (self._folder / file.name).replace(done / file.name)

    def delete(self, file: RemoteFile) -> None:
        (self._folder / file.name).unlink()
