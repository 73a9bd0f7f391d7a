"""The Dockerfile's steps, done one by one on a bare Debian: no Docker engine is needed."""

import re
import shutil
import subprocess
from typing import NamedTuple

import pytest
from django.conf import settings

from tests.nightly.debian import Debian

pytestmark = pytest.mark.nightly

FILE = settings.BASE_DIR / "Dockerfile"
# What python:3.11-slim-bookworm brings: Debian's own Python 3.11, called by that image's names.
BASE = """
apt-get update
apt-get install -y --no-install-recommends python3 python3-venv ca-certificates
python3 -m venv /usr/local
"""


class Step(NamedTuple):
    """One instruction of the Dockerfile and its words; `stage` counts the FROM above it."""

    stage: int
    what: str
    words: str


def _steps() -> list[Step]:
    text = re.sub(r"^#.*\n", "", FILE.read_text(), flags=re.M).replace("\\\n", " ")
    stage, found = -1, []
    for line in filter(None, map(str.strip, text.splitlines())):
        what, words = line.split(maxsplit=1)
        stage += what == "FROM"
        found.append(Step(stage, what, words))
    return found


def _copy(debian: Debian, words: str, folder: str) -> None:
    """COPY as Docker does: from the clone, or from what an earlier stage made."""
    if words.startswith("--from="):
        _stage, source, target = words.split()
        shutil.copytree(f"{debian.root}/kept{source}", f"{debian.root}{target}")
        return
    *sources, target = words.split()
    assert target.rstrip("/") == "."
    place = debian.root / folder.lstrip("/")
    ignored = (settings.BASE_DIR / ".dockerignore").read_text().split()
    names = [*sources, *(f":!{name}" for name in ignored)]
    archive = subprocess.run(
        ["git", "-C", str(settings.BASE_DIR), "archive", "HEAD", *names],
        check=True,
        capture_output=True,
    )
    subprocess.run(["tar", "-x", "-C", str(place)], input=archive.stdout, check=True)


def test_every_step_of_the_image_works(debian: Debian) -> None:
    debian.run(BASE)
    folder, user, surroundings, command = "/", "root", "", ""

    for step in _steps():
        if step.what == "FROM" and step.stage:
            # A stage begins anew; only what a later one copies is kept.
            debian.run("mkdir /kept; mv /guide /kept/; rm -rf /app")
            folder, surroundings = "/", ""
        elif step.what == "WORKDIR":
            folder = step.words
            debian.run(f"mkdir -p {folder}")
        elif step.what == "ENV":
            surroundings += f"export {step.words}; "
        elif step.what == "COPY":
            _copy(debian, step.words, folder)
        elif step.what == "RUN":
            debian.run(f"{surroundings} cd {folder}; {step.words}")
        elif step.what == "USER":
            user = step.words
        elif step.what == "CMD":
            command = " ".join(re.findall(r'"([^"]+)"', step.words))

    there = f"{surroundings} cd {folder}; export SECRET_KEY={'k' * 50}"
    as_user = f"runuser -u {user} -- "
    debian.run(f"{there}; {as_user}python manage.py check")
    # What it starts with, up to the point where it would listen.
    debian.run(f"{there}; {as_user}{command} --check-config")
    assert "index.html" in debian.run(f"ls {folder}/guide/fr")
    assert "staticfiles.json" in debian.run(f"ls {folder}/staticfiles")
    readers = debian.run(f"{as_user}sh -c 'touch /data/here && ! touch {folder}/here 2>&1'")
    assert "denied" in readers
