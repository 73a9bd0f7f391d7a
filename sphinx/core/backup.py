"""A backup is one tar: the database, the files that documents rest on, a list with their hashes.

The database is read first, at one moment; files are only ever added, so those that it names are
there. Keys (SECRET_KEY, SPHINX_CREDENTIAL_KEYS) aren't in it: they are kept elsewhere.
"""

import hashlib
import io
import json
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.utils.translation import gettext as _

from sphinx.core import clock
from sphinx.core.errors import BusinessRuleError, InputError
from sphinx.core.files import here, kept_files, put, whole_file

# Under DATA_DIR, what can't be made again.
FOLDERS = ("archive", "documents", "exports", "travaux")
_LIST, _DUMP = "sphinx-backup.json", "database"


def back_up(path: Path) -> dict[str, Any]:
    """Write a backup to `path`, whole or not at all; returns its list.

    Raises:
        BusinessRuleError: the database can't be dumped, or the file can't be written; the reason
            is told and nothing is left behind.
    """
    try:
        return _written(path)
    except OSError as error:
        raise BusinessRuleError(
            _("%(path)s ne peut pas être écrit (%(reason)s) : aucune sauvegarde n'est faite.")
            % {"path": path, "reason": error.strerror},
            code="backup.cannot_write",
        ) from error


def _written(path: Path) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="sphinx-backup-") as folder:
        dump = Path(folder) / _DUMP
        _dump(dump)
        hashes = {}
        with (
            whole_file(path, durable=True) as stream,
            # As bytes, whatever links lie in the folder: restore takes nothing else.
            tarfile.open(fileobj=stream, mode="w", dereference=True) as tar,
        ):
            for name, source in ((_DUMP, dump), *_files(Path(settings.DATA_DIR))):
                tar.add(source, arcname=name)
                hashes[name] = _hash(source)
            listed = {
                "made_at": clock.now().isoformat(),
                "vendor": connection.vendor,
                "sha256": hashes,
            }
            data = json.dumps(listed, indent=1).encode()
            info = tarfile.TarInfo(_LIST)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return listed


def restore(path: Path) -> dict[str, Any]:
    """Put a backup back into an empty database and data folder, then migrate; returns its list.

    Raises:
        InputError: it isn't a backup, or a byte of it has changed; nothing was touched.
        BusinessRuleError: the database isn't empty, or of another kind.
    """
    if _is_used():
        raise BusinessRuleError(
            _("La base n'est pas vide : restaurez dans une base neuve, puis changez DATABASE_URL."),
            code="backup.not_empty",
        )
    Path(settings.DATA_DIR).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="sphinx-restore-", dir=settings.DATA_DIR) as folder:
        listed = _unpacked(path, Path(folder))
        if listed["vendor"] != connection.vendor:
            raise BusinessRuleError(
                _("Cette sauvegarde est d'une base %(kind)s.") % {"kind": listed["vendor"]},
                code="backup.other_kind",
            )
        _load(Path(folder) / _DUMP)
        for name in FOLDERS:
            if (Path(folder) / name).is_dir():
                shutil.copytree(
                    Path(folder) / name, Path(settings.DATA_DIR) / name, dirs_exist_ok=True
                )
                for kept in kept_files(name):
                    put(kept)
    call_command("migrate", interactive=False, verbosity=0)
    return listed


def _files(root: Path) -> Iterator[tuple[str, Path]]:
    for folder in FOLDERS:
        for source in kept_files(folder):
            yield str(source.relative_to(root)), here(source)


def _unpacked(path: Path, folder: Path) -> dict[str, Any]:
    """The files laid out in `folder`, each as it was listed."""
    try:
        with tarfile.open(path, "r:") as tar:
            _lay_out(tar, folder)
        listed: dict[str, Any] = json.loads((folder / _LIST).read_text("utf-8"))
        changed = [n for n, sha256 in listed["sha256"].items() if _hash(folder / n) != sha256]
    except (OSError, tarfile.TarError, ValueError, KeyError) as error:
        raise InputError(
            _("%(name)s n'est pas une sauvegarde lisible : %(reason)s.")
            % {"name": path.name, "reason": error},
            code="backup.unreadable",
        ) from error
    if changed:
        raise InputError(
            _("%(name)s est abîmée (%(file)s) : prenez-en une autre.")
            % {"name": path.name, "file": changed[0]},
            code="backup.damaged",
        )
    return listed


def _lay_out(tar: tarfile.TarFile, folder: Path) -> None:
    """The plain files and folders of `tar` under `folder`; anything else refuses it whole.

    What `extractall(filter="data")` does from Python 3.11.4 on, for 3.11.0 too.
    """
    members = tar.getmembers()
    for member in members:
        name = PurePosixPath(member.name)
        if name.is_absolute() or ".." in name.parts or "\\" in member.name:
            raise ValueError(_("« %s » sort du dossier") % member.name)
        if not (member.isfile() or member.isdir()):
            raise ValueError(_("« %s » n'est ni un fichier ni un dossier") % member.name)
    for member in members:
        target = folder / member.name
        (target if member.isdir() else target.parent).mkdir(parents=True, exist_ok=True)
        if member.isfile():
            source = tar.extractfile(member)
            assert source is not None  # noqa: S101 (a plain file has bytes)
            with source, target.open("xb") as stream:
                shutil.copyfileobj(source, stream)
            target.chmod(member.mode & 0o755 | 0o600)


def _hash(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _is_used() -> bool:
    tables = connection.introspection.table_names()
    if "core_company" not in tables:
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM core_auditevent UNION ALL SELECT 1 FROM auth_user LIMIT 1")
        return cursor.fetchone() is not None


# --- The database --------------------------------------------------------------------------------


def _dump(path: Path) -> None:
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        with sqlite3.connect(path) as copy:
            connection.connection.backup(copy)
        return
    _run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={path}")


def _load(path: Path) -> None:
    if connection.vendor == "sqlite":
        connection.close()
        with sqlite3.connect(path) as copy, sqlite3.connect(connection.settings_dict["NAME"]) as db:
            copy.backup(db)
        return
    # A new installation may be migrated already: its empty tables make room.
    _run(
        "pg_restore", "--clean", "--if-exists", "--no-owner", "--no-privileges", "--exit-on-error",
        "--single-transaction", f"--dbname={connection.settings_dict['NAME']}", str(path),
    )  # fmt: skip
    connection.close()


def _run(tool: str, *arguments: str) -> None:
    """A tool of PostgreSQL's, told by its environment where the server is, never on its line."""
    where = connection.settings_dict
    environment = {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "PGHOST": where["HOST"] or "",
        "PGPORT": str(where["PORT"] or ""),
        "PGUSER": where["USER"] or "",
        "PGPASSWORD": where["PASSWORD"] or "",
        "PGDATABASE": where["NAME"],
    }
    connection.close()
    try:
        ran = subprocess.run(  # noqa: S603 (two tools, by name)
            [tool, *arguments],
            env={name: value for name, value in environment.items() if value},
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise BusinessRuleError(
            _("%s n'est pas installé : ajoutez le client PostgreSQL.") % tool, code="backup.no_tool"
        ) from error
    if ran.returncode:
        raise BusinessRuleError(
            _("%(tool)s a échoué : %(reason)s")
            % {"tool": tool, "reason": ran.stderr.strip()[-500:]},
            code="backup.tool_failed",
        )
