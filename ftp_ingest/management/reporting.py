"""How an ingest's report reads in a terminal."""

import sys
from collections.abc import Callable
from typing import Any

_FILE_STATUS = {"applied": "intégré", "duplicate": "déjà connu", "refused": "refusé"}


def has_refusals(result: dict[str, Any]) -> bool:
    """True when a file, a customer or an order was refused; what is only to be looked at isn't."""
    quarantined = result["customers"]["quarantined"] or result["orders"]["quarantined"]
    return bool(quarantined) or any(file["status"] == "refused" for file in result["files"])


def print_ingest(result: dict[str, Any], say: Callable[[str], None]) -> None:
    """Print the contract's document for people."""
    for file in result["files"]:
        status = _FILE_STATUS[file["status"]]
        say(f"{file['name']} : {status} ({file['dialect'] or '?'}, {file['rows']} lignes)")
    customers, orders = result["customers"], result["orders"]
    say(
        f"Clients : {customers['created']} créés, {customers['updated']} modifiés, "
        f"{customers['unchanged']} inchangés, {customers['quarantined']} en quarantaine"
    )
    say(
        f"Commandes : {orders['created']} créées, {orders['updated']} modifiées, "
        f"{orders['unchanged']} inchangées, {orders['cancelled']} annulées, "
        f"{orders['quarantined']} en quarantaine"
    )
    say(f"{result['lines']} lignes, {result['reserved']} pièces réservées, {result['seconds']} s")
    for cause in result["causes"]:
        if cause["count"] > 1:
            say(f"  {cause['count']} × {cause['message']}")
    for issue in result["issues"]:
        say(f"  {issue['file']} ligne {issue['line']} : {issue['message']}")


def show_progress(name: str, done: int, total: int) -> None:
    """One line of the terminal that tells how far a file is."""
    share = 100 * done // total if total else 100
    end = "\n" if done >= total else ""
    sys.stderr.write(f"\r{name} : {done}/{total} lignes ({share} %){end}")
    sys.stderr.flush()
