"""Builds docs/guide into a site, a folder a language; what the program knows is filled in."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from sphinx.core.errors import SphinxError
from sphinx.guide.fillings import SOURCES, fill


class GuideNotBuilt(SphinxError):
    """The generator refused a page."""

    code = "guide.not_built"


def build(target: Path) -> None:
    """Build every language under `target`, which is replaced once all are whole.

    Raises:
        GuideNotBuilt: a dead link, or a page that the generator can't read.
    """
    with tempfile.TemporaryDirectory(prefix="sphinx-guide-") as folder:
        made = Path(folder) / "made"
        for language, _name in settings.LANGUAGES:
            _build_language(language, Path(folder) / language, made / language)
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(made, target)


def is_stale(target: Path) -> bool:
    """Whether a source of the guide is newer than what stands there."""
    built = target / settings.LANGUAGE_CODE / "index.html"
    if not built.exists():
        return True
    since = built.stat().st_mtime
    return any(path.stat().st_mtime > since for path in SOURCES.rglob("*"))


def _build_language(language: str, stage: Path, made: Path) -> None:
    shutil.copytree(SOURCES / language, stage / "pages")
    shutil.copytree(SOURCES / "images" / language, stage / "pages" / "images")
    shutil.copy(SOURCES / "shared" / "guide.css", stage / "pages")
    shutil.move(stage / "pages" / "site.toml", stage / "zensical.toml")
    with translation.override(language):
        for page in (stage / "pages").rglob("*.md"):
            page.write_text(fill(page.read_text("utf-8")), "utf-8")
    ran = subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--strict", "-f", "zensical.toml"],
        cwd=stage,
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        raise GuideNotBuilt(
            _("Le guide (%(language)s) n'a pas pu être construit : %(why)s")
            % {"language": language, "why": (ran.stdout + ran.stderr).strip()}
        )
    shutil.move(stage / "site", made)
