"""The publisher's attestation names the version and the sources that run."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from pypdf import PdfReader

from sphinx.core import edition
from sphinx.core.services import company

pytestmark = pytest.mark.django_db


def test_the_attestation_is_filled_in_with_version_and_hash(tmp_path: Path) -> None:
    firm = company()
    firm.name, firm.siren = "Maison Dupont", "123456782"
    firm.save()
    path, out = tmp_path / "attestation.pdf", StringIO()

    call_command("attestation", f"--output={path}", "--json", stdout=out)

    told = json.loads(out.getvalue())
    text = " ".join(page.extract_text() for page in PdfReader(path).pages)
    assert told["source_sha256"] == edition.source_hash()
    assert edition.source_hash() in text
    assert all(word in text for word in (edition.version(), "Maison Dupont", "123456782"))


def test_a_byte_changed_in_a_source_changes_the_hash(tmp_path: Path, settings: Any) -> None:
    settings.BASE_DIR = tmp_path
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "1.0"\n')
    source = tmp_path / "invoicing" / "chain.py"
    source.parent.mkdir()
    source.write_text("x = 1\n")
    before = edition.source_hash()

    source.write_text("x = 2\n")

    assert edition.source_hash() != before
