"""What every test shares: a data folder of its own, one warehouse, helpers to bring files."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from ftp_ingest.services import IngestReport, ingest_paths
from sphinx.core.models import Shop
from tests.support.tampering import empty_tables_in_tests

empty_tables_in_tests()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """On SQLite leave out what needs several connections, or says the same on any database."""
    if connection.vendor == "postgresql":
        return
    skip = pytest.mark.skip(reason="on PostgreSQL only")
    for item in items:
        marks = {mark.name for mark in item.iter_markers()}
        if marks & {"postgres", "browser", "services", "once"}:
            item.add_marker(skip)


@pytest.fixture(autouse=True)
def _data_folder(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path / "data"
    settings.PLATFORM_DIR = tmp_path / "plateforme"
    settings.FEED_ROOT = tmp_path


@pytest.fixture
def shop(db: None) -> Shop:
    return Shop.objects.create(code="essai", name="Boutique d'essai")


@pytest.fixture
def bring(
    shop: Shop, tmp_path: Path, django_capture_on_commit_callbacks: Any
) -> Callable[..., IngestReport]:
    """Bring a file of the given text (or bytes) to the shop's gateway."""

    def _bring(content: str | bytes, name: str = "orders.csv", **options: Any) -> IngestReport:
        folder = tmp_path / f"in-{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        path = folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        with django_capture_on_commit_callbacks(execute=True):
            return ingest_paths(shop=shop, paths=[path], **options)

    return _bring
