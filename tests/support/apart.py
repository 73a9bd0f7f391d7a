"""A clean process on the tests' database: its own interpreter, no threads, nothing inherited."""

import os
from pathlib import Path

from django.db import connection


def environment(data_folder: Path, **more: str) -> dict[str, str]:
    """What `python -m tests.support…` needs to work on the same database."""
    database = connection.settings_dict
    url = (
        f"postgresql://{database['USER']}:{database['PASSWORD']}@{database['HOST']}"
        f":{database['PORT']}/{database['NAME']}"
    )
    return {
        **os.environ,
        "DATABASE_URL": url,
        "SPHINX_DATA_DIR": str(data_folder),
        # Beside it, where feeds may read.
        "SPHINX_FEED_ROOT": str(data_folder.parent / "depots"),
        "DJANGO_SETTINGS_MODULE": "sphinx.settings",
        "LOG_LEVEL": "ERROR",
        **more,
    }
