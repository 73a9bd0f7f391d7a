"""A second factor in a real browser: a passkey is added, then opens the door without a password."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.cache import cache
from playwright.sync_api import Page, expect

from sphinx.core.services import company
from sphinx.dashboard.roles import ensure_roles
from tests.browser.conftest import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def with_a_key(page: Page) -> None:
    """Plugs a key into the browser that answers by itself."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )


def log_in(page: Page, url: str, name: str = "gerant") -> None:
    page.goto(f"{url}/compte/login/")
    page.get_by_label("Identifiant").fill(name)
    page.get_by_label("Mot de passe", exact=True).fill(PASSWORD)
    page.keyboard.press("Enter")


def test_who_must_have_a_second_factor_adds_a_passkey_and_logs_in_with_it(
    page: Page, live_server: Any, owner: User, errors: list[str]
) -> None:
    cache.clear()
    ensure_roles()
    company().second_factor_roles.add(Group.objects.get(name="Gérant"))
    url = live_server.url.replace("127.0.0.1", "localhost")
    with_a_key(page)
    log_in(page, url)
    expect(page.get_by_text("Votre rôle demande un second facteur")).to_be_visible()

    page.goto(f"{url}/compte/2fa/webauthn/add/")
    page.get_by_label("Mot de passe").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.locator("input[name=name]").fill("Mon téléphone")
    page.locator("input[name=passwordless]").check()
    page.locator("#mfa_webauthn_add").click()
    page.wait_for_url("**/compte/2fa/recovery-codes/**")
    page.goto(f"{url}/")
    expect(page.get_by_role("heading", name="Ce qui attend une main")).to_be_visible()

    page.context.clear_cookies()
    page.goto(f"{url}/compte/login/")
    page.locator("#passkey_login").click()
    expect(page.get_by_role("heading", name="Ce qui attend une main")).to_be_visible()
    assert errors == []
