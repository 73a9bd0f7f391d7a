"""Pictures that people bring: checked, turned upright, made smaller and made anew."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from threading import Lock
from typing import Any

from django.utils.translation import gettext as _
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from sphinx.core.errors import InputError

# Bytes that may be brought, and the pixels that a picture may claim before it is opened.
MAX_BYTES = 10 * 1024 * 1024
MAX_PIXELS = 50_000_000
SIDE = 1200
_FORMATS = ("PNG", "JPEG", "WEBP")


_lock = Lock()


@contextmanager
def _whole_ones_only() -> Iterator[None]:
    """Refuse files that end too early: the printing library lets them pass everywhere."""
    with _lock:
        before = ImageFile.LOAD_TRUNCATED_IMAGES
        ImageFile.LOAD_TRUNCATED_IMAGES = False
        try:
            yield
        finally:
            ImageFile.LOAD_TRUNCATED_IMAGES = before


def bounded_jpeg(file: Any, *, side: int = SIDE) -> bytes:
    """The picture of an uploaded file as a JPEG of `side` pixels at most, upright, on white.

    Made anew: nothing of the file but its pixels stays (place, camera, what hides behind).

    Raises:
        InputError: it is too big, or no PNG, JPEG or WebP.
    """
    if file.size > MAX_BYTES:
        raise InputError(_("Cette image dépasse 10 Mo."), code="image.too_big")
    try:
        found = Image.open(BytesIO(file.read()), formats=_FORMATS)
        if found.width * found.height > MAX_PIXELS:
            raise InputError(
                _("Cette image a trop de points : réduisez-la d'abord."), code="image.too_big"
            )
        with _whole_ones_only():
            upright = ImageOps.exif_transpose(found).convert("RGBA")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise InputError(
            _("Ce n'est pas une image PNG, JPEG ou WebP."), code="image.invalid"
        ) from error
    upright.thumbnail((side, side))
    page = Image.new("RGB", upright.size, "white")
    page.paste(upright, mask=upright.getchannel("A"))
    stream = BytesIO()
    page.save(stream, "JPEG", quality=85, optimize=True)
    return stream.getvalue()
