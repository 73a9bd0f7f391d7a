"""The camera as a scanner: Chromium is shown a film of a label."""

import re
from io import BytesIO
from pathlib import Path
from typing import Any

import barcode
import pytest
from barcode.writer import ImageWriter
from django.contrib.auth.models import User
from PIL import Image
from playwright.sync_api import BrowserType, expect

from inventory.services import default_warehouse, open_count
from tests.browser.conftest import PASSWORD
from tests.factories import NOON, ProductFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
CODE = "SPHINX-0042"
WIDTH, HEIGHT, FRAMES = 640, 480, 20


def film_of(code: str, path: Path) -> None:
    """A film (YUV4MPEG2) of a label that holds `code` as Code 128."""
    picture = BytesIO()
    barcode.get("code128", code, writer=ImageWriter()).write(picture, {"write_text": False})
    label = Image.open(picture).convert("L")
    label.thumbnail((WIDTH - 80, HEIGHT - 120))
    frame = Image.new("L", (WIDTH, HEIGHT), 255)
    frame.paste(label, ((WIDTH - label.width) // 2, (HEIGHT - label.height) // 2))
    grey = bytes([128]) * (WIDTH // 2 * HEIGHT // 2)
    with path.open("wb") as stream:
        stream.write(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F10:1 Ip A1:1 C420jpeg\n".encode())
        for _frame in range(FRAMES):
            stream.write(b"FRAME\n" + frame.tobytes() + grey + grey)


def test_what_the_camera_reads_is_counted_once_a_look(
    browser_type: BrowserType,
    browser_type_launch_args: dict[str, Any],
    live_server: Any,
    owner: User,
    tmp_path: Path,
) -> None:
    product = ProductFactory(on_hand=3, barcode="", sku=CODE)
    count = open_count(warehouse=default_warehouse(), at=NOON)
    film = tmp_path / "label.y4m"
    film_of(CODE, film)
    arguments = [
        *browser_type_launch_args["args"],
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    ]
    browser = browser_type.launch(**(browser_type_launch_args | {"args": arguments}))
    try:
        context = browser.new_context(locale="fr-FR", permissions=["camera"])
        page = context.new_page()
        page.goto(f"{live_server.url}/stock/inventaires/{count.pk}/")
        page.get_by_label("Identifiant").fill(owner.username)
        page.get_by_label("Mot de passe", exact=True).fill(PASSWORD)
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Caméra").click()
        expect(page.locator("#scan-said")).to_contain_text(re.compile("1$|1\\s*$"), timeout=20_000)
        page.wait_for_timeout(1000)
        page.get_by_role("button", name="Fermer la caméra").click()
        expect(page.get_by_role("button", name="Caméra")).to_be_visible()
    finally:
        browser.close()
    # The label stayed in sight: one look, one piece.
    assert count.lines.get(product=product).counted == 1


def test_without_a_camera_the_page_says_what_to_do(
    logged_in: Any, live_server: Any, errors: list[str]
) -> None:
    ProductFactory(on_hand=1)
    count = open_count(warehouse=default_warehouse(), at=NOON)
    logged_in.goto(f"{live_server.url}/stock/inventaires/{count.pk}/")
    logged_in.get_by_role("button", name="Caméra").click()
    expect(logged_in.get_by_text("La caméra n’est pas disponible")).to_be_visible()
    expect(logged_in.locator("#code")).to_be_focused()
    assert errors == []
