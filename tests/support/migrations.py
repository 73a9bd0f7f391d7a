"""Migrations that aren't released yet, read for locks: none may stop a shop that is open.

squawk reads the SQL that PostgreSQL would be given. What it says about styles of columns isn't
about locks; timeouts are given by PGOPTIONS where migrations are run (docker-compose.yml).
"""

import io
import subprocess
import sys
from pathlib import Path

import django

ROOT = Path(__file__).resolve().parent.parent.parent
RELEASES = ROOT / "tests" / "data" / "releases"
LEFT_OUT = (
    "prefer-text-field",
    "prefer-bigint-over-int",
    "prefer-bigint-over-smallint",
    "prefer-robust-stmts",
    "prefer-identity",
    "require-lock-timeout",
    "require-statement-timeout",
    "transaction-nesting",
)
# "app name" → why its lock is of no harm.
ALLOWED: dict[str, str] = {
    "accounting_export 0012_currencies": "an empty column: its keys hold at once; a check "
    "gives way to a wider one that is proved later",
    "core 0018_exchange_rate_source": "rates typed by hand are few: indexed at once",
    "inventory 0013_product_inherits_from": "an empty column: its key and check hold at once",
    "inventory 0014_bins": "lines of counts are few: a key gives way to a wider one at once",
    "inventory 0015_styles": "empty columns: keys, checks and the index of variants hold at once",
    "inventory 0017_proposed_transfers": "transfers are few: indexed at once",
    "inventory 0018_serial_numbers": "lots are few, and no serial number is there yet",
    "invoicing 0015_credit_of_elsewhere": "a check gives way to a wider one at once",
    "invoicing 0017_invoice_of_what_is_kept": "a check gives way to a wider one at once",
    "purchasing 0012_currencies": "a check of a sum gives way to the same with its rounding",
    "purchasing 0014_expenses": "checks of sums and pieces give way to wider ones, proved later",
    "purchasing 0006_direct_deliveries": "orders to suppliers are few: indexed at once",
    "suppliers 0008_order_days_and_closures": "suppliers are few: a check holds at once",
    "purchasing 0007_price_credits": "lines of suppliers' invoices are few: a key gives way to a "
    "wider one at once",
}


def released() -> set[str]:
    """Migrations of all releases, as "app name"."""
    return {
        line for file in RELEASES.glob("*/migrations.txt") for line in file.read_text().splitlines()
    }


def unreleased() -> list[tuple[str, str]]:
    """Ours that no release holds."""
    from django.apps import apps
    from django.db.migrations.loader import MigrationLoader

    ours = {
        config.label
        for config in apps.get_app_configs()
        if Path(config.path).is_relative_to(ROOT) and ".venv" not in Path(config.path).parts
    }
    found = sorted(MigrationLoader(None).disk_migrations)
    return [(a, n) for a, n in found if a in ours and f"{a} {n}" not in released()]


def sql_of(app: str, name: str) -> str:
    """What PostgreSQL would be given."""
    from django.core.management import call_command

    out = io.StringIO()
    call_command("sqlmigrate", app, name, stdout=out)
    return out.getvalue()


def complaints(sql: str) -> str:
    """What squawk says of it; nothing when no lock is dangerous."""
    squawk = str(Path(sys.executable).with_name("squawk"))
    options = [f"--exclude={','.join(LEFT_OUT)}", "--pg-version=15", "--reporter=gcc"]
    ran = subprocess.run(
        [squawk, *options, "--stdin-filepath", "migration.sql"],
        input=sql, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return "" if ran.returncode == 0 else ran.stdout + ran.stderr


def main() -> int:
    django.setup()
    bad = 0
    for app, name in unreleased():
        if f"{app} {name}" in ALLOWED:
            continue
        said = complaints(sql_of(app, name))
        if said:
            bad += 1
            print(f"{app} {name}:\n{said}", file=sys.stderr)
    return bad


if __name__ == "__main__":
    sys.exit(main())
