"""The one folder of this machine below which feeds may read and write.

Every step from the operator's folder down is opened from the step above, and none of them follows
a symbolic link: whoever may write below it can't lead a feed elsewhere, not even in between.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from django.conf import settings
from django.utils.translation import gettext as _

from sphinx.core.errors import ServerRejected
from sphinx.core.texts import visible

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def steps_to(directory: str) -> tuple[str, ...]:
    """The folders from the root down to a feed's; a whole path is taken where it is below it.

    Raises:
        ServerRejected: the operator named no root, or the folder isn't below it.
    """
    root: Path | None = settings.FEED_ROOT
    if root is None:
        raise ServerRejected(
            _(
                "Aucun dossier de cette machine n'est ouvert aux flux : son exploitant en nomme un "
                "par SPHINX_FEED_ROOT."
            ),
            code="server.no_feed_root",
        )
    asked = PurePosixPath(directory.strip() or ".")
    if asked.is_absolute():
        above = next((p for p in (root, root.resolve()) if asked.is_relative_to(p)), None)
        if above is None:
            raise _outside(directory)
        asked = asked.relative_to(above)
    if ".." in asked.parts or not directory.isprintable():
        raise _outside(directory)
    return asked.parts


def open_folder(directory: str) -> int:
    """A handle on a feed's folder, to be closed.

    Raises:
        ServerRejected: it isn't below the root, isn't there, or is reached by a link.
    """
    steps = steps_to(directory)
    try:
        # The root itself is the operator's: they may have made a link of it.
        root = os.open(str(settings.FEED_ROOT), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            with opened(root, list(steps)) as handle:
                return os.dup(handle)
        finally:
            os.close(root)
    except OSError as error:
        raise ServerRejected(
            _("Le dossier « %s » n'existe pas, ou passe par un lien.") % visible(directory),
            code="server.no_folder",
        ) from error


@contextmanager
def folder_of(top: int, name: str) -> Iterator[tuple[int, str]]:
    """The folder where `name` lies, from the handle `top` down, and its last step.

    Raises:
        OSError: a folder on the way isn't there, or is a link.
    """
    *folders, last = name.split("/")
    if ".." in folders or last in ("", ".", ".."):
        raise FileNotFoundError(name)
    with opened(top, folders) as handle:
        yield handle, last


@contextmanager
def opened(top: int, steps: list[str]) -> Iterator[int]:
    """A handle on a folder some steps below `top`.

    Raises:
        OSError: one of them isn't there, or is a link.
    """
    handle = os.dup(top)
    try:
        for step in steps:
            below = os.open(step, _FOLDER, dir_fd=handle)
            os.close(handle)
            handle = below
        yield handle
    finally:
        os.close(handle)


def make_folders(top: int, name: str) -> None:
    """Make the folders that `name` lies in, from `top` down."""
    steps = name.split("/")[:-1]
    for count, step in enumerate(steps):
        with opened(top, steps[:count]) as handle:
            try:
                os.mkdir(step, dir_fd=handle)
            except FileExistsError:
                continue


def is_there(top: int, name: str) -> bool:
    """True for whatever has that name, a link too."""
    try:
        with folder_of(top, name) as (handle, last):
            os.stat(last, dir_fd=handle, follow_symlinks=False)
    except OSError:
        return False
    return True


def _outside(directory: str) -> ServerRejected:
    return ServerRejected(
        _("Le dossier « %s » n'est pas dans celui que l'exploitant ouvre aux flux.")
        % visible(directory),
        code="server.outside_feed_root",
    )
