"""The whole house, once, through its commands: two files in, a journal out."""

import io
import json
import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from sphinx.demo.shop import write_catalogue, write_shop_files

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def files(tmp_path: Path) -> Path:
    from datetime import datetime

    folder = tmp_path / "shop"
    folder.mkdir()
    write_catalogue(tmp_path / "catalogue.csv")
    write_shop_files(folder, datetime(2026, 3, 1))  # noqa: DTZ001
    return folder


@pytest.fixture
def run(django_capture_on_commit_callbacks: Any) -> Any:
    """Run a command with --json; returns (exit status, document)."""

    def _run(*args: Any) -> tuple[int, Any]:
        out = io.StringIO()
        status = 0
        try:
            with django_capture_on_commit_callbacks(execute=True):
                call_command(*map(str, args), "--json", stdout=out)
        except SystemExit as end:
            status = int(end.code or 0)
        text = out.getvalue()
        if args[0] == "trace" and "--all" in args:
            return status, [json.loads(line) for line in text.splitlines()]
        return status, json.loads(text) if text else None

    return _run


def test_a_day_from_the_shops_files_to_the_accountants_journal(
    run: Any, files: Path, tmp_path: Path
) -> None:
    # Morning: the catalogue is there, the shop's files come in, one order is set aside.
    assert run("load_catalogue", tmp_path / "catalogue.csv")[0] == 0
    status, came = run("ingest", files, "--shop", "essai", "--create-shop")
    assert status == 1
    assert came["orders"] == {
        "created": 127,
        "updated": 0,
        "unchanged": 0,
        "cancelled": 2,
        "quarantined": 1,
    }
    assert came["issues"][0]["code"] == "order.total_mismatch"
    assert run("ingest", files, "--shop", "essai")[1]["orders"]["created"] == 0

    # Stock fell by what was reserved.
    _status, stock = run("stock")
    assert sum(D(p["reserved"]) for p in stock) == D(came["reserved"])
    assert all(D(p["on_hand"]) - D(p["reserved"]) == D(p["available"]) for p in stock)

    # What is short is proposed, each line with its reason, and only once.
    _status, proposed = run("replenish", "--as-of", "2026-03-01")
    assert proposed["proposals"]
    assert all(ln["reason"]["needed"] for p in proposed["proposals"] for ln in p["lines"])
    assert run("replenish", "--as-of", "2026-03-01")[1] == proposed

    # The parcels leave, the invoices follow.
    _status, delivered = run("deliver", "--ready", "--ship")
    assert delivered["delivery_notes"]
    assert delivered["waiting"]
    assert run("deliver", "--ready", "--ship")[1]["delivery_notes"] == []
    _status, invoiced = run("invoice", "--delivered")
    assert len(invoiced["invoices"]) == len(delivered["delivery_notes"])
    assert Path(invoiced["invoices"][0]["pdf"]).read_bytes().startswith(b"%PDF")
    assert run("invoice", "--delivered")[1]["invoices"] == []

    # The journal goes to the accountant, and the books prove themselves.
    status, journal = run(
        "export_journal", "--from", "2000-01-01", "--to", "2099-12-31",
        "--format", "fec", "--output", tmp_path / "fec.txt",
    )  # fmt: skip
    assert status == 0
    assert journal["debit"] == journal["credit"]
    assert journal["entries"] == len(invoiced["invoices"])
    status, proofs = run("verify")
    assert (status, proofs["ok"]) == (0, True)

    # Every journal line traces back to a line of a file.
    _status, traces = run("trace", "--all")
    whole = [t for t in traces if t["status"] == "invoiced"]
    assert whole
    for trace in random.Random(1).sample(whole, 10):
        assert sum(D(i["total_incl_tax"]) for i in trace["invoices"]) == D(trace["total_incl_tax"])
        assert sum(D(e["debit"]) for e in trace["entries"]) == sum(
            D(e["credit"]) for e in trace["entries"]
        )
        text = (files / "orders.csv").read_text().splitlines()[trace["source"]["line"] - 1]
        assert text.startswith(trace["number"])


@pytest.mark.parametrize(
    "command",
    [
        ("ingest", "/nulle/part", "--shop", "essai"),
        ("ingest", "/etc/hostname", "--shop", "inconnue"),
        ("ingest", "/etc/hostname", "--dialect", "klingon", "--create-shop"),
        ("deliver",),
        ("invoice",),
        ("trace",),
        ("trace", "W9999"),
        ("export_journal",),
        ("export_journal", "--from", "2026-02-01", "--to", "2026-01-01", "--format", "fec",
         "--output", "x.txt"),
        ("pull_feeds", "--feed", "inconnu"),
        ("load_catalogue", "/nulle/part.csv"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_ends_with_one_sentence_and_status_2(
    command: tuple[str, ...],
) -> None:
    err = io.StringIO()

    with pytest.raises(SystemExit) as caught:
        call_command(*command, stderr=err)

    assert caught.value.code == 2
    assert len(err.getvalue().strip().splitlines()) == 1


def test_formats_are_listed(run: Any) -> None:
    _status, formats = run("export_journal", "--formats")

    assert {"fec", "csv", "xlsx"} <= {f["name"] for f in formats}


def test_commands_speak_to_people_too(files: Path, tmp_path: Path) -> None:
    spoken = io.StringIO()
    call_command("load_catalogue", tmp_path / "catalogue.csv", stdout=spoken)
    with pytest.raises(SystemExit):
        call_command("ingest", files, "--shop", "essai", "--create-shop", stdout=spoken)
    for command in (("stock",), ("replenish",), ("deliver", "--ready"), ("verify",)):
        call_command(*command, stdout=spoken)
    call_command("trace", "W1001", stdout=spoken)

    assert "W1001 (essai)" in spoken.getvalue()
    assert "✗" not in spoken.getvalue()
