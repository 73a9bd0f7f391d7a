"""What `verify` proves: each app registers checks over its own books in its proofs.py."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from django.core.exceptions import ImproperlyConfigured


@dataclass
class Proof:
    """The outcome of one check: how many things were looked at, and what was found wrong."""

    name: str
    checked: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.faults


_checks: dict[str, Callable[[Proof], None]] = {}


def proves(name: str) -> Callable[[Callable[[Proof], None]], Callable[[Proof], None]]:
    """Register a function that fills in the `Proof` called `name`."""

    def register(check: Callable[[Proof], None]) -> Callable[[Proof], None]:
        if name in _checks:
            raise ImproperlyConfigured(f"two proofs are called {name}: one would never run")
        _checks[name] = check
        return check

    return register


def run_proofs() -> Iterator[Proof]:
    """Run every registered check, in the order of their names."""
    for name in sorted(_checks):
        proof = Proof(name)
        _checks[name](proof)
        yield proof
