"""How files are fetched: one module a protocol, all with the same four verbs."""

from collections.abc import Iterator
from contextlib import contextmanager

from ftp_ingest.models import Feed
from ftp_ingest.transports.base import RemoteFile, Transport
from ftp_ingest.transports.folder import FolderTransport
from ftp_ingest.transports.ftp import FtpTransport
from ftp_ingest.transports.sftp import SftpTransport

_TRANSPORTS: dict[str, type[Transport]] = {
    Feed.Protocol.SFTP: SftpTransport,
    Feed.Protocol.FTPS: FtpTransport,
    Feed.Protocol.FTPS_IMPLICIT: FtpTransport,
    Feed.Protocol.FTP: FtpTransport,
    Feed.Protocol.FOLDER: FolderTransport,
}

__all__ = ["RemoteFile", "Transport", "open_transport"]


@contextmanager
def open_transport(feed: Feed, password: str, private_key: str) -> Iterator[Transport]:
    """Connect to the feed's server, disconnect at the end.

    Raises:
        ServerUnreachable, ServerRejected: see ftp_ingest.errors.
    """
    transport = _TRANSPORTS[feed.protocol](feed, password, private_key)
    try:
        transport.connect()
        yield transport
    finally:
        transport.close()
