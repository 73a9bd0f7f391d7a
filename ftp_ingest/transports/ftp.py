"""FTP and FTPS by the standard library; FTPS with its certificate verified, data included."""

import ftplib
import posixpath
import ssl
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from ftp_ingest.models import Feed
from ftp_ingest.transports.base import (
    DONE_FOLDER,
    MAX_DEPTH,
    RemoteFile,
    Transport,
    is_safe,
)
from sphinx.core.errors import ServerRejected
from sphinx.core.sftp import TIMEOUT_SECONDS


class _SharedSessionFtp(ftplib.FTP_TLS):
    """Reuses the control channel's TLS session for data, as strict servers ask (vsftpd)."""

    def ntransfercmd(self, cmd: str, rest: Any = None) -> Any:
        connection, size = ftplib.FTP.ntransfercmd(self, cmd, rest)
        if self._prot_p:  # type: ignore[attr-defined]
            connection = self.context.wrap_socket(
                connection,
                server_hostname=self.host,
                session=self.sock.session,  # type: ignore[union-attr]
            )
        return connection, size


class _ImplicitFtp(_SharedSessionFtp):
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


class FtpTransport(Transport):
    def connect(self) -> None:
        feed = self.feed
        try:
            self._ftp = self._client()
            self._ftp.encoding = "utf-8"
            self._ftp.set_pasv(feed.is_passive)
            self._ftp.connect(feed.host, feed.port or self._usual_port())
            self._ftp.login(feed.username, self.password)
            if isinstance(self._ftp, ftplib.FTP_TLS):
                self._ftp.prot_p()
            if feed.directory not in ("", "."):
                self._ftp.cwd(feed.directory)
        except ssl.SSLCertVerificationError as error:
            raise ServerRejected(
                _("Le certificat de %(host)s est refusé : %(reason)s.")
                % {"host": feed.host, "reason": error.verify_message},
                code="server.bad_certificate",
            ) from error
        except ftplib.error_perm as error:
            raise self._refused(error) from error
        except (OSError, EOFError, ftplib.Error) as error:
            raise self.failed(error) from error

    def _client(self) -> ftplib.FTP:
        feed = self.feed
        if feed.protocol == Feed.Protocol.FTP:
            return ftplib.FTP(timeout=TIMEOUT_SECONDS)
        context = ssl.create_default_context(cadata=feed.tls_certificate or None)
        implicit = feed.protocol == Feed.Protocol.FTPS_IMPLICIT
        kind = _ImplicitFtp if implicit else _SharedSessionFtp
        return kind(context=context, timeout=TIMEOUT_SECONDS)

    def _usual_port(self) -> int:
        return 990 if self.feed.protocol == Feed.Protocol.FTPS_IMPLICIT else 21

    def _refused(self, error: ftplib.error_perm) -> ServerRejected:
        if str(error).startswith("530"):
            return ServerRejected(
                _("%(host)s refuse le mot de passe de « %(user)s ».")
                % {"host": self.feed.host, "user": self.feed.username},
                code="server.bad_login",
            )
        return ServerRejected(
            _("%(host)s : dossier « %(folder)s » absent ou interdit (%(reason)s).")
            % {"host": self.feed.host, "folder": self.feed.directory, "reason": error},
            code="server.no_folder",
        )

    def close(self) -> None:
        with suppress(Exception):
            self._ftp.close()

    def list_files(self) -> list[RemoteFile]:
        return self._list("", MAX_DEPTH if self.feed.subfolders else 0)

    def _list(self, below: str, depth: int) -> list[RemoteFile]:
        try:
            try:
                listed = list(self._ftp.mlsd(below, facts=["type", "size", "modify"]))
            except ftplib.error_perm:
                # Servers without MLSD tell files from folders in no certain way.
                return [] if below else self._list_names()
        except (OSError, EOFError, ftplib.Error) as error:
            raise self.failed(error) from error
        files = []
        for base, facts in sorted(listed):
            name = posixpath.join(below, base) if below else base
            kind = facts.get("type", "file")
            if kind == "file":
                size = int(facts["size"]) if "size" in facts else None
                files.append(RemoteFile(name, size, facts.get("modify", "")))
            elif kind == "dir" and depth and base != DONE_FOLDER and is_safe(name):
                files += self._list(name, depth - 1)
        return files

    def _list_names(self) -> list[RemoteFile]:
        """For servers without MLSD."""
        files = []
        for name in sorted(self._ftp.nlst()):
            with suppress(ftplib.error_perm):
                self._ftp.voidcmd("TYPE I")
                size = self._ftp.size(name)
                modified = self._ftp.voidcmd(f"MDTM {name}")[4:]
                files.append(RemoteFile(posixpath.basename(name), size, modified))
        return files

    def fetch(self, file: RemoteFile, target: Path) -> None:
        try:
            with target.open("wb") as stream:

                def keep(block: bytes) -> None:
                    self.check_time()
                    stream.write(block)

                self._ftp.retrbinary(f"RETR {file.name}", keep)
        except (OSError, EOFError, ftplib.Error) as error:
            raise self.failed(error) from error

    def put_away(self, file: RemoteFile) -> None:
        with suppress(ftplib.Error):
            self._ftp.mkd(DONE_FOLDER)
        base = posixpath.basename(file.name)
        self._ftp.rename(file.name, posixpath.join(DONE_FOLDER, base))

    def delete(self, file: RemoteFile) -> None:
        self._ftp.delete(file.name)

    def put(self, source: Path, name: str) -> None:
        aside = f"{name}.part"
        try:
            with source.open("rb") as stream:
                self._ftp.storbinary(f"STOR {aside}", stream, callback=self.check_time)
            self._ftp.rename(aside, name)
        except (OSError, EOFError, ftplib.Error) as error:
            raise self.failed(error) from error
