"""Which program this is: its version, and one SHA-256 over the sources that run."""

import hashlib
import tomllib
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

_PACKAGES = (
    "sphinx customers suppliers inventory purchasing sales invoicing accounting_export ftp_ingest "
    "templates"
).split()
_SUFFIXES = {".py", ".html", ".txt", ".xsd", ".xsl", ".xslt", ".csv", ".json"}


def version() -> str:
    """As pyproject.toml names it."""
    with (settings.BASE_DIR / "pyproject.toml").open("rb") as stream:
        return str(tomllib.load(stream)["project"]["version"])


def source_hash() -> str:
    """SHA-256 of every source file's name and SHA-256, in their order: a byte changed shows."""
    digest = hashlib.sha256()
    for path in sorted(_sources()):
        name = path.relative_to(settings.BASE_DIR).as_posix()
        digest.update(f"{name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def _sources() -> Iterator[Path]:
    yield settings.BASE_DIR / "pyproject.toml"
    for package in _PACKAGES:
        for path in (settings.BASE_DIR / package).rglob("*"):
            if path.suffix in _SUFFIXES and "__pycache__" not in path.parts:
                yield path
