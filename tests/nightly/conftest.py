"""Debian systems to install in."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.nightly.debian import Debian


@pytest.fixture
def debian(request: pytest.FixtureRequest) -> Iterator[Debian]:
    """Debian 12, or the one that a test names."""
    if os.geteuid() != 0 or shutil.which("debootstrap", path="/usr/sbin") is None:
        pytest.skip("needs root and debootstrap")
    # Far from pytest's own folders: what is mounted there is nobody's to clear.
    suite = getattr(request, "param", "bookworm")
    system = Debian(Path(tempfile.mkdtemp(prefix="sphinx-debian-")), suite)
    try:
        system.build()
        yield system
    finally:
        system.remove()
