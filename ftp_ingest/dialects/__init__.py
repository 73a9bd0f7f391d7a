"""How each kind of shop writes its files: one module a dialect, found by its header.

Nothing lists the dialects: every module of this package is imported, and those with a dialect
register it. A new one is a module here, a folder of fixtures in tests/data, a page a language
in docs/guide.
"""

from importlib import import_module
from pkgutil import iter_modules

from ftp_ingest.dialects.base import Dialect, Header, dialects, find_dialect

__all__ = ["Dialect", "Header", "dialects", "find_dialect"]


def load_dialects() -> None:
    """Import every module of this package."""
    for name in sorted(module.name for module in iter_modules(__path__)):
        import_module(f"{__name__}.{name}")


load_dialects()
