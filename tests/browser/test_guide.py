"""The guide in a real browser: from a screen, by its search, by keyboard, in the other language."""

from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from sphinx.guide.building import build

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def guide(settings: Any, tmp_path: Path) -> None:
    settings.GUIDE_DIR = tmp_path / "guide"
    build(settings.GUIDE_DIR)


@pytest.mark.usefixtures("guide")
def test_a_screen_opens_its_page_which_is_searched_and_read_in_english(
    logged_in: Page, live_server: Any, errors: list[str]
) -> None:
    page = logged_in
    page.goto(f"{live_server.url}/admin/ftp_ingest/feed/")
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Aide").click()
    guide = opened.value
    guide.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    expect(guide.get_by_role("heading", name="Relier une boutique", level=1)).to_be_visible()
    guide.keyboard.press("Control+k")
    guide.keyboard.type("lettrage")
    expect(guide.get_by_role("link", name="Les mots").last).to_be_visible()
    guide.keyboard.press("Escape")
    guide.goto(f"{live_server.url}/aide/en/shops/")
    expect(guide.get_by_role("heading", name="Connect a shop", level=1)).to_be_visible()
    assert errors == []


@pytest.mark.usefixtures("guide")
@pytest.mark.parametrize("width", [1440, 390])
def test_the_guide_has_no_serious_barrier(page: Page, live_server: Any, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    for path in ("", "errors/", "accounting/formats/", "roles/warehouse/", "shops/prestashop/"):
        page.goto(f"{live_server.url}/aide/fr/{path}")
        found = Axe().run(page).response["violations"]
        serious = [v for v in found if v["impact"] in ("serious", "critical")]
        assert [(v["id"], v["nodes"][0]["html"]) for v in serious] == [], path
