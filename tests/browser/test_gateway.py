"""The gateway's pages in a real browser: mended by keyboard, fitting a phone."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from ftp_ingest.models import FeedRun, QuarantinedRow, ShopState
from ftp_ingest.services import ingest_paths
from sales.models import Order
from tests.factories import FeedFactory, ProductFactory, ShopFactory, draft, line, put, shipped

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
HEADER = "order_number;placed_at;email;sku;quantity;unit_price_incl_tax;tax_rate;total_incl_tax\n"
ELEVEN_FOR_TEN = "Z1;2026-03-01 10:00:00;z@exemple.test;A;1;10.00;20;11.00\n"

ORDERS = HEADER.replace("placed_at", "placed_at;status")
UNKNOWN_STATE = "Z2;2026-03-01 10:00:00;Chez le luthier;z@exemple.test;A;1;10.00;20;10.00\n"
WITHOUT_RATE = "Z3;2026-03-01 10:00:00;paid;z@exemple.test;LIV;1;10.00;;10.00\n"


@pytest.fixture
def set_aside(tmp_path: Path) -> QuarantinedRow:
    """An order whose lines don't make its total."""
    path = tmp_path / "commandes.csv"
    path.write_text(HEADER + ELEVEN_FOR_TEN, encoding="utf-8")
    ingest_paths(shop=ShopFactory(), paths=[path])
    return QuarantinedRow.objects.get()


def test_an_order_is_mended_by_keyboard_alone(
    logged_in: Page, live_server: Any, set_aside: QuarantinedRow, errors: list[str]
) -> None:
    logged_in.goto(f"{live_server.url}/passerelle/quarantaine/{set_aside.pk}/")

    while logged_in.evaluate("document.activeElement.ariaLabel") != "total_incl_tax":
        logged_in.keyboard.press("Tab")
    logged_in.keyboard.press("Control+A")
    logged_in.keyboard.type("10.00")
    logged_in.keyboard.press("Enter")

    expect(logged_in.get_by_text("total_incl_tax")).to_have_count(0)
    assert Order.objects.get().total_incl_tax == Decimal(10)
    assert errors == []


@pytest.mark.parametrize("width", [1440, 390])
def test_the_gateways_pages_fit_the_screen(
    logged_in: Page, live_server: Any, set_aside: QuarantinedRow, tmp_path: Path, width: int
) -> None:
    logged_in.set_viewport_size({"width": width, "height": 900})
    run = FeedRun.objects.get()
    ProductFactory(sku="B", on_hand=5)
    note = shipped("W1", line("C"))
    put(draft("W1", line("C"), line("B")))
    file = tmp_path / "questions.csv"
    file.write_text(ORDERS + UNKNOWN_STATE + WITHOUT_RATE, encoding="utf-8")
    ingest_paths(shop=ShopFactory(), paths=[file])

    for path in (
        f"/passerelle/quarantaine/{set_aside.pk}/",
        f"/passerelle/passages/{run.pk}/",
        f"/passerelle/flux/{FeedFactory().pk}/essai/",
        "/passerelle/assistant/",
        "/passerelle/questions/",
        "/passerelle/questions/essai/",
        "/passerelle/questions/essai/?articles=1",
        f"/admin/sales/order/{note.order_id}/change/",
    ):
        logged_in.goto(f"{live_server.url}{path}")
        overflow = logged_in.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert overflow <= 0, path


def test_a_question_is_answered_by_keyboard_alone(
    logged_in: Page, live_server: Any, tmp_path: Path, errors: list[str]
) -> None:
    path = tmp_path / "commandes.csv"
    path.write_text(ORDERS + UNKNOWN_STATE, encoding="utf-8")
    ingest_paths(shop=ShopFactory(), paths=[path])
    logged_in.goto(f"{live_server.url}/passerelle/questions/essai/")

    while logged_in.evaluate("document.activeElement.name") != "state_Chez le luthier":
        logged_in.keyboard.press("Tab")
    logged_in.keyboard.press("ArrowDown")
    logged_in.keyboard.press("ArrowDown")
    logged_in.keyboard.press("Tab")
    logged_in.keyboard.press("Enter")

    expect(logged_in.get_by_text("1 réponse retenue")).to_be_visible()
    assert ShopState.objects.get().meaning == "paid"
    assert Order.objects.get().payment_status == "paid"
    assert errors == []


def test_an_order_that_has_left_leads_to_what_was_added(logged_in: Page, live_server: Any) -> None:
    ProductFactory(sku="B", on_hand=5)
    note = shipped("W1", line("A"))
    put(draft("W1", line("A"), line("B", "7.00")))
    logged_in.goto(f"{live_server.url}/admin/sales/order/{note.order_id}/change/")

    logged_in.get_by_role("link", name="W1+1", exact=True).click()

    expect(logged_in.get_by_role("button", name="Expédier")).to_be_visible()
    expect(logged_in.get_by_role("link", name="W1", exact=True)).to_be_visible()
