"""Files of shops that give their articles no SKU, brought through the gateway."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from ftp_ingest.services import IngestReport
from inventory.models import Product, ShopArticle
from sales.models import OrderLine
from sphinx.core.models import Shop
from tests.support.exports import shopify_csv, shopify_order

pytestmark = pytest.mark.django_db
Bring = Callable[..., IngestReport]
DATA = Path(__file__).parent.parent / "data/woocommerce"


def ring(number: str, **more: str) -> dict[str, str]:
    return shopify_order(number, Lineitem_sku="", Lineitem_name="Bague Aluna - 17", **more)


def codes(report: IngestReport) -> list[str]:
    return [issue["code"] for issue in report.as_json()["issues"]]


def keys() -> set[str]:
    return set(ShopArticle.objects.values_list("key", flat=True))


def test_a_shop_without_any_sku_gets_an_article_a_name_and_hears_it_once(bring: Bring) -> None:
    first = bring(shopify_csv(ring("#6001"), ring("#6002")))
    again = bring(shopify_csv(ring("#6001"), ring("#6002"), ring("#6003")), name="suite.csv")

    assert (codes(first), codes(again)) == (["line.no_sku"], [])
    assert not first.has_refusals
    assert first.as_json()["issues"][0]["order"] == "#6001"
    assert Product.objects.get().label == "Bague Aluna - 17"
    assert OrderLine.objects.filter(product=Product.objects.get()).count() == 3


def test_a_file_tried_first_makes_nothing_and_says_it(bring: Bring) -> None:
    report = bring(shopify_csv(ring("#6001")), dry_run=True)

    assert (codes(report), Product.objects.count()) == (["line.no_sku"], 0)


def test_a_shop_that_keeps_free_lines_hears_nothing(bring: Bring, shop: Shop) -> None:
    Shop.objects.update(keeps_free_lines=True)
    shop.refresh_from_db()

    assert codes(bring(shopify_csv(ring("#6001")))) == []
    assert OrderLine.objects.get().product is None


def test_a_gift_card_sold_is_no_article(bring: Bring) -> None:
    card = {"Lineitem_sku": "", "Lineitem_name": "Carte cadeau 50 €", "Lineitem_taxable": "false"}

    bring(shopify_csv(shopify_order("#1", price="50.00", tax="0.00", **card)))

    assert OrderLine.objects.get().kind == "gift_card"
    assert not Product.objects.exists()


def items_export(**columns: list[str]) -> str:
    """SkyVerge's export, a row an item: two items without SKU; `columns` are added."""
    head, *rows = (DATA / "skyverge_items.csv").read_text(encoding="utf-8").splitlines()
    rows = [row.replace(",00042,", ",,").replace(",LIV-1,", ",,") for row in rows]
    for name, values in columns.items():
        head += f",{name}"
        rows = [f"{row},{value}" for row, value in zip(rows, values, strict=True)]
    return "\n".join([head, *rows, ""])


def test_woocommerce_s_variation_is_the_key_else_the_product(bring: Bring) -> None:
    bring(items_export(item_variation_id=["4017", "0"]))

    assert keys() == {"ID:4017", "ID:41"}


def test_woocommerce_s_product_alone_goes_with_the_name(bring: Bring) -> None:
    """Where variations aren't told, those of one product have its id in common."""
    bring(items_export())

    assert keys() == {'ID:40 lampe "lune"', "ID:41 livre; relié"}


def test_webtoffee_s_items_have_their_product_s_key(bring: Bring) -> None:
    text = (DATA / "webtoffee.csv").read_text(encoding="utf-8")

    bring(text.replace("sku:MIEL-5", "sku:"))

    assert "ID:12 miel de lavande" in keys()


def test_advanced_order_export_s_columns_are_the_key(bring: Bring) -> None:
    text = (DATA / "algolplus_recommended.csv").read_text(encoding="utf-8")
    head, *rows = text.splitlines()
    rows = [f"{row.replace('MUG-1', '')},10,0" for row in rows if "MUG-1" in row]

    bring("\n".join([f"{head},Product Id,Variation Id", *rows, ""]))

    assert keys() == {"ID:10"}


def test_the_pivot_format_has_a_column_for_the_shop_s_key(bring: Bring) -> None:
    report = bring(
        "order_number;placed_at;status;sku;label;quantity;unit_price_incl_tax;tax_rate;"
        "total_incl_tax;email;shop_product_key\n"
        "1;2026-03-02 10:00;paid;;Bague 17;1;10;20;20;a@exemple.test;V-17\n"
        "1;2026-03-02 10:00;paid;;Bague 18;1;10;20;20;a@exemple.test;V-18\n"
    )

    assert not report.has_refusals
    assert keys() == {"ID:V-17", "ID:V-18"}
    assert OrderLine.objects.values_list("tax_rate", flat=True)[0] == Decimal("20.00")


def test_a_key_that_comes_later_rewrites_no_order(bring: Bring) -> None:
    head = "order_number;placed_at;status;sku;label;quantity;unit_price_incl_tax;tax_rate;"
    head += "total_incl_tax;email"
    row = "1;2026-03-02 10:00;paid;;Bague 17;1;10;20;10;a@exemple.test"
    bring(f"{head}\n{row}\n")

    report = bring(f"{head};shop_product_key\n{row};V-17\n", name="suite.csv")

    assert report.counts.orders["unchanged"] == 1
    assert keys() == {"NAME:bague 17"}
