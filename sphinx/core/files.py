"""Files that appear whole or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedRandom
from pathlib import Path


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
