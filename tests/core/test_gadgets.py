"""Stored text in the back-office, whose Alpine evaluates attributes: it never becomes one."""

from html.parser import HTMLParser

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db import DatabaseError, models, transaction
from django.test import Client

from tests.browser.test_stock import pages, proposal, receipt  # noqa: F401 (fixtures)
from tests.support.fuzzing import find_rows, places
from tests.test_access import furnished  # noqa: F401 (fixture)

pytestmark = [pytest.mark.once, pytest.mark.postgres, pytest.mark.django_db]
SPELL = "zq\"x-zz=1 'zq`${zq}<zz x-zz>{{zq}}</script>"
EVALUATED = ("x-", "@", ":")


class _Reader(HTMLParser):
    """Tags and attributes that come of the spell, and what Alpine would evaluate of it."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._in_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_script = tag == "script" and dict(attrs).get("type") != "application/json"
        for name, value in attrs:
            is_code = name.startswith((*EVALUATED, "on")) and "zq" in (value or "")
            if tag == "zz" or name == "x-zz" or is_code:
                self.found.append(f"<{tag} {name}={value}>"[:200])

    def handle_data(self, data: str) -> None:
        if self._in_script and "zq" in data:
            self.found.append(f"script: {data[:200]}")

    def handle_endtag(self, tag: str) -> None:
        self._in_script = False


def spell_everywhere() -> int:
    """Write it into each text that the database lets us change; into how many columns."""
    count = 0
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            is_text = isinstance(field, (models.CharField, models.TextField)) and not (
                field.choices or field.primary_key or isinstance(field, models.SlugField)
            )
            first = model._default_manager.order_by("pk").first() if is_text else None
            if first is None or model is User:
                continue
            text = SPELL[: field.max_length or 100]
            try:
                with transaction.atomic():
                    count += model._default_manager.filter(pk=first.pk).update(**{field.name: text})
            except DatabaseError:
                continue
    return count


@pytest.fixture
def chief(furnished: None) -> Client:  # noqa: F811
    client = Client(raise_request_exception=False)
    client.force_login(User.objects.create_superuser("chef"))
    return client


def test_no_stored_or_typed_text_becomes_an_expression(chief: Client) -> None:
    written = spell_everywhere()
    found, looked = [], 0
    for place in places():
        if place.name in ("account_logout", "admin:logout"):
            continue
        if place.arguments:
            find_rows(chief, place)
        for typed in ({}, {"q": SPELL, "next": SPELL, "_popup": "1", "e": SPELL}):
            answer = chief.get(place.url(), typed)
            if answer.streaming or "text/html" not in answer.headers.get("Content-Type", ""):
                continue
            looked += 1
            reader = _Reader()
            reader.feed(answer.content.decode())
            found += [f"{place.name}: {what}" for what in reader.found]

    assert written > 100
    assert looked > 300
    assert found == []
