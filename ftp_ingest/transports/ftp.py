"""FTP and FTPS; FTPS with its certificate verified, data included."""

import ftplib
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from django.utils.translation import gettext as _

from ftp_ingest.errors import EntrySkipped
from ftp_ingest.models import Feed
from ftp_ingest.transports.base import (
    Entry,
    RemoteFile,
    Transport,
    not_given,
    parents,
    refuse_large,
)
from ftp_ingest.transports.ftp_client import Client, ImplicitTlsClient, TlsClient
from ftp_ingest.transports.ftp_listings import (
    NotUnderstood,
    Reader,
    from_facts,
    from_list,
    read_lines,
    utc,
)
from sphinx.core import clock
from sphinx.core.errors import ServerRejected, ServerUnreachable
from sphinx.core.sftp import LOGIN_SECONDS, TIMEOUT_SECONDS
from sphinx.core.texts import visible

_ERRORS = (OSError, EOFError, UnicodeError, ftplib.Error)
# These speak of the file or folder that was asked for, not of the connection.
_NO_FILE = ("45", "50", "55")
# TLS that doesn't begin: no cipher in common, or no TLS at all there.
_NO_COMMON_CIPHER = ("HANDSHAKE_FAILURE", "NO_SHARED_CIPHER", "UNSUPPORTED_PROTOCOL", "VERSION")
_NO_TLS = "WRONG_VERSION_NUMBER"


class FtpTransport(Transport):
    # None until the server was asked.
    _has_mlsd: bool | None = None

    def connect(self) -> None:
        feed = self.feed
        began = time.monotonic()

        def check() -> None:
            if time.monotonic() - began > LOGIN_SECONDS:
                raise TimeoutError

        with self._refusals():
            self._ftp = self._client()
            self._ftp.check = check
            self._ftp.set_pasv(feed.is_passive)
            self._ftp.connect(feed.host, feed.port or self._usual_port())
            self._log_in()
            self._enter_folder(feed.directory)
            self._ftp.check = self.check_time

    def _client(self) -> Client:
        feed = self.feed
        if feed.protocol == Feed.Protocol.FTP:
            return Client(timeout=TIMEOUT_SECONDS)
        context = ssl.create_default_context(cadata=feed.tls_certificate or None)
        implicit = feed.protocol == Feed.Protocol.FTPS_IMPLICIT
        kind = ImplicitTlsClient if implicit else TlsClient
        return kind(context=context, timeout=TIMEOUT_SECONDS)

    def _usual_port(self) -> int:
        return 990 if self.feed.protocol == Feed.Protocol.FTPS_IMPLICIT else 21

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        """What goes wrong at log-in, in words."""
        try:
            yield
        except ssl.SSLCertVerificationError as error:
            raise ServerRejected(
                _("Le certificat de %(host)s est refusé : %(reason)s.")
                % {"host": self.feed.host, "reason": error.verify_message},
                code="server.bad_certificate",
            ) from error
        except ssl.SSLError as error:
            raise self._no_tls(error) from error
        except _ERRORS as error:
            raise self.failed(error) from error

    def _no_tls(self, error: ssl.SSLError) -> ServerRejected | ServerUnreachable:
        reason = error.reason or ""
        if reason == _NO_TLS:
            return ServerRejected(
                _(
                    "%(host)s ne parle pas TLS sur ce port : choisissez FTPS explicite ou "
                    "implicite, ou l'autre port."
                )
                % {"host": self.feed.host},
                code="server.no_tls",
            )
        if any(word in reason for word in _NO_COMMON_CIPHER):
            return ServerRejected(
                _(
                    "Le serveur %(host)s n'offre aucun chiffrement accepté (%(reason)s). Demandez "
                    "à l'hébergeur de mettre son serveur à jour."
                )
                % {"host": self.feed.host, "reason": reason},
                code="server.incompatible",
            )
        return self.failed(error)

    def _log_in(self) -> None:
        user = self.feed.username
        try:
            if isinstance(self._ftp, TlsClient):
                self._secure(self._ftp)
            self._ftp.login(user, self.password)
            if isinstance(self._ftp, TlsClient):
                self._ftp.prot_p()
        except ftplib.error_perm as error:
            said = visible(str(error))
            if isinstance(self._ftp, TlsClient) or not _asks_for_tls(said):
                raise ServerRejected(
                    _("%(host)s refuse le mot de passe de « %(user)s » (%(reason)s).")
                    % {"host": self.feed.host, "user": user, "reason": said},
                    code="server.bad_login",
                ) from error
            raise ServerRejected(
                _("%(host)s demande une connexion chiffrée : choisissez FTPS (%(reason)s).")
                % {"host": self.feed.host, "reason": said},
                code="server.tls_required",
            ) from error

    def _secure(self, client: TlsClient) -> None:
        if isinstance(client, ImplicitTlsClient):
            return
        try:
            client.auth()
        except ftplib.error_perm as error:
            raise ServerRejected(
                _("%(host)s n'offre pas le FTPS explicite (%(reason)s).")
                % {"host": self.feed.host, "reason": visible(str(error))},
                code="server.no_tls",
            ) from error

    def _enter_folder(self, folder: str) -> None:
        if folder in ("", "."):
            return
        try:
            self._change_to(folder)
        except ftplib.error_perm as error:
            raise ServerRejected(
                _("%(host)s : dossier « %(folder)s » absent ou interdit (%(reason)s).")
                % {"host": self.feed.host, "folder": folder, "reason": visible(str(error))},
                code="server.no_folder",
            ) from error

    def _change_to(self, folder: str) -> None:
        """As it was typed, or with its accents as an older server spells them."""
        try:
            self._ftp.cwd(folder)
        except ftplib.error_perm:
            if folder.isascii():
                raise
            raw = folder.encode("cp1252", "replace")
            self._ftp.cwd(raw.decode("utf-8", "surrogateescape"))

    def close(self) -> None:
        with suppress(Exception):
            self._ftp.close()

    # --- Listings ---------------------------------------------------------------------

    def list_folder(self, below: str) -> list[Entry]:
        try:
            lines, read = self._lines(below)
        except (ftplib.error_perm, ftplib.error_temp) as error:
            if below and str(error)[:2] in _NO_FILE:
                raise self.no_folder(below) from error
            raise self.failed(error) from error
        except _ERRORS as error:
            raise self.failed(error) from error
        entries, faults = read_lines(lines, read, clock.now())
        if faults and not entries and all(not fault.name for fault in faults):
            raise ServerRejected(
                _(
                    "%(host)s : la liste du dossier ne se comprend pas (« %(line)s »). Demandez à "
                    "l'hébergeur un serveur qui connaît MLSD."
                )
                % {"host": self.feed.host, "line": visible(str(faults[0])[:80])},
                code="server.unreadable_listing",
            )
        for fault in faults:
            self._leave_line(fault)
        return entries

    def _lines(self, below: str) -> tuple[list[str], Reader]:
        if self._has_mlsd is not False:
            try:
                lines = self._ftp.listing(f"MLSD {below}".rstrip(), self.count_listed)
                self._has_mlsd = True
                return lines, from_facts
            except ftplib.error_perm:
                # It lists other folders that way: it is this one that it doesn't list.
                if self._has_mlsd:
                    raise
                self._has_mlsd = False
        return self._list_lines(below), from_list

    def _list_lines(self, below: str) -> list[str]:
        """LIST of a folder, from inside it: what follows LIST is an option to some servers."""
        if not below:
            return self._empty_or("LIST")
        home = self._ftp.pwd()
        try:
            self._ftp.cwd(below)
            return self._empty_or("LIST")
        finally:
            # Even after a no: some servers say it when they are in already.
            self._ftp.cwd(home)

    def _empty_or(self, command: str) -> list[str]:
        try:
            return self._ftp.listing(command, self.count_listed)
        except (ftplib.error_perm, ftplib.error_temp) as error:
            # How some servers say that a folder is empty.
            if str(error)[:3] in ("450", "550") and "no files" in str(error).lower():
                return []
            raise

    def _leave_line(self, fault: NotUnderstood) -> None:
        line = visible(str(fault)[:200])
        if not fault.name:
            self.leave(
                _("Ligne « %s » illisible dans la liste du serveur : laissée de côté.") % line
            )
        elif self.matches(fault.name):
            self.leave(
                _("« %(name)s » : sa taille n'est pas un nombre (« %(line)s »), laissé de côté.")
                % {"name": visible(fault.name), "line": line}
            )

    # --- Files ------------------------------------------------------------------------

    def fetch(self, file: RemoteFile, target: Path) -> None:
        refuse_large(file, file.size or 0)
        try:
            with self.receiving(file, target) as keep:
                self._ftp.retrbinary(f"RETR {file.name}", keep)
        except EntrySkipped:
            # Cut off in the middle: what the server still says would answer the next command.
            self.close()
            self.connect()
            raise
        except (ftplib.error_perm, ftplib.error_temp) as error:
            if str(error)[:2] in _NO_FILE:
                raise not_given(file, error) from error
            raise self.failed(error) from error
        except _ERRORS as error:
            raise self.failed(error) from error

    def time_of(self, file: RemoteFile) -> datetime | None:
        """To the second and in UTC: LIST tells minutes, in the server's own time zone."""
        if self._has_mlsd:
            return file.modified_at
        try:
            return utc(self._ftp.voidcmd(f"MDTM {file.name}")[4:].strip()) or file.modified_at
        except (ftplib.error_perm, ftplib.error_temp):
            return file.modified_at
        except _ERRORS as error:
            raise self.failed(error) from error

    def put_away(self, file: RemoteFile) -> None:
        target = self.done_name(file, self._exists)
        for folder in parents(target):
            with suppress(ftplib.Error):
                self._ftp.mkd(folder)
        self._ftp.rename(file.name, target)

    def _exists(self, name: str) -> bool:
        try:
            self._ftp.voidcmd("TYPE I")
            self._ftp.size(name)
        except (ftplib.error_perm, ValueError):
            return False
        return True

    def delete(self, file: RemoteFile) -> None:
        self._ftp.delete(file.name)

    def put(self, source: Path, name: str) -> None:
        aside = f"{name}.part"
        try:
            with source.open("rb") as stream:
                self._ftp.storbinary(f"STOR {aside}", stream, callback=self.check_time)
            self._rename_over(aside, name)
        except _ERRORS as error:
            raise self.failed(error) from error

    def _rename_over(self, aside: str, name: str) -> None:
        try:
            self._ftp.rename(aside, name)
        except ftplib.error_perm:
            # Some servers (IIS) rename over nothing that is there.
            if not self._exists(name):
                raise
            self._ftp.delete(name)
            self._ftp.rename(aside, name)


def _asks_for_tls(answer: str) -> bool:
    return any(word in answer.lower() for word in ("encrypt", "tls", "ssl", "auth first"))
