"""An installation of an earlier release, brought to this one: nothing lost, and work goes on."""

import lzma
from pathlib import Path

import pytest

from tests.core.test_backup import elsewhere, manage
from tests.ftp_ingest.test_feeds import ORDERS

__all__ = ["elsewhere"]
RELEASES = sorted((Path(__file__).parent / "data" / "releases").iterdir())


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("release", RELEASES, ids=lambda folder: folder.name)
def test_its_backup_is_restored_migrated_and_proven(
    elsewhere: str,
    tmp_path: Path,
    release: Path,
) -> None:
    tar, data, dropped = tmp_path / "old.tar", tmp_path / "data", tmp_path / "orders.csv"
    tar.write_bytes(lzma.decompress((release / "backup.tar.xz").read_bytes()))
    dropped.write_text(ORDERS.replace(";A;", ";CAF-001;"))

    status, restored = manage(elsewhere, data, "restore", "--input", str(tar))
    assert (status, restored["wrong"]) == (0, [])
    status, proven = manage(elsewhere, data, "verify")
    checked = {check["name"]: check["checked"] for check in proven["checks"]}
    assert status == 0
    assert checked["hash_chain"] > 10

    status, came = manage(elsewhere, data, "ingest", str(dropped), "--shop", "demo")
    assert (status, came["orders"]["created"]) == (0, 1)
    for command in (["deliver", "--ready", "--ship"], ["invoice", "--delivered"]):
        assert manage(elsewhere, data, *command)[0] == 0, command
    status, proven = manage(elsewhere, data, "verify")
    assert status == 0
    after = {check["name"]: check["checked"] for check in proven["checks"]}
    assert after["invoices_equal_shop"] > checked["invoices_equal_shop"]
