"""Who makes customers: a person by one transaction at a time, so that one stays one."""

import hashlib
from collections.abc import Iterable

from django.db import connection


def lock_new_people(keys: Iterable[str]) -> None:
    """Wait until no other transaction makes these people, and keep others waiting until commit.

    E-mails aren't unique among customers (firms share them, shops repeat them), so that no key
    there can stop two shops from making the same person at the same time. A row of a table of its
    own can: whoever inserts the same one waits for us, though we take it away at once. Advisory
    locks would do the same, but the server holds a few thousand in all. SQLite has one writer.
    """
    if connection.vendor == "postgresql":
        # Always in one order: two transactions never wait for each other.
        hashes = sorted({hashlib.md5(k.encode(), usedforsecurity=False).hexdigest() for k in keys})
        if not hashes:
            # Buyers without a name or an e-mail are nobody else's.
            return
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO customers_newperson (key) SELECT key FROM unnest(%s) AS key", [hashes]
            )
            cursor.execute("DELETE FROM customers_newperson")
