"""FTP and FTPS by the standard library; FTPS with its certificate verified, data included."""

import ftplib
import posixpath
import ssl
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from ftp_ingest.errors import FeedRejected, FeedUnreachable
from ftp_ingest.models import Feed
from ftp_ingest.transports.base import DONE_FOLDER, TIMEOUT_SECONDS, RemoteFile, Transport


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


class FtpTransport(Transport):
    def connect(self) -> None:
        feed = self.feed
        is_tls = feed.protocol == Feed.Protocol.FTPS
        try:
            if is_tls:
                context = ssl.create_default_context(cadata=feed.tls_certificate or None)
                self._ftp: ftplib.FTP = _SharedSessionFtp(context=context, timeout=TIMEOUT_SECONDS)
            else:
                self._ftp = ftplib.FTP(timeout=TIMEOUT_SECONDS)
            self._ftp.encoding = "utf-8"
            self._ftp.connect(feed.host, feed.port or 21)
            self._ftp.login(feed.username, self.password)
            if isinstance(self._ftp, ftplib.FTP_TLS):
                self._ftp.prot_p()
            if feed.directory not in ("", "."):
                self._ftp.cwd(feed.directory)
        except ssl.SSLCertVerificationError as error:
            raise FeedRejected(
                _("Le certificat de %(host)s est refusé : %(reason)s.")
                % {"host": feed.host, "reason": error.verify_message},
                code="feed.bad_certificate",
            ) from error
        except ftplib.error_perm as error:
            raise self._refused(error) from error
        except (OSError, EOFError, ftplib.Error) as error:
            raise self._unreachable(error) from error

    def _refused(self, error: ftplib.error_perm) -> FeedRejected:
        if str(error).startswith("530"):
            return FeedRejected(
                _("%(host)s refuse le mot de passe de « %(user)s ».")
                % {"host": self.feed.host, "user": self.feed.username},
                code="feed.bad_login",
            )
        return FeedRejected(
            _("%(host)s : dossier « %(folder)s » absent ou interdit (%(reason)s).")
            % {"host": self.feed.host, "folder": self.feed.directory, "reason": error},
            code="feed.no_folder",
        )

    def _unreachable(self, error: Exception) -> FeedUnreachable:
        return FeedUnreachable(
            _("%(host)s : connexion impossible ou coupée (%(reason)s).")
            % {"host": self.feed.host, "reason": str(error) or type(error).__name__}
        )

    def close(self) -> None:
        with suppress(Exception):
            self._ftp.close()

    def list_files(self) -> list[RemoteFile]:
        try:
            try:
                listed = list(self._ftp.mlsd(facts=["type", "size", "modify"]))
            except ftplib.error_perm:
                return self._list_names()
        except (OSError, EOFError, ftplib.Error) as error:
            raise self._unreachable(error) from error
        return [
            RemoteFile(
                name,
                int(facts["size"]) if "size" in facts else None,
                facts.get("modify", ""),
            )
            for name, facts in sorted(listed)
            if facts.get("type", "file") == "file"
        ]

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
                self._ftp.retrbinary(f"RETR {file.name}", stream.write)
        except (OSError, EOFError, ftplib.Error) as error:
            raise self._unreachable(error) from error

    def put_away(self, file: RemoteFile) -> None:
        with suppress(ftplib.Error):
            self._ftp.mkd(DONE_FOLDER)
        self._ftp.rename(file.name, posixpath.join(DONE_FOLDER, file.name))

    def delete(self, file: RemoteFile) -> None:
        self._ftp.delete(file.name)
