"""HTML to PDF by WeasyPrint, in processes of its own: rendering holds no database connection.

Pages may hold data: images; nothing is fetched from the network or the disk.
"""

import hashlib
import os
from base64 import b64encode
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import current_process, get_context
from pathlib import Path
from threading import local
from typing import Any, NamedTuple

from sphinx.core.files import whole_file

# Below this a pool costs more than it saves.
POOL_FROM = 6
VARIANT = "pdf/a-3a"
_kept = local()


def barcode_image(text: str) -> str:
    """The Code 128 of `text` as a data: image, for a scanner (ISO/IEC 15417)."""
    import barcode
    from barcode.writer import SVGWriter

    code = barcode.get("code128", text, writer=SVGWriter())
    svg = code.render({"module_height": 9, "write_text": False, "quiet_zone": 2})
    return f"data:image/svg+xml;base64,{b64encode(svg).decode()}"


class Page(NamedTuple):
    """A document to print: its HTML, the file to write, and the XML that makes it a Factur-X."""

    html: str
    path: Path
    xml: bytes = b""
    language: str = "fr"


def render(page: Page) -> str:
    """Write the PDF (PDF/A-3a: archival, tagged for screen readers) whole or not at all.

    Returns its SHA-256.
    """
    from weasyprint import HTML  # here: importing it takes two seconds
    from weasyprint.urls import URLFetcher

    fetcher = URLFetcher(allowed_protocols={"data"}, allow_redirects=False)
    data = HTML(string=page.html, url_fetcher=fetcher).write_pdf(
        pdf_variant=VARIANT, font_config=_fonts()
    )
    if page.xml:
        data = _joined(data, page.xml, page.language)
    with whole_file(page.path) as stream:
        stream.write(data)
    return hashlib.sha256(data).hexdigest()


def _fonts() -> Any:
    """The fonts of this thread, read once.

    Reading them for each page takes a sixth of its time and is never wholly given back.
    """
    from weasyprint.text.fonts import FontConfiguration

    if not hasattr(_kept, "fonts"):
        _kept.fonts = FontConfiguration()
    return _kept.fonts


def _joined(pdf: bytes, xml: bytes, language: str) -> bytes:
    """Factur-X 1.0: the XML attached as the data of the page, and said so in the metadata."""
    from facturx import generate_from_binary  # here: it takes half a second

    joined: bytes = generate_from_binary(
        pdf, xml, flavor="factur-x", level="en16931", check_xsd=False, lang=language
    )
    return joined


def render_all(pages: Sequence[Page]) -> list[str]:
    """Render many pages on every core; the SHA-256 of each, in their order."""
    # A worker of Celery's prefork pool is a daemon and may not have children.
    if len(pages) < POOL_FROM or current_process().daemon:
        return [render(page) for page in pages]
    workers = min(os.cpu_count() or 1, 8)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        return list(pool.map(render, pages, chunksize=4))
