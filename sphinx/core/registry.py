"""Plug-ins known by their code: dialects, formats. The core loops over them and names none."""

from typing import Any, Generic, TypeVar

T = TypeVar("T")
_Class = TypeVar("_Class", bound=type)


class Registry(Generic[T]):
    """One instance a code."""

    def __init__(self) -> None:
        self._items: dict[str, T] = {}

    def register(self, cls: _Class) -> _Class:
        """Class decorator: make an instance known by the class's `code`."""
        instance: Any = cls()
        self._items[instance.code] = instance
        return cls

    def all(self) -> list[T]:
        """Every one, by code."""
        return [self._items[code] for code in sorted(self._items)]

    def get(self, code: str) -> T | None:
        """The one called `code`, or None."""
        return self._items.get(code)

    def codes(self) -> str:
        """The codes there are, for a message."""
        return ", ".join(sorted(self._items))
