"""FTP's client of the standard library, for servers as they are: bytes that aren't UTF-8, answers
and listings without end, sessions of TLS that strict servers ask to be shared."""

import ftplib
import ssl
from collections.abc import Callable
from typing import Any

# No server has so much to say at once.
MAX_ANSWER_BYTES = 64 * 1024
_BLOCK = 8192


class Client(ftplib.FTP):
    """Reads its connection block by block, so that `check` is asked however slowly they come."""

    # Called before each wait; raises when the time is up.
    check: Callable[[], object] = staticmethod(lambda: None)
    sock: Any
    _pending = b""
    _answered = 0

    def putline(self, line: str) -> None:
        if "\r" in line or "\n" in line:
            raise ftplib.error_proto(line)
        self._answered = 0
        self.sock.sendall(f"{line}\r\n".encode("utf-8", "surrogateescape"))

    def getline(self) -> str:
        while b"\n" not in self._pending:
            self.check()
            block = self.sock.recv(_BLOCK)
            if not block:
                raise EOFError
            self._pending += block
            self._answered += len(block)
            if self._answered > MAX_ANSWER_BYTES:
                raise ftplib.error_proto(self._pending[:80].decode("utf-8", "surrogateescape"))
        line, _newline, self._pending = self._pending.partition(b"\n")
        return line.rstrip(b"\r").decode("utf-8", "surrogateescape")

    def listing(self, command: str, count: Callable[[int, int], object]) -> list[str]:
        """The lines of MLSD, LIST or NLST; `count` hears of bytes and lines as they come."""
        lines: list[str] = []
        rest = b""
        self.voidcmd("TYPE A")
        with self.transfercmd(command) as data:
            while block := data.recv(_BLOCK):
                *whole, rest = (rest + block).split(b"\n")
                count(len(block), len(whole))
                if len(rest) > MAX_ANSWER_BYTES:
                    raise ftplib.error_proto(rest[:80].decode("utf-8", "surrogateescape"))
                lines += [line.decode("utf-8", "surrogateescape") for line in whole]
            if isinstance(data, ssl.SSLSocket):
                data.unwrap()
        self.voidresp()
        if rest:
            lines.append(rest.decode("utf-8", "surrogateescape"))
        return [line.rstrip("\r") for line in lines]


class TlsClient(Client, ftplib.FTP_TLS):
    """Reuses the control channel's TLS session for data, as strict servers ask (vsftpd)."""

    def auth(self) -> Any:
        answer = super().auth()
        # Said before the connection was secure, by whoever sits in between.
        self._pending = b""
        return answer

    def ntransfercmd(self, cmd: str, rest: Any = None) -> Any:
        connection, size = ftplib.FTP.ntransfercmd(self, cmd, rest)
        if self._prot_p:  # type: ignore[attr-defined]
            connection = self.context.wrap_socket(
                connection,
                server_hostname=self.host,
                session=self.sock.session,
            )
        return connection, size


class ImplicitTlsClient(TlsClient):
    """TLS from the first byte, as port 990 speaks it; the standard library has no such mode."""

    _plain: Any = None

    @property
    def sock(self) -> Any:
        return self._plain

    @sock.setter
    def sock(self, value: Any) -> None:
        if value is not None and not isinstance(value, ssl.SSLSocket):
            value = self.context.wrap_socket(value, server_hostname=self.host)
        self._plain = value
