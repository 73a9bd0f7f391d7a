"""Addresses as somebody types them by hand: what a view reads of a request, and nasty values."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any
from unittest.mock import patch
from urllib.parse import unquote, urlencode

from django.apps import apps
from django.conf import settings
from django.db import transaction
from django.http import QueryDict
from django.test import Client
from django.urls import Resolver404, URLPattern, URLResolver, get_resolver, resolve
from django.utils.regex_helper import normalize

NASTY = (
    "\0",
    "²",
    "9" * 30,
    "-1",
    "9999-12-31",
    "9999",
    "0001-01-01",
    "\udcff",
    "1e999999",
    "NaN",
    "é%'\"<{{x}}" + "x" * 300,
    "",
)


class Place:
    """An address of a view: how it is filled in, and what the view was seen to read."""

    def __init__(self, name: str, template: str, arguments: Sequence[str], pattern: str) -> None:
        self.name, self.template, self.arguments, self.pattern = name, template, arguments, pattern
        self.given: dict[str, str] = {}
        self.reads: dict[str, set[str]] = {"GET": set(), "POST": set()}

    @property
    def app(self) -> str:
        """The app whose address it is."""
        return self.name.partition(":")[0]

    @property
    def is_workshop(self) -> bool:
        """True below /admin/."""
        return self.name.startswith("admin:")

    def url(self, **changed: str) -> str:
        given = dict.fromkeys(self.arguments, "1") | self.given | changed
        return "/" + self.template % given


def places(resolver: Any = None, before: str = "", name: str = "") -> Iterator[Place]:
    """Every view of the site, the languages' catalogue and the catch-all left aside."""
    for found in (resolver or get_resolver()).url_patterns:
        pattern = before + found.pattern.regex.pattern.removeprefix("^").removesuffix(r"\Z")
        inner = f"{name}{found.namespace}:" if getattr(found, "namespace", None) else name
        if isinstance(found, URLResolver):
            yield from places(found, pattern, inner)
        elif isinstance(found, URLPattern) and found.name:
            template, arguments = normalize(pattern)[0]
            yield Place(f"{inner}{found.name}", template, arguments, pattern)


@cache
def verbs_of(app: str) -> tuple[str, ...]:
    """What the buttons of an app's pages say; one of a row ends with a dash."""
    files = (settings.BASE_DIR / "templates" / app).glob("*.html")
    found = (re.findall(r'name="verb" value="([a-z_]+-?)', f.read_text("utf-8")) for f in files)
    return tuple(sorted(set().union(*found)))


@contextmanager
def watched(place: Place) -> Iterator[None]:
    """Notes which parameters are asked for, there or not."""
    real = {how: getattr(QueryDict, how) for how in ("__getitem__", "getlist", "__contains__")}

    def note(values: QueryDict, key: Any) -> None:
        if isinstance(key, str) and hasattr(values, "sphinx_from"):
            place.reads[values.sphinx_from].add(key)

    def watch(how: str) -> Any:
        def asked(self: QueryDict, key: Any, *rest: Any, **more: Any) -> Any:
            note(self, key)
            return real[how](self, key, *rest, **more)

        return asked

    with patch.multiple(QueryDict, **{how: watch(how) for how in real}):
        yield


class Marker:
    """A middleware that says of each set of values where it came from."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> Any:
        return self.get_response(request)

    def process_view(self, request: Any, *_view: Any) -> None:
        request.GET.sphinx_from = "GET"
        request.POST.sphinx_from = "POST"


def ask(client: Client, method: str, url: str, data: dict[str, Any]) -> int:
    """The answer's status; what it did is undone."""
    with transaction.atomic():
        # Bytes that are no text are written as a browser would: %ff.
        text = urlencode(data, errors="surrogateescape")
        if method == "GET":
            answer = client.get(f"{url}?{text}")
        else:
            answer = client.post(url, text, content_type="application/x-www-form-urlencoded")
        if answer.streaming:
            answer.getvalue()
        transaction.set_rollback(True)
    return int(answer.status_code)


def _as_named(model: Any) -> str:
    return f"{model._meta.app_label}_{model._meta.model_name}"


def leads_there(place: Place, url: str) -> bool:
    """False where the address is no longer one of the view's."""
    try:
        return resolve(unquote(url)).view_name == place.name
    except Resolver404:
        return False


def find_rows(client: Client, place: Place) -> None:
    """Fill in what the address names with something that is there."""
    models = list(apps.get_models())
    if place.is_workshop:
        models = [m for m in models if place.name.startswith(f"admin:{_as_named(m)}_")]
    else:
        models = [m for m in models if m._meta.app_label == place.app]
    keys = {str(m._default_manager.values_list("pk", flat=True).first() or "") for m in models}
    for key in sorted(keys - {""}):
        changed = {n: key for n in place.arguments if n.endswith(("id", "pk"))}
        if ask(client, "GET", place.url(**changed), {}) not in (404, 400):
            place.given = changed
            return
