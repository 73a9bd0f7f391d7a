"""A real browser, the owner of the firm, and what the page complains of."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from playwright.sync_api import Browser, Page, expect

from sphinx.dashboard.roles import ensure_roles

PASSWORD = "un-mot-de-passe-de-test"
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    return {
        "executable_path": "/usr/bin/chromium",
        "args": [
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ],
    }


@pytest.fixture
def owner() -> User:
    ensure_roles()
    user = User.objects.create_user("gerant", "g@exemple.test", PASSWORD, is_staff=True)
    user.groups.add(Group.objects.get(name="Gérant"))
    return user


@pytest.fixture
def errors() -> list[str]:
    """What the page complained of in its console."""
    return []


@pytest.fixture
def page(browser: Browser, errors: list[str], live_server: Any) -> Iterator[Page]:
    context = browser.new_context(locale="fr-FR", accept_downloads=True)
    page = context.new_page()
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    yield page
    context.close()


@pytest.fixture
def logged_in(page: Page, live_server: Any, owner: User) -> Page:
    """The owner's browser, on the home page."""
    page.goto(f"{live_server.url}/")
    page.get_by_label("Identifiant").fill(owner.username)
    page.get_by_label("Mot de passe", exact=True).fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Ce qui attend une main")).to_be_visible()
    return page
