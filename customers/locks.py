"""Who makes customers: one transaction at a time, so that one person stays one customer."""

from django.db import connection

# Any number that no other lock of the application has.
_NEW_CUSTOMERS = 411


def lock_new_customers() -> None:
    """Wait until no other transaction makes customers, and keep others waiting until commit.

    E-mails aren't unique in the database (firms share them, shops repeat them), so that no key
    can stop two shops from making the same person at the same time. SQLite has one writer.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_NEW_CUSTOMERS])
