"""What couldn't be booked doesn't hold back what can be: it is named, with its reason."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import NamedTuple

from sphinx.core.errors import BusinessRuleError


class LeftOut(NamedTuple):
    """A document or a payment that has no entry, its day, and why."""

    piece: str
    day: date
    error: BusinessRuleError

    @property
    def reason(self) -> str:
        return self.error.message


class Swept(NamedTuple):
    """How many entries a sweep made, and what it had to leave."""

    posted: int
    left_out: list[LeftOut]

    def plus(self, other: "Swept") -> "Swept":
        return Swept(self.posted + other.posted, [*self.left_out, *other.left_out])

    def or_raise(self) -> int:
        """How many entries were made.

        Raises:
            BusinessRuleError: the first reason of what was left out.
        """
        if self.left_out:
            raise self.left_out[0].error
        return self.posted


def swept(
    pks: Sequence[int],
    post: Callable[[Sequence[int]], int],
    named: Callable[[Iterable[int]], dict[int, tuple[str, date]]],
    batch: int,
) -> Swept:
    """Book in batches; of a batch that is refused each alone.

    `post` books some and says how many; `named` gives piece and day by id.
    """
    posted, refused = 0, {}
    for start in range(0, len(pks), batch):
        some = pks[start : start + batch]
        try:
            posted += post(some)
        except BusinessRuleError:
            for pk in some:
                try:
                    posted += post([pk])
                except BusinessRuleError as error:
                    refused[pk] = error
    names = named(refused) if refused else {}
    return Swept(posted, [LeftOut(*names[pk], error) for pk, error in refused.items()])
