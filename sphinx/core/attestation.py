"""The publisher's attestation (CGI art. 286, I-3° bis), filled in and ready to be signed.

Its wording follows the administration's model of an individual attestation (BOI-LETTRE-000242);
the finance act for 2026 (art. 125) restored it. Whoever deploys Sphinx, or changed it last, is its
publisher and signs after checking docs/compliance.md.
"""

from datetime import date
from pathlib import Path

from django.template.loader import render_to_string
from django.utils import translation

from sphinx.core.branding import brand
from sphinx.core.edition import source_hash, version
from sphinx.core.errors import InputError
from sphinx.core.letterhead import seller_of
from sphinx.core.pdf import Page, render
from sphinx.core.services import company, record


def make_attestation(*, path: Path, on: date, publisher: str = "") -> str:
    """Write the attestation of this version as a PDF at `path`; returns the sources' hash.

    `publisher` signs; blank is the firm itself, which deploys the program.

    Raises:
        InputError: the file can't be written.
    """
    firm, hashed = company(), source_hash()
    with translation.override("fr"):
        html = render_to_string(
            "core/attestation.html",
            {
                "publisher": publisher or firm.name,
                "user": seller_of(firm),
                "version": version(),
                "root": version().split(".", maxsplit=1)[0],
                "source_hash": hashed,
                "on": on,
                **brand(),
            },
        )
    try:
        render(Page(html, path))
    except OSError as error:
        raise InputError(
            f"Impossible d'écrire {path} : {error.strerror}.", code="attestation.cannot_write"
        ) from error
    record("attestation.made", [firm], version=version(), source_sha256=hashed)
    return hashed
