"""A backup comes back whole: into another database and folder, with every proof good."""

import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from django.conf import settings
from django.db import connection

from invoicing.models import Invoice
from invoicing.services import issue_invoice, render_pdfs
from sphinx.core.backup import back_up, restore
from sphinx.core.errors import BusinessRuleError, InputError
from tests.factories import NOON, line, shipped

ROOT = Path(settings.BASE_DIR)


def manage(database: str, data: Path, *command: str, json_asked: bool = True) -> tuple[int, Any]:
    """A command of another installation: its exit status, and its document or its refusal."""
    ran = subprocess.run(
        [sys.executable, "manage.py", *command, *(["--json"] if json_asked else [])],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": database, "SPHINX_DATA_DIR": str(data), "DEBUG": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return ran.returncode, json.loads(ran.stdout) if json_asked and ran.stdout else ran.stderr


@pytest.fixture
def elsewhere() -> Iterator[str]:
    """An empty database on the same server."""
    where = connection.settings_dict
    name = f"{where['NAME']}_restored"
    server = psycopg2.connect(
        host=where["HOST"], port=where["PORT"] or 5432, user=where["USER"],
        password=where["PASSWORD"], dbname="postgres",
    )  # fmt: skip
    server.autocommit = True
    with server.cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}"')
        cursor.execute(f'CREATE DATABASE "{name}"')
    yield f"postgresql://{where['USER']}@{where['HOST']}:{where['PORT'] or 5432}/{name}"
    with server.cursor() as cursor:
        cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    server.close()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_backup_is_restored_elsewhere_and_proves_itself(elsewhere: str, tmp_path: Path) -> None:
    invoice = issue_invoice(delivery_note_id=shipped("1", line("A")).pk, at=NOON)
    render_pdfs([invoice.pk])
    invoice.refresh_from_db()
    printed = (Path(settings.DATA_DIR) / invoice.pdf.path).read_bytes()
    (Path(settings.DATA_DIR) / "secret.key").write_text("une clé")
    back_up(tmp_path / "sphinx.tar")
    with tarfile.open(tmp_path / "sphinx.tar") as tar:
        assert not [name for name in tar.getnames() if "key" in name]

    data = tmp_path / "there"
    data.mkdir()
    status, result = manage(elsewhere, data, "restore", "--input", str(tmp_path / "sphinx.tar"))
    assert (status, result["wrong"]) == (0, [])
    assert (data / invoice.pdf.path).read_bytes() == printed
    status, proved = manage(elsewhere, data, "verify")
    assert status == 0
    assert {c["name"]: c["checked"] for c in proved["checks"]}["invoice_pdfs"] >= 1

    again, refused = manage(elsewhere, data, "restore", "--input", str(tmp_path / "sphinx.tar"))
    assert again == 2
    assert "n'est pas vide" in refused


def test_an_embedded_installation_is_backed_up_and_restored(tmp_path: Path) -> None:
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
    here, there = (f"sqlite:///{tmp_path / name / 'x.sqlite3'}" for name in ("here", "there"))
    environment = {
        **os.environ, "DATABASE_URL": here, "SPHINX_DATA_DIR": str(tmp_path / "here"), "DEBUG": "1",
    }  # fmt: skip
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "-v", "0"], cwd=ROOT, env=environment, check=True
    )
    manage(here, tmp_path / "here", "ingest", "tests/data/pivot", "--shop", "b", "--create-shop")
    file = tmp_path / "sphinx.tar"
    assert manage(here, tmp_path / "here", "backup", "--output", str(file))[1]["files"] >= 2
    status, result = manage(there, tmp_path / "there", "restore", "--input", str(file))
    assert (status, result["wrong"]) == (0, [])
    before, after = (manage(where, tmp_path / name, "stock") for where, name in
                     ((here, "here"), (there, "there")))  # fmt: skip
    assert before == after


@pytest.mark.django_db(transaction=True)
def test_a_backup_that_cant_be_written_says_so_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "full").write_text("")
    with pytest.raises(BusinessRuleError, match="aucune sauvegarde n'est faite"):
        back_up(tmp_path / "full" / "sphinx.tar")
    assert [p.name for p in tmp_path.rglob("*.tmp")] == []


@pytest.mark.django_db
def test_a_used_database_is_not_overwritten(tmp_path: Path) -> None:
    shipped("1", line("A"))
    with pytest.raises(BusinessRuleError, match="n'est pas vide"):
        restore(tmp_path / "x.tar")


@pytest.mark.django_db
@pytest.mark.parametrize("damage", ["not_a_tar", "changed", "climbs"])
def test_a_damaged_backup_is_refused_before_anything_is_touched(
    tmp_path: Path, damage: str
) -> None:
    path = tmp_path / "x.tar"
    listed = json.dumps({"made_at": "", "vendor": connection.vendor, "sha256": {"database": "0"}})
    (tmp_path / "database").write_text("x")
    (tmp_path / "sphinx-backup.json").write_text(listed)
    if damage == "not_a_tar":
        path.write_text("bonjour")
    else:
        with tarfile.open(path, "w") as tar:
            tar.add(tmp_path / "database", arcname="database")
            tar.add(tmp_path / "sphinx-backup.json", arcname="sphinx-backup.json")
            if damage == "climbs":
                tar.add(tmp_path / "database", arcname="../../escaped")
    with pytest.raises(InputError):
        restore(path)
    assert not Invoice.objects.exists()
    assert not (Path(settings.DATA_DIR).parent / "escaped").exists()


def _member(kind: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(
        {"absolute": "/escaped", "climbs": "archive/../../escaped"}.get(kind, "archive/x")
    )
    member.type = {
        "symlink": tarfile.SYMTYPE,
        "hardlink": tarfile.LNKTYPE,
        "device": tarfile.CHRTYPE,
        "block": tarfile.BLKTYPE,
        "pipe": tarfile.FIFOTYPE,
    }.get(kind, tarfile.REGTYPE)
    member.linkname = "database" if member.islnk() or member.issym() else ""
    return member


@pytest.mark.django_db
@pytest.mark.parametrize(
    "kind", ["absolute", "climbs", "symlink", "hardlink", "device", "block", "pipe"]
)
def test_only_files_and_folders_of_its_own_are_unpacked(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w") as tar:
        tar.addfile(_member(kind))
    with pytest.raises(InputError, match=r"sort du dossier|ni un fichier ni un dossier"):
        restore(path)
    assert not list(Path(settings.DATA_DIR).rglob("*"))


@pytest.mark.django_db
def test_a_compressed_backup_that_expands_is_not_even_opened(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "x.tar", "w:gz") as tar:
        tar.addfile(_member("plain"))
    with pytest.raises(InputError, match="n'est pas une sauvegarde lisible"):
        restore(tmp_path / "x.tar")
