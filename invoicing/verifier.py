"""Checks an archive of issued documents by itself: Python 3.9 or newer, nothing else.

    python verificateur.py archive.zip

Every file has the SHA-256 that the manifest says; every document and every closing holds the
hash of the one before, and its own is SHA-256(previous hash, then its canonical form in UTF-8).
A byte changed anywhere is told, with the document it stands in. Exit status: 0 whole, 1 not.
"""

from __future__ import annotations

import hashlib
import json
import sys
import zipfile
from pathlib import Path
from typing import Any

MANIFEST = "manifeste.json"
CHAINS = ("documents", "closings")


def faults_of(path: str | Path) -> list[str]:
    """What is wrong with the archive at `path`, a sentence each; none when it is whole."""
    try:
        with zipfile.ZipFile(path) as archive:
            return _faults(archive)
    except (OSError, zipfile.BadZipFile, ValueError, KeyError) as error:
        return [f"{Path(path).name} : archive illisible ({error})"]


def _faults(archive: zipfile.ZipFile) -> list[str]:
    manifest = json.loads(archive.read(MANIFEST))
    found = []
    names = set(archive.namelist()) - {MANIFEST}
    listed = set(manifest["files"])
    found += [f"{name} : absent du manifeste" for name in sorted(names - listed)]
    found += [f"{name} : manque dans l'archive" for name in sorted(listed - names)]
    for name in sorted(names & listed):
        try:
            digest = hashlib.sha256(archive.read(name)).hexdigest()
        except zipfile.BadZipFile:
            digest = ""
        if digest != manifest["files"][name]:
            found.append(f"{name} : modifié (SHA-256 différent du manifeste)")
    for chain in CHAINS:
        if f"{chain}.jsonl" in names:
            found += _chain_faults(archive, chain, manifest["chains"][chain])
    return found


def _chain_faults(archive: zipfile.ZipFile, chain: str, expected: dict[str, Any]) -> list[str]:
    found: list[str] = []
    count, previous = 0, expected["before"]
    with archive.open(f"{chain}.jsonl") as lines:
        for line in lines:
            row = json.loads(line)
            count += 1
            if row["previous_hash"] != previous:
                found.append(f"{row['name']} : un maillon manque avant")
            digest = hashlib.sha256((row["previous_hash"] + row["form"]).encode()).hexdigest()
            if digest != row["hash"]:
                found.append(f"{row['name']} : modifié depuis son émission")
            previous = row["hash"]
    if count != expected["count"] or previous != expected["last"]:
        found.append(f"{chain} : la chaîne ne finit pas comme le manifeste le dit")
    return found


def main(arguments: list[str]) -> int:
    """Print what is wrong; 0 when the archive is whole, 1 when not, 2 without a file."""
    if len(arguments) != 1:
        print("Usage : verificateur.py archive.zip", file=sys.stderr)  # noqa: T201
        return 2
    faults = faults_of(arguments[0])
    for fault in faults:
        print(fault)  # noqa: T201
    if not faults:
        print("L'archive est entière : rien n'a été modifié.")  # noqa: T201
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
