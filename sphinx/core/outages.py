"""What stops work that is no fault of anybody's input: disk, folder, database, Redis, mail.

Each is one French sentence, for a command's standard error and for the page that says so.
"""

import errno

from django.db import InterfaceError, OperationalError
from django.utils.translation import gettext as _
from redis.exceptions import RedisError

from sphinx.core.mailing import MailNotSet

_FULL = (errno.ENOSPC, errno.EDQUOT)
_CLOSED = (errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR)
_WORN = (errno.EMFILE, errno.ENFILE, errno.EIO)


def outage_of(error: BaseException | None) -> str:
    """What is out of order and what to do; blank when the error is none of these."""
    if isinstance(error, OSError):
        return _of_the_disk(error)
    if isinstance(error, (OperationalError, InterfaceError)):
        return _("La base de données ne répond pas. Rien n'est perdu : réessayez dans une minute.")
    if isinstance(error, MailNotSet):
        return str(error)
    if isinstance(error, RedisError):
        return _(
            "Un service dont cette page a besoin (Redis) ne répond pas. Rien n'est perdu : "
            "réessayez dans une minute."
        )
    return ""


def _of_the_disk(error: OSError) -> str:
    shown = {"place": error.filename or "", "reason": error.strerror or error}
    if error.errno in _FULL:
        return _("Le disque est plein : rien n'a été gardé. Libérez de la place, puis recommencez.")
    if error.errno in _CLOSED:
        return (
            _(
                "Le dossier %(place)s n'est pas accessible (%(reason)s) : rien n'a été gardé. "
                "Donnez-y le droit d'écrire, puis recommencez."
            )
            % shown
        )
    if error.errno in _WORN:
        return _("Le système ne suit plus (%(reason)s) : rien n'a été gardé.") % shown
    return ""
