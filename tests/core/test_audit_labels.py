"""Every event that the code records has a name on the screen, and every name an event."""

import ast
from pathlib import Path

from sphinx.core.audit_labels import LABELS, label_of

ROOT = Path(__file__).resolve().parent.parent.parent
APPS = (
    "accounting_export customers ftp_ingest inventory invoicing purchasing sales sphinx suppliers"
).split()


def recorded() -> set[str]:
    """The kinds that are given to `record` or `record_each`, by a text or a constant."""
    found = set()
    for app in APPS:
        for path in (ROOT / app).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
                if is_text and "audit_labels" not in path.name and node.value in LABELS:
                    found.add(node.value)
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                    name, args = node.func.id, node.args
                    if name in ("record", "record_each") and isinstance(args[0], ast.Constant):
                        found.add(args[0].value)
    return found


def test_every_event_has_a_name_and_every_name_an_event() -> None:
    assert recorded() == set(LABELS)


def test_what_nobody_named_shows_its_code() -> None:
    assert label_of("order.confirmed") == "Commande confirmée"
    assert label_of("x.y") == "x.y"
