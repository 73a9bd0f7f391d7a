"""The test of a feed's connection, step by step, and the pinning of its host key."""

import socket
from typing import Any, NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _

from ftp_ingest.models import Feed
from ftp_ingest.transports import open_transport
from sphinx.core.credentials import reveal
from sphinx.core.errors import BusinessRuleError, ServerUnreachable, SphinxError
from sphinx.core.services import record
from sphinx.core.sftp import SSH_PORT, fingerprint, key_text, presented_key
from sphinx.core.ssh_keys import parse_host_keys

SHOWN_FILES = 5


class Step(NamedTuple):
    """What one step found; `key` is a host key that waits to be confirmed."""

    is_ok: bool
    text: str
    key: str = ""


def probe(feed: Feed) -> list[Step]:
    """Try the connection, as far as it goes; nothing is fetched, nothing raised."""
    steps: list[Step] = []
    try:
        _probe(feed, steps)
    except SphinxError as error:
        steps.append(Step(False, error.message))
    return steps


def _probe(feed: Feed, steps: list[Step]) -> None:
    if feed.protocol != Feed.Protocol.FOLDER:
        steps.append(_resolve(feed.host))
    if feed.protocol == Feed.Protocol.FTP:
        steps.append(Step(True, _("Attention : FTP n'est pas chiffré, mot de passe compris.")))
    if feed.protocol == Feed.Protocol.SFTP and not _is_key_known(feed, steps):
        return
    password, private_key = reveal(feed.password_encrypted), reveal(feed.private_key_encrypted)
    with open_transport(feed, password, private_key) as transport:
        steps.append(Step(True, _("Connexion, identification et dossier acceptés.")))
        listed = transport.list_files()
        names = frozenset(file.name for file in listed)
        wanted = [file.text for file in listed if transport.wanted(file.name, names)]
        steps.append(
            Step(
                True,
                _("%(all)s fichiers dans le dossier, %(wanted)s à relever%(names)s.")
                % {
                    "all": len(listed),
                    "wanted": len(wanted),
                    "names": f" ({', '.join(wanted[:SHOWN_FILES])})" if wanted else "",
                },
            )
        )
        steps += [Step(False, sentence) for sentence in transport.said[:SHOWN_FILES]]


def _resolve(host: str) -> Step:
    try:
        address = socket.getaddrinfo(host, None)[0][4][0]
    except (OSError, UnicodeError) as error:
        raise ServerUnreachable(
            _("Le nom « %(host)s » est introuvable (%(reason)s).")
            % {"host": host, "reason": getattr(error, "strerror", None) or error}
        ) from error
    return Step(True, _("« %(host)s » est à l'adresse %(ip)s.") % {"host": host, "ip": address})


def _is_key_known(feed: Feed, steps: list[Step]) -> bool:
    """Compare the server's key with the feed's; an unknown one waits for a person."""
    key = presented_key(feed.host, feed.port or SSH_PORT)
    shown = {"print": fingerprint(key), "kind": key.get_name()}
    if not feed.host_key.strip():
        text = _(
            "Le serveur présente la clé %(kind)s %(print)s. Comparez cette empreinte avec celle de "
            "l'hébergeur, puis confirmez-la."
        )
        steps.append(Step(False, text % shown, key_text(key)))
        return False
    if key in parse_host_keys(feed.host_key):
        steps.append(Step(True, _("La clé d'hôte est celle du flux (%(print)s).") % shown))
    return True


@transaction.atomic
def accept_host_key(*, feed_id: int, key: str, actor: Any = None) -> Feed:
    """Pin the key that a person confirmed, where none was pinned.

    Raises:
        BusinessRuleError: a key is pinned already, or the server presents another one now.
    """
    feed = Feed.objects.select_for_update(no_key=True, of=("self",)).get(pk=feed_id)
    if feed.host_key.strip():
        raise BusinessRuleError(
            _("Une clé d'hôte est déjà retenue : effacez-la d'abord dans la fiche du flux."),
            code="feed.key_pinned",
        )
    presented = presented_key(feed.host, feed.port or SSH_PORT)
    if key_text(presented) != key:
        raise BusinessRuleError(
            _("Le serveur ne présente plus cette clé : recommencez l'essai."),
            code="feed.key_moved",
        )
    feed.host_key = key
    feed.save(update_fields=["host_key"])
    record("feed.host_key_accepted", [feed], actor=actor, fingerprint=fingerprint(presented))
    return feed
