"""Batches sent to the accountant by e-mail or SFTP: on their day, until they have arrived."""

import io
import posixpath
import zipfile
from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import Any

from django.core.mail import EmailMessage
from django.db import transaction
from django.utils.translation import gettext as _

from accounting_export.errors import NothingToExport, TooLarge
from accounting_export.models import Dispatch, ExportBatch, Sending
from accounting_export.selectors import next_month, sending_settings
from accounting_export.services.entries import SALES_JOURNAL
from accounting_export.services.exporting import export_new
from invoicing.anchors import last_anchor
from sphinx.core import sftp
from sphinx.core.clock import business_date
from sphinx.core.credentials import reveal
from sphinx.core.errors import ServerRejected, ServerUnreachable, SphinxError
from sphinx.core.mailing import firm_message
from sphinx.core.services import record

# What most mailboxes take, once base64 has made it a third longer.
MAX_ATTACHED = 14 * 1024 * 1024
_REASON = Dispatch._meta.get_field("reason").max_length


def send_due(*, at: datetime) -> int:
    """On the day it is due, hand over what is new; then send all that waits. How many were sent.

    Twice makes no second batch: nothing is new then. One that can't be made keeps its reason, is
    tried again the next time, and holds nothing up.
    """
    chosen = sending_settings()
    if not chosen.is_active:
        return 0
    today = business_date(at)
    if chosen.next_on is None or chosen.next_on <= today:
        _hand_over(chosen, today)
    return send_waiting(at=at)


def _hand_over(chosen: Sending, today: date) -> None:
    journals = list(chosen.journals.values_list("code", flat=True)) or [SALES_JOURNAL]
    try:
        with suppress(NothingToExport):
            export_new(format_code=chosen.format, journals=journals, is_to_send=True)
    except (SphinxError, OSError) as error:
        Sending.objects.update(reason=str(error)[:_REASON])
    else:
        Sending.objects.update(reason="", next_on=next_day(today, chosen.rhythm))


def next_day(today: date, rhythm: str) -> date:
    """The next day of this rhythm after today."""
    if rhythm == Sending.Rhythm.DAY:
        return today + timedelta(days=1)
    if rhythm == Sending.Rhythm.WEEK:
        return today + timedelta(days=7 - today.weekday())
    return next_month(today)


def send_waiting(*, at: datetime) -> int:
    """Send every batch that waits, the oldest first; returns how many arrived.

    One that can't be sent keeps its reason and is tried again the next time.
    """
    waiting = Dispatch.objects.filter(sent_at=None).order_by("pk").values_list("pk", flat=True)
    return sum(_send_one(pk, at) for pk in list(waiting))


@transaction.atomic
def _send_one(pk: int, at: datetime) -> bool:
    """Sent under a lock that ends with the receipt: a crash in between sends it again."""
    free = Dispatch.objects.select_for_update(no_key=True, skip_locked=True, of=("self",))
    dispatch = free.filter(pk=pk, sent_at=None).select_related("batch").first()
    if dispatch is None:
        return False
    try:
        recipient = _send(sending_settings(), dispatch.batch)
    except (SphinxError, OSError) as error:
        dispatch.reason = str(error)[:_REASON]
        dispatch.save(update_fields=["reason"])
        return False
    dispatch.sent_at, dispatch.recipient, dispatch.reason = at, recipient, ""
    dispatch.save(update_fields=["sent_at", "recipient", "reason"])
    record("journal.sent", [dispatch.batch], to=recipient, sha256=dispatch.batch.sha256)
    return True


def _send(chosen: Sending, batch: ExportBatch) -> str:
    """Where it went."""
    if chosen.way == Sending.Way.SFTP:
        return _put(chosen, batch)
    if not chosen.email:
        raise ServerRejected(_("L'e-mail de l'expert-comptable manque (Envoi programmé)."))
    _message(chosen.email, batch).send()
    return chosen.email


def sent_name(batch: ExportBatch) -> str:
    """The file's name where it goes: its number first, since a year's FEC are called the same."""
    return f"{batch.number}-{batch.file.name}"


def _message(email: str, batch: ExportBatch) -> EmailMessage:
    shown: dict[str, Any] = {
        "number": batch.number,
        "journals": batch.journals,
        "first": f"{batch.date_from:%d/%m/%Y}",
        "last": f"{batch.date_to:%d/%m/%Y}",
        "entries": batch.entry_count,
        "lines": batch.line_count,
        "sum": f"{batch.debit:.2f}".replace(".", ","),
    }
    message = firm_message(
        _("Écritures %(number)s du %(first)s au %(last)s") % shown,
        [
            _("Bonjour,"),
            _(
                "Voici les écritures nouvelles (%(journals)s), datées du %(first)s au %(last)s : "
                "%(entries)s écritures, %(lines)s lignes, débit = crédit = %(sum)s €."
            )
            % shown,
            _("Empreinte SHA-256 du fichier : %s") % batch.sha256,
            *_anchored(),
        ],
        email,
    )
    name, data = sent_name(batch), batch.file.read_bytes()
    if len(data) > MAX_ATTACHED:
        name, data = f"{name}.zip", _zipped(name, data)
    if len(data) > MAX_ATTACHED:
        raise TooLarge(
            _("%s est trop grand pour un e-mail : choisissez le SFTP, ou un rythme plus court.")
            % name
        )
    message.attach(name, data, "application/zip" if name.endswith(".zip") else "text/plain")
    return message


def _anchored() -> list[str]:
    """The anchor of the last closing, so that it leaves this machine."""
    anchor = last_anchor()
    if not anchor:
        return []
    return [
        _(
            "Ancre de la dernière clôture : %s. Gardez ce message : « verify --anchor » dit si les "
            "livres ont été récrits depuis."
        )
        % anchor
    ]


def _zipped(name: str, data: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return stream.getvalue()


def _put(chosen: Sending, batch: ExportBatch) -> str:
    """Leave it on the accountant's server, and see that all of it arrived."""
    if not chosen.host_key.strip():
        raise _unknown_key(chosen)
    client, channel = sftp.connect(
        sftp.Account(
            chosen.host,
            chosen.port,
            chosen.username,
            reveal(chosen.password_encrypted),
            reveal(chosen.private_key_encrypted),
            chosen.host_key,
        )
    )
    target = posixpath.join(chosen.directory or ".", sent_name(batch))
    try:
        sftp.put_whole(channel, batch.file, target)
        arrived = channel.stat(target).st_size
    except FileNotFoundError as error:
        raise ServerRejected(
            _("Le dossier « %s » n'existe pas sur le serveur.") % chosen.directory,
            code="server.no_folder",
        ) from error
    except PermissionError as error:
        raise ServerRejected(
            _("Le dossier « %s » est interdit à cet utilisateur.") % chosen.directory,
            code="server.no_permission",
        ) from error
    except sftp.TRANSFER_ERRORS as error:
        raise sftp.failed(chosen.host, error) from error
    finally:
        client.close()
    if arrived != batch.file.stat().st_size:
        raise ServerUnreachable(_("%s n'est pas arrivé entier.") % sent_name(batch))
    return f"sftp://{chosen.username}@{chosen.host}:{chosen.port}/{target.removeprefix('./')}"[:500]


def _unknown_key(chosen: Sending) -> ServerRejected:
    key = sftp.presented_key(chosen.host, chosen.port)
    return ServerRejected(
        _(
            "Le serveur présente la clé %(key)s (%(print)s). Comparez cette empreinte avec celle "
            "que donne l'expert-comptable, puis collez la clé dans « clé d'hôte »."
        )
        % {"key": sftp.key_text(key), "print": sftp.fingerprint(key)},
        code="server.no_host_key",
    )
