"""What knows an order's rows again, so that a file read every hour costs little.

Same cells, same columns, same way to read them: same order. The code that reads is part of it: a
release that reads better reads every order anew. So are the shop's answers about its states.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import customers.drafts
import ftp_ingest.dialects
import sales.drafts
import sphinx.core
from ftp_ingest.dialects.base import Row
from ftp_ingest.dialects.mapped import MappedDialect
from ftp_ingest.reading.recognition import FileFormat

_SIZE = 16
# All that a draft is made of.
_CODE = (ftp_ingest.dialects, sphinx.core, customers.drafts, sales.drafts)


@lru_cache(maxsize=1)
def _code() -> bytes:
    digest = hashlib.blake2b(digest_size=_SIZE)
    for module in _CODE:
        path = Path(str(module.__file__))
        whole = path.name == "__init__.py"
        # Words of states and of columns are read from tables.
        files = (
            [f for f in path.parent.rglob("*") if f.suffix in (".py", ".csv")] if whole else [path]
        )
        files.sort()
        for file in files:
            digest.update(file.read_bytes())
    return digest.digest()


def row_hasher(
    file_format: FileFormat, *, day_first: bool | None, states: Mapping[str, str] | None = None
) -> Callable[[Sequence[Row]], str]:
    """What hashes the rows of an order of this file; the line where they stand doesn't count."""
    dialect = file_format.dialect
    own = dialect.definition.as_json() if isinstance(dialect, MappedDialect) else None
    way: list[object] = [dialect and dialect.code, own, file_format.header.names, day_first]
    way += [dict(sorted(states.items()))] if states else []
    start = hashlib.blake2b(_code() + json.dumps(way).encode(), digest_size=_SIZE)

    def hashed(rows: Sequence[Row]) -> str:
        digest = start.copy()
        digest.update("\x1e".join(["\x1f".join(row.cells) for row in rows]).encode())
        return digest.hexdigest()

    return hashed
