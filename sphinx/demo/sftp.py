"""A small SFTP server on loopback, for the demo and the tests: real protocol, one folder.

Never more than that: it listens on 127.0.0.1 only and serves one user.
"""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncssh


@dataclass(frozen=True)
class SftpServer:
    """Where the server listens and the host key that it shows."""

    port: int
    username: str
    password: str
    host_key: str


class _Login(asyncssh.SSHServer):
    def __init__(self, username: str, password: str) -> None:
        self._username, self._password = username, password

    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == (self._username, self._password)


def _load_host_key(path: Path) -> asyncssh.SSHKey:
    """The server's key, drawn once: a server whose key changes is one to distrust."""
    if path.exists():
        return asyncssh.read_private_key(str(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    key = asyncssh.generate_private_key("ssh-ed25519")
    path.touch(mode=0o600)
    key.write_private_key(str(path))
    return key


def public_key(path: Path) -> str:
    """The key that the server shows, as a feed wants it: "ssh-ed25519 AAAA…"."""
    kind, data = _load_host_key(path).export_public_key().decode().split()[:2]
    return f"{kind} {data}"


def answers(port: int) -> bool:
    """True when an SSH server already listens there."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=2) as link:
        return link.recv(4) == b"SSH-"
    return False


@contextmanager
def serve_folder(
    folder: Path,
    *,
    username: str,
    password: str,
    key_file: Path,
    port: int = 0,
    **options: Any,
) -> Iterator[SftpServer]:
    """Serve `folder` over SFTP while the context lasts; port 0 takes a free one.

    `options` go to asyncssh.listen.
    """
    key = _load_host_key(key_file)
    loop = asyncio.new_event_loop()
    started = threading.Event()
    state: dict[str, Any] = {}

    def in_folder(channel: Any) -> asyncssh.SFTPServer:
        return asyncssh.SFTPServer(channel, chroot=str(folder).encode())

    async def start() -> None:
        state["server"] = await asyncssh.listen(
            "127.0.0.1",
            port,
            server_host_keys=[key],
            server_factory=lambda: _Login(username, password),
            allow_scp=False,
            **{"sftp_factory": in_folder, **options},
        )

    async def stop() -> None:
        state["server"].close()
        tasks = asyncio.all_tasks(loop) - {asyncio.current_task(loop)}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def run() -> None:
        asyncio.set_event_loop(loop)
        try:
            loop.run_until_complete(start())
        except OSError as error:
            state["error"] = error
            started.set()
            return
        started.set()
        loop.run_forever()

    thread = threading.Thread(target=run, daemon=True, name="demo-sftp")
    thread.start()
    started.wait()
    if "error" in state:
        raise state["error"]
    try:
        yield SftpServer(state["server"].get_port(), username, password, public_key(key_file))
    finally:
        asyncio.run_coroutine_threadsafe(stop(), loop).result(timeout=5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=5)
        loop.close()
