"""locale/en holds every text of the project, each translated, and is compiled; so is the rest.

The texts are gathered anew in a copy of the tree and compared.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import polib

ROOT = Path(__file__).resolve().parent.parent.parent
SKIPPED = {".venv", "var", "tests", "staticfiles", "docs", ".git", "locale"}


def faults() -> list[str]:
    """What is wrong, a sentence each."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        gathered = _gather(Path(folder))
    kept = polib.pofile(str(ROOT / "locale/en/LC_MESSAGES/django.po"))
    texts = {_key(e) for e in gathered}
    found += [f"not in locale/en (make messages): {t!r}" for t in texts - {_key(e) for e in kept}]
    found += [f"no longer in the code: {e.msgid!r}" for e in kept if _key(e) not in texts]
    found += [f"not translated: {e.msgid!r}" for e in kept if not e.translated()]
    for path in (ROOT / "locale").rglob("*.po"):
        source, compiled = polib.pofile(str(path)), path.with_suffix(".mo")
        made = {_key(e): e.msgstr for e in polib.mofile(str(compiled))}
        if made != {_key(e): e.msgstr for e in source if e.translated()}:
            found.append(f"{compiled.relative_to(ROOT)} is not compiled from its .po")
    return found


def _key(entry: polib.POEntry | polib.MOEntry) -> tuple[str | None, str]:
    """The same text may mean two things: its context tells them apart."""
    return entry.msgctxt, entry.msgid


def _gather(folder: Path) -> polib.POFile:
    for entry in ROOT.iterdir():
        if entry.name in SKIPPED or entry.name.startswith("."):
            continue
        if entry.is_dir():
            shutil.copytree(entry, folder / entry.name)
        elif entry.suffix == ".py":
            shutil.copy(entry, folder)
    (folder / "locale").mkdir()
    subprocess.run(
        [sys.executable, "-m", "django", "makemessages", "-l", "en", "--no-location", "-v", "0"],
        cwd=folder,
        check=True,
    )
    return polib.pofile(str(folder / "locale/en/LC_MESSAGES/django.po"))


if __name__ == "__main__":
    wrong = sorted(faults())
    print("\n".join(wrong))
    sys.exit(bool(wrong))
