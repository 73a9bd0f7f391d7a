"""The folder-drop adapter: files laid down and picked up by the platform's own connector.

Most platforms take files over SFTP or by a small program on the firm's machine; both work on a
folder. Ours is SPHINX_PLATFORM_DIR:

    envoi/factures/FA2026-000001.pdf      what goes out, never overwritten
    envoi/e-reporting/ER-….xml
    retour/                               what the platform says: CSV or CDAR (XML)
    retour/lus/, retour/refuses/          what was read, what couldn't be and why
"""

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from invoicing.platforms.base import Message, register
from sphinx.core.errors import TransientError
from sphinx.core.files import whole_file
from sphinx.core.texts import visible

OUT, BACK, READ, REFUSED = "envoi", "retour", "lus", "refuses"
# Still being written by the platform's connector.
QUIET_SECONDS = 30
# A message tells the states of some documents; a year's would be less.
MAX_BYTES = 20 * 1024 * 1024
# File systems take 255 bytes, ".txt" included.
_LONGEST_NAME = 250
_UNFINISHED = (".tmp", ".part", ".partial", ".filepart")


@register
class Folder:
    """Files in and out of a folder."""

    code = "folder"
    label = gettext_lazy("Dossier d'échange")

    def deposit(self, *, kind: str, name: str, data: bytes) -> None:
        """Whole or not at all: written aside, then renamed."""
        folder = _folder(OUT, kind)
        try:
            with whole_file(folder / name, durable=True) as file:
                file.write(data)
        except OSError as error:
            raise _unreachable(error) from error

    def messages(self) -> Iterator[Message]:
        """Files of the return folder that nobody writes any more, by name."""
        for path in sorted(_folder(BACK).iterdir()):
            # Another round may have put it away meanwhile.
            with suppress(FileNotFoundError):
                if _is_whole(path):
                    yield _message(path)

    def put_away(self, name: str, *, refused: str = "") -> None:
        """Moved beside; a refused one with its reason in a text file."""
        path = _folder(BACK) / name
        target = _folder(BACK, REFUSED if refused else READ) / name
        with suppress(FileNotFoundError):
            path.replace(target)
        if refused:
            beside = os.fsdecode(os.fsencode(name)[:_LONGEST_NAME]) + ".txt"
            target.with_name(beside).write_text(
                f"{refused}\n", encoding="utf-8", errors="backslashreplace"
            )


def _message(path: Path) -> Message:
    if path.stat().st_size > MAX_BYTES:
        sentence = _("%(name)s dépasse %(limit)s Mo : ce n'est pas un message de plateforme.")
        shown = {"name": visible(path.name), "limit": MAX_BYTES // 1024**2}
        return Message(path.name, b"", sentence % shown)
    try:
        return Message(path.name, path.read_bytes())
    except PermissionError as error:
        sentence = _("%(name)s ne peut pas être lu : %(reason)s.")
        shown = {"name": visible(path.name), "reason": error.strerror}
        return Message(path.name, b"", sentence % shown)


def _is_whole(path: Path) -> bool:
    if not path.is_file() or path.is_symlink() or path.suffix in _UNFINISHED:
        return False
    return time.time() - path.stat().st_mtime >= QUIET_SECONDS


def _folder(*parts: str) -> Path:
    found = Path(settings.PLATFORM_DIR, *parts)
    try:
        found.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unreachable(error) from error
    return found


def _unreachable(error: OSError) -> TransientError:
    return TransientError(
        _("Dossier d'échange de la plateforme (%(folder)s) : %(reason)s.")
        % {"folder": settings.PLATFORM_DIR, "reason": error.strerror or error},
        code="platform.unreachable",
    )
