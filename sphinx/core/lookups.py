"""Ways of looking rows up that Django doesn't have."""

from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db.models import Field, Q
from django.db.models.lookups import In


def beginning(field: str, term: str) -> Q:
    """Begins with the term as typed, in capitals or in small letters: each by the index."""
    found = Q()
    for typed in {term, term.upper(), term.lower()}:
        found |= Q(**{f"{field}__startswith": typed})
    return found


@Field.register_lookup
class AnyOf(In):
    """`field__any_of=values`: as `in`, for a set of thousands of keys.

    The values have the column's type already: none is prepared one by one, and PostgreSQL gets
    them as one array. Measured on an import: `in` cost a twelfth of its time.
    """

    lookup_name = "any_of"

    def get_prep_lookup(self) -> list[Any]:
        return list(self.rhs)

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        if not self.rhs:
            raise EmptyResultSet
        column, params = self.process_lhs(compiler, connection)
        return f"{column} = ANY(%s)", [*params, self.rhs]
