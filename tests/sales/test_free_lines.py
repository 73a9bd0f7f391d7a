"""Lines of goods without a SKU: the shop's own article, made once, made one with real ones."""

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from inventory.models import Product, ProductAlias, Reservation, ShopArticle, StockPosition
from inventory.services import default_warehouse, open_stock
from sales.drafts import FEE, GIFT_CARD, LineDraft, OrderDraft, StatedTax
from sales.models import DeliveryNote, Order, OrderLine
from sales.services import OrderResult, gather_articles, prepare_delivery, upsert_orders
from sphinx.core.errors import BusinessRuleError
from sphinx.core.models import Shop
from tests.factories import NOON, SOURCE, ProductFactory, ShopFactory, draft, line, placed, put

pytestmark = pytest.mark.django_db
RING = "Bague Aluna - 17"


def ring(label: str = RING, **values: Any) -> LineDraft:
    return line("", label=label, **values)


def sold() -> OrderLine:
    return OrderLine.objects.select_related("product", "order").get()


def put_in(shop: Shop, *drafts: OrderDraft, **options: Any) -> OrderResult:
    return upsert_orders(shop=shop, drafts=drafts, source=SOURCE, at=NOON, **options)


def test_a_line_without_sku_gets_an_article_of_its_name_and_asks_for_it() -> None:
    put(draft("1", ring(quantity="2")))

    product = sold().product
    assert product is not None
    assert (product.sku, product.label) == (f"SANS-REF-{product.pk}", RING)
    assert (product.is_incomplete, product.category, product.tax_rate) == (True, None, None)
    assert sold().sku == ""
    assert StockPosition.objects.get(product=product).backordered == 2


def test_the_same_name_is_the_same_article_and_another_is_another() -> None:
    put(draft("1", ring()), draft("2", ring("bague  ALUNA - 17")), draft("3", ring(RING + "+")))
    put(draft("4", ring()))

    assert Product.objects.count() == 2
    assert OrderLine.objects.filter(product__label=RING).count() == 3


def test_long_names_that_differ_at_the_end_are_two_articles() -> None:
    put(draft("1", ring("Bague " * 30 + "17")), draft("2", ring("Bague " * 30 + "18")))

    assert Product.objects.count() == 2


def test_a_name_in_other_letters_is_a_name() -> None:
    put(draft("1", ring("指輪")), draft("2", ring("首飾り")))

    assert Product.objects.count() == 2


def test_the_shop_s_own_key_goes_before_the_name() -> None:
    put(draft("1", ring(product_key="71")), draft("2", ring("Bague renommée", product_key="71")))
    put(draft("3", ring(product_key="72")))

    assert set(ShopArticle.objects.values_list("key", flat=True)) == {"ID:71", "ID:72"}


def test_two_shops_have_two_articles() -> None:
    put_in(ShopFactory(code="une"), draft("1", ring()))
    put_in(ShopFactory(code="autre"), draft("1", ring()))

    assert Product.objects.count() == 2


def test_a_sku_that_looks_like_a_key_is_no_key() -> None:
    put(draft("1", line("id:71"), ring(product_key="71"), line("name:" + RING), ring()))

    assert Product.objects.count() == 4


def test_gift_cards_tips_and_fees_stay_free() -> None:
    put(draft("1", ring(kind=GIFT_CARD, tax_rate=Decimal(0)), ring("Frais", kind=FEE)))

    assert not Product.objects.exists()


def test_a_shop_may_keep_free_lines() -> None:
    result = put_in(ShopFactory(keeps_free_lines=True), draft("1", ring()))

    assert (sold().product, result.notes, Product.objects.count()) == (None, [], 0)


def test_what_a_quote_says_in_free_text_stays_free() -> None:
    put_in(ShopFactory(), draft("1", ring()), makes_articles=False)

    assert sold().product is None


def test_it_is_said_once_and_refuses_nothing() -> None:
    first = put(draft("1", line("A"), ring(line=7)), draft("2", ring("Collier", line=9)))
    again = put(draft("1", line("A"), ring(line=7)), draft("3", ring()))

    (note,) = first.notes
    assert (note.code, note.line, note.column, note.number) == ("line.no_sku", 7, "sku", "1")
    assert "2" in note.message
    assert not first.rejections
    assert again.notes == []


def test_notes_of_several_chunks_have_one_cause() -> None:
    causes = {put(draft(str(n), ring(f"Bague {n}"))).notes[0].cause for n in range(3)}

    assert len(causes) == 1


def test_many_lines_cost_as_many_statements_as_one() -> None:
    def statements(start: int, count: int) -> int:
        drafts = [draft(str(n), ring(f"Bague {n}")) for n in range(start, start + count)]
        with CaptureQueriesContext(connection) as queries:
            put(*drafts)
        return len(queries)

    put(draft("0"))
    assert statements(10, 1) == statements(100, 30)


def test_an_order_that_changes_keeps_its_article() -> None:
    put(draft("1", ring()))
    before = sold().product_id

    result = put(draft("1", ring(quantity="3")))

    assert (sold().product_id, result.notes) == (before, [])
    assert StockPosition.objects.get().backordered == 3


def free_before(shop: Shop, *lines: LineDraft, **values: Any) -> None:
    """An order that came in when such lines were free text."""
    put_in(shop, draft("1", *lines, **values), makes_articles=False)


def test_a_free_line_known_before_stays_as_it_is_until_its_order_changes() -> None:
    shop = ShopFactory()
    free_before(shop, ring())

    put_in(shop, draft("1", ring()))
    put_in(shop, draft("1", ring(), note="Appeler avant"))
    assert (sold().product, Product.objects.count()) == (None, 0)

    put_in(shop, draft("1", ring(quantity="2")))
    assert sold().product is not None


def test_a_free_line_that_waited_for_its_payment_gets_its_article() -> None:
    shop = ShopFactory()
    free_before(shop, ring(), state="pending", payment_status="unpaid")

    put_in(shop, draft("1", ring()))

    assert sold().product is not None
    assert sold().order.status == Order.Status.CONFIRMED


def test_a_rate_set_on_the_article_prices_its_lines() -> None:
    unsaid = ring(tax_rate=None)
    other = ring("Livre", tax_rate=None)
    # Nothing in the file tells the two rates apart.
    mixed = {"stated_taxes": (StatedTax(None, Decimal("2.22")),), "prices_include_tax": True}
    refused = put(draft("1", unsaid, other, **mixed))
    assert [r.code for r in refused.rejections] == ["order.tax_undecided"]

    Product.objects.filter(label=RING).update(tax_rate=Decimal("20.00"))
    Product.objects.filter(label="Livre").update(tax_rate=Decimal("5.50"))
    result = put(draft("1", unsaid, other, **mixed))

    assert not result.rejections
    assert list(OrderLine.objects.values_list("tax_rate", flat=True)) == [
        Decimal("20.00"),
        Decimal("5.50"),
    ]


def test_the_rate_still_prices_an_order_of_which_only_a_word_changed() -> None:
    unsaid = ring(tax_rate=None)
    put(draft("0", ring()))
    Product.objects.update(tax_rate=Decimal("5.50"))
    put(draft("1", unsaid))

    result = put(draft("1", unsaid, note="Cadeau"))

    assert (result.updated, result.rejections) == (1, [])


# --- Made one with the real article -------------------------------------------------------


def gathered(product: Product, into: Product) -> int:
    return gather_articles(product_ids=[product.pk], into_id=into.pk)[1]


def test_merged_its_open_orders_and_those_to_come_take_the_real_article() -> None:
    real = ProductFactory(sku="ALUNA-17", on_hand=10)
    order = placed("1", ring(quantity="2"))
    made = Product.objects.get(label=RING)

    assert gathered(made, real) == 1
    put(draft("2", ring(quantity="3")))

    assert set(OrderLine.objects.values_list("product_id", flat=True)) == {real.pk}
    assert StockPosition.objects.get(product=real).reserved == 5
    left = StockPosition.objects.get(product=made)
    assert (left.reserved, left.backordered) == (0, 0)
    assert prepare_delivery(order_id=order.pk, at=NOON) is not None
    made.refresh_from_db()
    assert not made.is_active


def test_merged_a_file_that_gives_the_made_up_sku_means_the_real_article() -> None:
    real = ProductFactory(sku="ALUNA-17")
    placed("1", ring())
    made = Product.objects.get(label=RING)

    gathered(made, real)
    put(draft("2", line(made.sku)))

    assert OrderLine.objects.get(order__number="2").product == real
    assert ProductAlias.objects.get().product == real


def test_merged_an_order_keeps_its_turn() -> None:
    real = ProductFactory(sku="ALUNA-17", on_hand=0)
    placed("1", ring())
    requested = Reservation.objects.get().requested_at

    gathered(Product.objects.get(label=RING), real)

    asked = Reservation.objects.get(product=real)
    assert (asked.requested_at, asked.origin_number, asked.quantity) == (requested, "1", 1)


def test_merged_what_was_being_picked_is_prepared_again() -> None:
    real = ProductFactory(sku="ALUNA-17", on_hand=5)
    other = ProductFactory(sku="A", on_hand=5)
    order = placed("1", line("A"), ring())
    assert prepare_delivery(order_id=order.pk, at=NOON) is not None

    gathered(Product.objects.get(label=RING), real)
    note = prepare_delivery(order_id=order.pk, at=NOON)

    assert note is not None
    assert note.lines.count() == 2
    assert DeliveryNote.objects.filter(status=DeliveryNote.Status.DRAFT).count() == 1
    assert StockPosition.objects.get(product=other).reserved == 1


def test_an_unpaid_order_s_line_is_merged_and_takes_the_real_article_when_paid() -> None:
    real = ProductFactory(sku="ALUNA-17", on_hand=5)
    unpaid = {"state": "pending", "payment_status": "unpaid"}
    put(draft("1", ring(), **unpaid))

    gathered(Product.objects.get(label=RING), real)
    put(draft("1", ring()))

    assert StockPosition.objects.get(product=real).reserved == 1


def test_an_article_with_stock_of_its_own_is_not_merged() -> None:
    real = ProductFactory(sku="ALUNA-17", on_hand=5)
    placed("1", ring())
    made = Product.objects.get(label=RING)
    found = {made.pk: (Decimal(3), Decimal("4.00"))}
    open_stock(opening=found, warehouse=default_warehouse(), at=NOON)

    with pytest.raises(BusinessRuleError, match="mouvements de stock"):
        gathered(made, real)

    assert sold().product == made
    assert StockPosition.objects.get(product=made).reserved == 1


def test_a_real_article_is_not_merged_into_another() -> None:
    real, other = ProductFactory(sku="A"), ProductFactory(sku="B")

    with pytest.raises(BusinessRuleError, match="sans référence"):
        gathered(real, other)


def test_nothing_is_merged_into_an_article_out_of_use() -> None:
    real = ProductFactory(sku="A", is_active=False)
    placed("1", ring())

    with pytest.raises(BusinessRuleError, match="plus actif"):
        gathered(Product.objects.get(label=RING), real)


def test_two_made_up_articles_may_be_one() -> None:
    put(draft("1", ring()), draft("2", ring("Bague Aluna T17")))
    first, second = Product.objects.order_by("pk")

    gathered(second, first)

    assert set(OrderLine.objects.values_list("product_id", flat=True)) == {first.pk}


# --- The page ----------------------------------------------------------------------------


def owner_s_browser(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("gerant"))
    return client


def test_the_page_lists_them_by_name_and_makes_them_one(client: Client) -> None:
    browser = owner_s_browser(client)
    real = ProductFactory(sku="ALUNA-17", on_hand=5)
    placed("1", ring())
    made = Product.objects.get(label=RING)
    address = reverse("sales:without_sku")

    assert RING in browser.get(address).content.decode()
    assert RING not in browser.get(address, {"q": "collier"}).content.decode()
    answer = browser.post(address, {"product": [made.pk], "into": "aluna-17"}, follow=True)

    assert "réuni" in answer.content.decode()
    assert RING not in browser.get(address).content.decode()
    assert sold().product == real


def test_the_page_says_what_it_can_t_do(client: Client) -> None:
    browser = owner_s_browser(client)
    placed("1", ring())
    made = Product.objects.get(label=RING)
    address = reverse("sales:without_sku")

    unknown = browser.post(address, {"product": [made.pk], "into": "RIEN"}, follow=True)
    nothing = browser.post(address, {"into": made.sku}, follow=True)

    assert "RIEN" in unknown.content.decode()
    assert "Cochez" in nothing.content.decode()


def test_one_that_got_its_own_reference_is_no_longer_listed(client: Client) -> None:
    browser = owner_s_browser(client)
    placed("1", ring())
    Product.objects.update(sku="ALUNA-17", sku_key="aluna-17")

    assert RING not in browser.get(reverse("sales:without_sku")).content.decode()
