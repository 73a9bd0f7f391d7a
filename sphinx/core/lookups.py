"""What people type, looked up by the indexes there are."""

from django.db.models import Q


def beginning(field: str, term: str) -> Q:
    """Begins with the term as typed, in capitals or in small letters: each by the index."""
    found = Q()
    for typed in {term, term.upper(), term.lower()}:
        found |= Q(**{f"{field}__startswith": typed})
    return found
