"""A PostgreSQL and a Redis of our own that a test may stop, kill, fill up and start again."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from sphinx.core.proofs import run_proofs

BIN = max(Path("/usr/lib/postgresql").glob("*/bin"), default=Path("/usr/bin"))


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def wait_for(condition: Callable[[], Any], seconds: float = 60) -> None:
    """Poll until it holds; fail when it doesn't in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.2)
    pytest.fail("it did not happen in time")


def assert_proven() -> None:
    """Whatever happened, the books prove themselves."""
    faults = [(proof.name, proof.faults[:3]) for proof in run_proofs() if not proof.ok]
    if faults:
        pytest.fail(f"not proven: {faults}")


class Postgres:
    """A cluster; its files belong to the user postgres when we are root."""

    def __init__(self, folder: Path, copy_of: "Postgres | None" = None) -> None:
        self.folder, self.port = folder, free_port()
        if os.getuid() == 0:
            os.chown(folder, pwd.getpwnam("postgres").pw_uid, -1)
        if copy_of is None:
            self._run("initdb", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8")
        else:
            source = ["-h", "127.0.0.1", "-p", str(copy_of.port), "-U", "postgres"]
            self._run("pg_basebackup", *source, "--write-recovery-conf", "--checkpoint", "fast")
        self.start()

    def start(self) -> None:
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1"
        self._run("pg_ctl", "-w", "-l", str(self.folder / "log"), "-o", options, "start")

    def stop(self, how: str = "fast") -> None:
        """`immediate` is what a power cut does."""
        self._run("pg_ctl", "-w", "-m", how, "stop")

    def copy_schema(self, name: str, tablespace: str = "") -> None:
        """The tests' empty database, here."""
        server = ["-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres"]
        theirs = connection.settings_dict
        subprocess.run([BIN / "dropdb", *server, "--if-exists", "--force", name], check=True)
        where = ["-D", tablespace] if tablespace else []
        subprocess.run([BIN / "createdb", *server, *where, name], check=True)
        dump = subprocess.run(
            [BIN / "pg_dump", "-h", theirs["HOST"], "-p", str(theirs["PORT"] or 5432), "-U",
             theirs["USER"], "--no-owner", theirs["NAME"]],
            check=True, capture_output=True,
        ).stdout  # fmt: skip
        load = [BIN / "psql", *server, "-q", "-v", "ON_ERROR_STOP=1", "-o", os.devnull, name]
        subprocess.run(load, check=True, input=dump)

    def take(self, name: str) -> None:
        """Give a folder below ours to the server."""
        if os.getuid() == 0:
            os.chown(self.folder / name, pwd.getpwnam("postgres").pw_uid, -1)

    def drop_all(self) -> None:
        """Drop the tests' copy."""
        server = ["-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres"]
        subprocess.run(
            [BIN / "dropdb", *server, "--force", connection.settings_dict["NAME"]], check=True
        )

    def say(self, sql: str) -> str:
        """Run one statement; what it answers."""
        server = ["-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres"]
        command = [BIN / "psql", *server, "-qtA", "-c", sql, "postgres"]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def _run(self, name: str, *args: str) -> None:
        as_postgres = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        command = [*as_postgres, str(BIN / name), "-D", str(self.folder / "data"), *args]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/")


@contextmanager
def own_postgres(copy_of: Postgres | None = None) -> Iterator[Postgres]:
    """A cluster for as long as the block lasts; `copy_of` another, it follows that one."""
    folder = Path(tempfile.mkdtemp(prefix="sphinx-pg-", dir="/tmp"))
    server = Postgres(folder, copy_of)
    try:
        yield server
    finally:
        subprocess.run(["pkill", "-QUIT", "-f", str(folder)], check=False)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def connected_to(server: Postgres, tablespace: str = "") -> Iterator[None]:
    """Let the test, and what it starts, work on a database of that cluster."""
    theirs = connection.settings_dict
    before = {key: theirs[key] for key in ("HOST", "PORT", "USER", "PASSWORD")}
    server.copy_schema(theirs["NAME"], tablespace)
    connection.close()
    theirs.update(HOST="127.0.0.1", PORT=server.port, USER="postgres", PASSWORD="")
    try:
        yield
    finally:
        connection.close()
        theirs.update(before)


class Redis:
    """A server that keeps nothing on disk: killed, it forgets every message."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""],
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
        )
        wait_for(self._answers, 10)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(timeout=10)

    def _answers(self) -> bool:
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port)) == 0


@contextmanager
def own_redis(folder: Path) -> Iterator[Redis]:
    """A server for as long as the block lasts."""
    server = Redis(folder)
    try:
        yield server
    finally:
        server.kill()


@contextmanager
def celery(
    environment: dict[str, str], *args: str, log: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A worker or beat for as long as the block lasts."""
    stream = log.open("ab") if log else subprocess.DEVNULL
    process = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "sphinx", *args, "--loglevel", "info"],
        env=environment,
        stdout=stream,
        stderr=stream,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(timeout=10)


def run_apart(environment: dict[str, str], code: str) -> str:
    """What a process of its own prints that sets Django up and runs this."""
    answer = subprocess.run(
        [sys.executable, "-c", f"import django; django.setup()\n{code}"],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return answer.stdout


def send(environment: dict[str, str], task: str, **kwargs: Any) -> None:
    """Put a task on the broker, as another process would."""
    code = f"from sphinx.celery import app; app.send_task({task!r}, kwargs={kwargs!r})"
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)


def can_mount() -> bool:
    """True where a small disk of memory may be mounted."""
    if os.getuid() != 0:
        return False
    with tempfile.TemporaryDirectory() as folder:
        made = subprocess.run(_mount(["size=1m"], folder), check=False, capture_output=True)
        if made.returncode == 0:
            subprocess.run(["umount", folder], check=True)
        return made.returncode == 0


def _mount(options: Sequence[str], folder: str | Path) -> list[str]:
    return ["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", str(folder)]


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Callable[[int], None]]:
    """A disk of that size at `folder`; what is yielded makes it larger."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(_mount([f"size={megabytes}m"], folder), check=True)

    def grow(larger: int) -> None:
        subprocess.run(_mount(["remount", f"size={larger}m"], folder), check=True)

    try:
        yield grow
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)
