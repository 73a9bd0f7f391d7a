"""Real FTP and FTPS servers on loopback, for the time of a test."""

import datetime
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
    folder: Path, certfile: Path | None = None, *, implicit: bool = False
) -> Iterator[int]:
    """Serve `folder` over FTP, or FTPS when there is a certificate; yields the port."""
    authorizer = DummyAuthorizer()
    authorizer.add_user(USER, PASSWORD, str(folder), perm="elradfmw")
    secure = ImplicitTlsHandler if implicit else TLS_FTPHandler
    base = secure if certfile else FTPHandler
    options = {"authorizer": authorizer}
    if certfile:
        options |= {
            "certfile": str(certfile),
            "tls_control_required": not implicit,
            "tls_data_required": True,
        }
    handler = type("Handler", (base,), options)
    # A loop of its own: the shared one would tie two servers together.
    server = ThreadedFTPServer(("127.0.0.1", 0), handler, ioloop=IOLoop())
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.address[1]
    finally:
        server.close_all()
        thread.join(timeout=5)
