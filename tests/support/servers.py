"""Real FTP and FTPS servers on loopback, for the time of a test; and one that misbehaves."""

import datetime
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler, TLS_FTPHandler
from pyftpdlib.ioloop import IOLoop
from pyftpdlib.servers import ThreadedFTPServer

USER, PASSWORD = "boutique", "mot-de-passe-du-test"


def certificate(folder: Path, *, days: int = 1) -> tuple[Path, str]:
    """A self-signed certificate for 127.0.0.1: its file with key, and its PEM to trust."""
    import ipaddress

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=2))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM).decode()
    path = folder / "server.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(secret + pem.encode())
    return path, pem


class ImplicitTlsHandler(TLS_FTPHandler):
    """TLS from the first byte."""

    def handle(self) -> None:
        self.secure_connection(self.ssl_context)

    def handle_ssl_established(self) -> None:
        FTPHandler.handle(self)

    def ftp_AUTH(self, arg: str) -> None:  # noqa: N802 (pyftpdlib's name)
        self.respond("550 not supposed to be used with implicit SSL.")


@contextmanager
def ftp_server(
    folder: Path,
    certfile: Path | None = None,
    *,
    implicit: bool = False,
    without: Iterable[str] = (),
) -> Iterator[int]:
    """Serve `folder` over FTP, or FTPS when there is a certificate, `without` some of its
    commands; yields the port."""
    authorizer = DummyAuthorizer()
    authorizer.add_user(USER, PASSWORD, str(folder), perm="elradfmw")
    secure = ImplicitTlsHandler if implicit else TLS_FTPHandler
    base = secure if certfile else FTPHandler
    options: dict[str, Any] = {"authorizer": authorizer}
    known = {name: value for name, value in base.proto_cmds.items() if name not in set(without)}
    options |= {"proto_cmds": known, "unicode_errors": "surrogateescape"}
    if certfile:
        options |= {
            "certfile": str(certfile),
            "tls_control_required": not implicit,
            "tls_data_required": True,
        }
    handler = type("Handler", (base,), options)
    # A loop of its own: the shared one would tie two servers together.
    server = ThreadedFTPServer(("127.0.0.1", 0), handler, ioloop=IOLoop())
    closing = threading.Event()
    thread = threading.Thread(target=_serve, args=(server, closing), daemon=True)
    thread.start()
    try:
        yield server.address[1]
    finally:
        closing.set()
        server.close_all()
        thread.join(timeout=5)


def _serve(server: ThreadedFTPServer, closing: threading.Event) -> None:
    """Closing takes the sockets from under the loop, which may be waiting on them."""
    try:
        server.serve_forever()
    except OSError:
        if not closing.is_set():
            raise


def drip(block: bytes = b"x", every: float = 0.2) -> Iterator[bytes]:
    """The same bytes for ever, slowly."""
    while True:
        yield block
        time.sleep(every)


class ScriptedFtp:
    """An FTP server that says what a test tells it to say: `data` by command, as blocks."""

    def __init__(
        self,
        data: dict[str, Callable[[], Iterable[bytes]]],
        *,
        banner: Callable[[], Iterable[bytes]] = lambda: [b"220 ready\r\n"],
        refused: Iterable[str] = (),
    ) -> None:
        self.data = data
        self.banner = banner
        self.refused = set(refused)
        self.asked: list[str] = []

    def talk(self, control: socket.socket) -> None:
        for block in self.banner():
            control.sendall(block)
        lines = control.makefile("rb")
        waiting: socket.socket | None = None
        for raw in lines:
            command = raw.decode("utf-8", "replace").strip()
            self.asked.append(command)
            verb = command.split(" ")[0].upper()
            if verb in ("PASV", "EPSV"):
                waiting = socket.create_server(("127.0.0.1", 0))
                high, low = divmod(waiting.getsockname()[1], 256)
                control.sendall(f"227 (127,0,0,1,{high},{low})\r\n".encode())
            elif waiting is not None and (found := self.data.get(command)) is not None:
                self._send(control, waiting, found())
            else:
                control.sendall(self._answer(verb))

    def _answer(self, verb: str) -> bytes:
        if verb in self.refused:
            return b"500 Unknown command.\r\n"
        if verb in ("RETR", "MLSD", "LIST", "SIZE", "MDTM"):
            return b"550 Not here.\r\n"
        if verb == "PWD":
            return b'257 "/" is where you are\r\n'
        return b"331 go on\r\n" if verb == "USER" else b"230 fine\r\n"

    @staticmethod
    def _send(control: socket.socket, waiting: socket.socket, blocks: Iterable[bytes]) -> None:
        control.sendall(b"150 here it comes\r\n")
        connection, _address = waiting.accept()
        with waiting, connection:
            try:
                for block in blocks:
                    connection.sendall(block)
            except OSError:
                control.sendall(b"426 cut off\r\n")
                return
        control.sendall(b"226 done\r\n")

    @contextmanager
    def serve(self) -> Iterator[int]:
        """Listen while the context lasts; yields the port."""
        talk = self.talk

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with suppress(OSError):
                    talk(self.request)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            block_on_close = False

        with Server(("127.0.0.1", 0), Handler) as server:
            thread = threading.Thread(target=server.serve_forever, daemon=True)
            thread.start()
            yield server.server_address[1]
            server.shutdown()
            thread.join(timeout=5)
