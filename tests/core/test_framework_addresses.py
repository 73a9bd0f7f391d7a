"""What Django's own admin and log-in bring beside ours: each address is known, none is a second
way to do what one of ours does."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from sphinx.core.models import AuditEvent
from tests.core.test_accounts import PASSWORD, lea, log_in  # noqa: F401 (fixture)

pytestmark = pytest.mark.django_db
OTHER = "une-autre-phrase-assez-longue"
# What the workshop's frame brings itself, and what each does here.
FRAME = {
    "index": "the workshop's first page",
    "login": "leads to our log-in",
    "logout": "ends the session, by POST",
    "password_change": "leads to our page",
    "password_change_done": "leads to our page",
    "autocomplete": "asks for the right to see the model",
    "jsi18n": "words",
    "view_on_site": "not there",
    "app_list": "lists of an app that one may see",
    "search": "what one may see",
    "toggle_sidebar": "one's own frame",
}


def patterns(resolver: Any = None, before: str = "") -> Iterator[tuple[str, URLPattern]]:
    for found in (resolver or get_resolver()).url_patterns:
        address = before + str(found.pattern)
        if isinstance(found, URLResolver):
            yield from patterns(found, address)
        else:
            yield address, found


def test_the_frames_own_addresses_are_all_known() -> None:
    models = {m._meta.label_lower.replace(".", "_") for m in admin.site._registry}
    own = {
        found.name
        for address, found in patterns()
        if address.startswith("admin/")
        and found.name
        and not any(found.name.startswith(f"{model}_") for model in models)
    }
    assert own <= FRAME.keys()


def test_every_address_of_a_password_is_known() -> None:
    found = {f.name for address, f in patterns() if "password" in address}
    assert found == {
        "account_change_password",
        "account_set_password",
        "account_reset_password",
        "account_reset_password_done",
        "account_reset_password_from_key",
        "account_reset_password_from_key_done",
        # Somebody else's, by the owner; noted in the trail.
        "auth_user_password_change",
        # Both lead to account_change_password.
        "password_change",
        "password_change_done",
    }


def test_every_address_of_the_log_in_is_known() -> None:
    """Those that end, begin or widen a log-in; nothing that signs up or links by hand."""
    found = {address for address, _f in patterns() if address.startswith("compte/")}
    known = ("compte/password/", "compte/2fa/", "compte/^password/")
    assert {address for address in found if not address.startswith(known)} == {
        "compte/login/",
        "compte/login/code/confirm/",
        "compte/logout/",
        "compte/inactive/",
        "compte/oidc/",
        "compte/oidc/retour/",
        "compte/reauthenticate/",
        "compte/sessions/",
        "compte/signup/",
    }


def test_the_workshop_has_no_page_for_what_the_log_in_keeps() -> None:
    ours = {c.label for c in apps.get_app_configs() if str(settings.BASE_DIR) in c.path}
    labels = {model._meta.app_label for model in admin.site._registry}
    assert not labels & {
        *["account", "mfa", "socialaccount", "usersessions"],
        *["sessions", "contenttypes", "admin"],
    }
    assert labels <= ours | {"auth", "django_celery_beat"}


@pytest.mark.parametrize("old", [PASSWORD, "faux"])
def test_the_workshops_own_password_page_changes_nothing(lea: User, old: str) -> None:  # noqa: F811
    client = Client()
    log_in(client)
    for page in ("/admin/password_change/", "/admin/password_change/done/"):
        data = {"old_password": old, "new_password1": OTHER, "new_password2": OTHER}
        for answer in (client.get(page), client.post(page, data)):
            assert answer.headers["Location"] == "/compte/password/change/"
    lea.refresh_from_db()
    assert lea.check_password(PASSWORD)


def test_wrong_old_passwords_are_stopped(lea: User) -> None:  # noqa: F811
    client = Client()
    log_in(client)
    data = {"oldpassword": "faux", "password1": OTHER, "password2": OTHER}
    answers = [client.post("/compte/password/change/", data).status_code for _ in range(8)]
    assert answers[-1] == 429
    data["oldpassword"] = PASSWORD
    client.post("/compte/password/change/", data)
    lea.refresh_from_db()
    assert lea.check_password(PASSWORD)
    assert AuditEvent.objects.filter(kind="account.password_refused").count() == 5


def test_the_workshops_log_in_is_ours(lea: User) -> None:  # noqa: F811
    client = Client()
    answer = client.post("/admin/login/", {"username": "lea", "password": PASSWORD})
    assert "/compte/login/" in answer.headers["Location"]
    assert "_auth_user_id" not in client.session
