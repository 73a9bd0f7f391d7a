"""Migrations that landed never change: their names and SHA-256 stand in tests/data/landed.txt.

A database may have applied any of them. One that goes must be named in the `replaces` of another
(squashmigrations); a new one is added by `python -m tests.support.landed --add`, which touches no
line that is there.
"""

import ast
import hashlib
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
LIST = ROOT / "tests" / "data" / "landed.txt"


def on_disk(root: Path = ROOT) -> dict[str, str]:
    """Our migrations, as "app name", each with its SHA-256."""
    folders = [*root.glob("*/migrations"), *root.glob("sphinx/*/migrations")]
    return {
        f"{folder.parent.name} {path.stem}": hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in folders
        for path in folder.glob("[0-9]*.py")
    }


def replaced(root: Path = ROOT) -> set[str]:
    """Those that another stands for, as "app name"."""
    found = set()
    for path in [*root.glob("*/migrations/[0-9]*.py"), *root.glob("sphinx/*/migrations/[0-9]*.py")]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Assign) and "replaces" in {
                target.id for target in node.targets if isinstance(target, ast.Name)
            }:
                found |= {f"{app} {name}" for app, name in ast.literal_eval(node.value)}
    return found


def listed(path: Path = LIST) -> dict[str, str]:
    """What landed, as "app name", each with its SHA-256."""
    lines = (line.split() for line in path.read_text().splitlines())
    return {f"{app} {name}": sha256 for sha256, app, name in lines}


def faults(root: Path = ROOT, path: Path = LIST) -> list[str]:
    """What is wrong, a sentence each."""
    here, landed, stood_for = on_disk(root), listed(path), replaced(root)
    found = [
        f"{name} landed and is gone: put it back, or name it in the replaces of another."
        for name in sorted(landed.keys() - here.keys() - stood_for)
    ]
    found += [
        f"{name} landed and has changed: put it back, and write another migration."
        for name in sorted(landed.keys() & here.keys())
        if landed[name] != here[name]
    ]
    return found + [
        f"{name} isn't listed: python -m tests.support.landed --add"
        for name in sorted(here.keys() - landed.keys())
    ]


def add(root: Path = ROOT, path: Path = LIST) -> None:
    """List the new ones; what is listed stays as it is."""
    known = {**on_disk(root), **(listed(path) if path.exists() else {})}
    path.write_text("".join(f"{sha256} {name}\n" for name, sha256 in sorted(known.items())))


def main() -> int:
    if "--add" in sys.argv:
        add()
    found = faults()
    print("\n".join(found), file=sys.stderr)
    return min(len(found), 1)


if __name__ == "__main__":
    sys.exit(main())
