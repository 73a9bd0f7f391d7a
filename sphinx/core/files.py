"""Files that appear whole or not at all."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedRandom
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.core.files import File
from django.core.files.storage import Storage, storages
from django.utils.translation import gettext as _

from sphinx.core.errors import TransientError


@contextmanager
def whole_file(path: Path, *, durable: bool = False) -> Iterator[BufferedRandom]:
    """A stream that becomes `path` when the block ends well, and leaves nothing when it doesn't.

    Several at once each write aside, threads of one process too; the last one stays. `durable`
    waits for the disk: for what can't be made again.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    aside = Path(name)
    try:
        with os.fdopen(handle, "w+b") as stream:
            yield stream
            stream.flush()
            if durable:
                os.fsync(stream.fileno())
        aside.chmod(0o640)
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


# --- Files that other machines need --------------------------------------------------------------
#
# A kept file lies under DATA_DIR and, where there is a store (S3), there too under the same name:
# it is written here, put there before any row names it, and brought when another machine needs it.
# So DATA_DIR of a machine may be lost. Without a store DATA_DIR is all there is.


def put(path: Path) -> None:
    """Let a file that was written whole be found by other machines.

    Raises:
        TransientError: the store doesn't take it; what rests on the file must not be written.
    """
    store = _store()
    if store is None:
        return
    name = _name(path)
    with _reached(path):
        if store.exists(name):
            store.delete(name)
        with path.open("rb") as stream:
            store.save(name, File(stream))


def put_once(path: Path) -> None:
    """The same for a file whose name tells its bytes: what is there already stays."""
    store = _store()
    if store is None:
        return
    with _reached(path):
        if store.exists(_name(path)) and store.size(_name(path)) == path.stat().st_size:
            return
    put(path)


def here(path: Path, *, may_change: bool = False) -> Path:
    """The kept file on this machine, brought if need be; whether it exists is still to be asked.

    `may_change`: it is written anew under its name, so the store's is the one.

    Raises:
        TransientError: the store doesn't answer.
    """
    store = _store()
    if store is None or (path.exists() and not may_change):
        return path
    name = _name(path)
    with _reached(path):
        if store.exists(name):
            with store.open(name, "rb") as kept, whole_file(path) as stream:
                shutil.copyfileobj(kept, stream)
    return path


def discard(path: Path) -> None:
    """Remove a kept file, everywhere."""
    store = _store()
    if store is not None:
        with _reached(path):
            store.delete(_name(path))
    path.unlink(missing_ok=True)


def kept_files(folder: str) -> Iterator[Path]:
    """Every kept file below a folder of DATA_DIR, on this machine or not."""
    root = Path(settings.DATA_DIR)
    found = {path for path in (root / folder).rglob("*") if path.is_file()}
    store = _store()
    if store is not None:
        with _reached(root / folder):
            found |= {root / name for name in _listed(store, folder)}
    return iter(sorted(path for path in found if path.suffix != ".tmp"))


def _listed(store: Storage, folder: str) -> Iterator[str]:
    folders, names = store.listdir(folder)
    yield from (f"{folder}/{name}" for name in names)
    for below in folders:
        yield from _listed(store, f"{folder}/{below}")


def _store() -> Storage | None:
    return storages["kept"] if "kept" in settings.STORAGES else None


def _name(path: Path) -> str:
    return path.relative_to(settings.DATA_DIR).as_posix()


@contextmanager
def _reached(path: Path) -> Iterator[None]:
    """Whatever the store's client raises is one thing to us: not reached, try again later."""
    try:
        yield
    except (OSError, BotoCoreError, ClientError) as error:
        raise TransientError(
            _("Le stockage des fichiers ne répond pas (%(name)s : %(reason)s).")
            % {"name": path.name, "reason": type(error).__name__},
            code="files.unreachable",
        ) from error
