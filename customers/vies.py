"""VIES, the Union's register of VAT numbers, asked over its REST interface.

Source: European Commission, VIES on the web, technical information: POST check-vat-number gives
`valid`, the trader's name and address where the state tells them, and, when the asker gives its own
number, a consultation number that proves the check. States are often out of reach for a while.
"""

from typing import Any, NamedTuple

import requests
from django.conf import settings
from django.utils.translation import gettext as _

from sphinx.core.errors import TransientError

TIMEOUT_SECONDS = 20
_BUSY = frozenset({408, 429, 500, 502, 503, 504})


class ViesAnswer(NamedTuple):
    """What the register says of a number."""

    is_valid: bool
    name: str
    address: str
    # Blank when the asker didn't say who it is.
    consultation: str
    raw: dict[str, Any]


def ask_vies(number: str, *, asker: str = "") -> ViesAnswer:
    """Ask about `number` (with its country's letters); `asker` is our own VAT number.

    Raises:
        TransientError: the register or the state's own can't be reached now.
    """
    question = {"countryCode": number[:2], "vatNumber": number[2:]}
    if asker:
        question |= {"requesterMemberStateCode": asker[:2], "requesterNumber": asker[2:]}
    try:
        reply = requests.post(
            f"{settings.VIES_URL}/check-vat-number", json=question, timeout=TIMEOUT_SECONDS
        )
        answer = reply.json()
    except (requests.RequestException, ValueError) as error:
        raise _unreachable(type(error).__name__) from error
    errors = answer.get("errorWrappers") if isinstance(answer, dict) else [{}]
    if errors or reply.status_code in _BUSY or not isinstance(answer.get("valid"), bool):
        first = errors[0] if errors else {}
        raise _unreachable(str(first.get("error") or reply.status_code))
    return ViesAnswer(
        answer["valid"],
        _told(answer.get("name")),
        _told(answer.get("address")),
        str(answer.get("requestIdentifier") or "")[:40],
        answer,
    )


def _told(text: Any) -> str:
    """States that keep a name to themselves write dashes."""
    found = str(text or "").strip()
    return "" if set(found) <= {"-"} else found[:300]


def _unreachable(reason: str) -> TransientError:
    return TransientError(
        _("VIES ne répond pas pour l'instant (%s) : réessayez plus tard.") % reason,
        code="vies.unreachable",
    )
