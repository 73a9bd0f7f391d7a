"""Addresses and forms as somebody types them by hand: no answer of 500, whatever they hold.

A few rounds of values suffice every day; WHOLE=1 makes them all.
"""

import logging
import os
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client

from tests.browser.test_stock import pages, proposal, receipt  # noqa: F401 (fixtures)
from tests.support.fuzzing import (
    NASTY,
    Place,
    ask,
    find_rows,
    leads_there,
    places,
    verbs_of,
    watched,
)
from tests.test_access import furnished  # noqa: F401 (fixture)

pytestmark = [pytest.mark.once, pytest.mark.postgres, pytest.mark.django_db]
# They end the session that the others need.
LEFT = ("account_logout", "admin:logout")
WHOLE = bool(os.environ.get("WHOLE"))
# In each round each parameter has another of the values.
ROUNDS = range(len(NASTY)) if WHOLE else (1, 4)
# What follows a button's verb where it is a row's.
KEYS = ("1", "999999999", "²", "")
Try = tuple[str, str, dict[str, str]]


@pytest.fixture
def chief(furnished: None, settings: Any) -> Iterator[Client]:  # noqa: F811
    """A super-user, whose pages come without the menu: it is the same on each."""
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "tests.support.fuzzing.Marker"]
    settings.USERSESSIONS_TRACK_ACTIVITY = False
    settings.UNFOLD = {**settings.UNFOLD, "SIDEBAR": {}}
    client = Client(raise_request_exception=False)
    client.force_login(User.objects.create_superuser("chef"))
    logging.disable(logging.CRITICAL)
    yield client
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("where", ["our pages", "the workshop"])
def test_nothing_typed_by_hand_is_answered_by_500(chief: Client, where: str) -> None:
    broken, asked = [], 0
    for place in places():
        if place.name in LEFT or place.is_workshop != (where == "the workshop"):
            continue
        if place.arguments:
            find_rows(chief, place)
        for method, url, data in tries(chief, place):
            asked += 1
            if ask(chief, method, url, data) >= 500:
                broken.append(f"{place.name}: {method} {url} {data!r}")
    assert not broken, "\n".join(broken)
    assert asked > 700


def tries(client: Client, place: Place) -> Iterator[Try]:
    """The values in each part of the address, and in all parameters that the view reads."""
    with watched(place):
        yield "GET", place.url(), {}
        yield "POST", place.url(), {}
    for argument in place.arguments:
        yield "POST", place.url(**{argument: "999999999"}), {}
        for value in NASTY:
            raw = quote(value.encode("utf-8", "surrogateescape"), safe="")
            url = place.url(**{argument: raw})
            if leads_there(place, url):
                yield "GET", url, {}
    if place.is_workshop:
        _note_filters(place)
    with watched(place):
        for method, names in place.reads.items():
            for turn in ROUNDS if names else ():
                yield method, place.url(), turned(names, turn)
        yield from _pressed(place)


def turned(names: set[str], turn: int) -> dict[str, str]:
    """A value for each name; in another turn each has another one. A NUL stands alone."""
    given = {name: NASTY[(turn + n) % len(NASTY)] for n, name in enumerate(sorted(names))}
    return {name: value for name, value in given.items() if value != "\0" or len(given) == 1}


def _pressed(place: Place) -> Iterator[Try]:
    """Each button of the app's pages, with values beside it, on each page that has buttons."""
    if "verb" not in place.reads["POST"]:
        return
    for n, verb in enumerate(verbs_of(place.app)):
        for key in KEYS if verb.endswith("-") else ("",):
            for turn in ROUNDS if WHOLE else (n,):
                typed = turned(place.reads["POST"] - {"verb"}, turn)
                yield "POST", place.url(), {**typed, "verb": verb + key}


def _note_filters(place: Place) -> None:
    """What a list is filtered by isn't asked for by name."""
    for model, of in admin.site._registry.items():
        if place.name != f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist":
            continue
        found = {"q", "p", "o", "e", "all", "_facets", "id", "nothing__like__it"}
        for one in of.list_filter:
            name = one if isinstance(one, str) else getattr(one, "parameter_name", "")
            found |= {f"{name}__exact", f"{name}__id__exact", f"{name}__gte", str(name)}
        if of.date_hierarchy:
            found |= {f"{of.date_hierarchy}__{part}" for part in ("year", "month", "day", "gte")}
        place.reads["GET"] |= found


def test_a_row_that_is_gone_is_not_found(chief: Client) -> None:
    for data in ({"verb": "ignore-999999999"}, {"verb": "payout-999999999"}):
        assert chief.post("/banque/", data).status_code == 404
    assert chief.post("/paiements/", {"confirm": "999999999-1"}).status_code == 404


def test_what_no_keyboard_types_is_said(chief: Client) -> None:
    answer = chief.get("/livraisons/?code=%00")
    assert answer.status_code == 400
    assert "Adresse illisible" in answer.content.decode()
