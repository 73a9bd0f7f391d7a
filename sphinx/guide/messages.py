"""Every sentence that refuses something, read from the sources: the guide lists them all."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from django.apps import apps
from django.conf import settings

from sphinx.core.errors import SphinxError

_GETTEXT = {"_", "gettext", "gettext_lazy", "ngettext"}


class Message(NamedTuple):
    """A sentence as it stands in the sources, with its places to fill in."""

    app: str
    code: str
    text: str


def messages() -> list[Message]:
    """All of them, by app, then code, in the order of the sources."""
    kinds = _kinds()
    found = {
        message: None
        for app in _own_apps()
        for path in sorted(app.rglob("*.py"))
        if "migrations" not in path.parts
        for message in _in_file(path, app.name, kinds)
    }
    return sorted(found, key=lambda m: (m.app, m.code))


def _own_apps() -> list[Path]:
    root = settings.BASE_DIR
    folders = [Path(config.path) for config in apps.get_app_configs()]
    return sorted(f for f in folders if root in f.parents and ".venv" not in f.parts)


def _kinds() -> dict[str, str]:
    """Our errors' names and the code of each."""
    waiting: list[type[SphinxError]] = [SphinxError]
    found: dict[str, str] = {}
    while waiting:
        kind = waiting.pop()
        found[kind.__name__] = kind.code
        waiting += kind.__subclasses__()
    return found


def _in_file(path: Path, app: str, kinds: dict[str, str]) -> Iterator[Message]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        if node.func.id in kinds and (text := _text(node)):
            yield Message(app, _code(node) or kinds[node.func.id], text)


def _code(call: ast.Call) -> str:
    for keyword in call.keywords:
        if keyword.arg == "code" and isinstance(keyword.value, ast.Constant):
            return str(keyword.value.value)
    return ""


def _text(call: ast.Call) -> str:
    """The first translatable text among the arguments."""
    for argument in call.args:
        for node in ast.walk(argument):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in _GETTEXT
                and isinstance(node.args[0], ast.Constant)
            ):
                return str(node.args[0].value)
    return ""
