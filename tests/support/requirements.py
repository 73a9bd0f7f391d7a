"""requirements*.txt are what requirements*.in resolve to: every wish is pinned and met."""

import re
import sys
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent.parent
NAMES = ("requirements", "requirements-demo", "requirements-dev")


def _lines(path: Path) -> list[str]:
    return [
        line.strip()
        for line in path.read_text().splitlines()
        if line.strip() and not line.strip().startswith(("#", "-"))
    ]


def faults() -> list[str]:
    """What is wrong, a sentence each."""
    found: list[str] = []
    everywhere: dict[str, str] = {}
    for name in NAMES:
        pins: dict[str, str] = {}
        for line in _lines(ROOT / f"{name}.txt"):
            match = re.fullmatch(r"([\w.\-]+)(?:\[[\w,\-]+\])?==([^\s;]+).*", line)
            if not match:
                found.append(f"{name}.txt: not pinned: {line}")
                continue
            package, version = canonicalize_name(match[1]), match[2]
            pins[package] = version
            if everywhere.setdefault(package, version) != version:
                found.append(f"{name}.txt: {package} {version}, elsewhere {everywhere[package]}")
        for line in _lines(ROOT / f"{name}.in"):
            wish = Requirement(line)
            pinned = pins.get(canonicalize_name(wish.name))
            if pinned is None:
                found.append(f"{name}.txt: {wish.name} is missing: run make lock")
            elif not wish.specifier.contains(pinned, prereleases=True):
                found.append(f"{name}.txt: {wish.name} {pinned} does not meet {wish.specifier}")
    return found


if __name__ == "__main__":
    wrong = faults()
    print("\n".join(wrong))
    sys.exit(bool(wrong))
