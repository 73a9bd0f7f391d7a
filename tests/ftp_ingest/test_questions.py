"""A question about a shop's files is asked once; its answer lets in all that waits for it."""

import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from ftp_ingest.models import FeedRun, QuarantinedRow, ShopState
from ftp_ingest.selectors import as_causes, open_causes, phrase_of, waiting_states
from ftp_ingest.services import (
    IngestReport,
    answer_states,
    answer_untaxed,
    applying,
    ingest_paths,
    pull_feed,
    replay_row,
)
from ftp_ingest.services.mending import untaxed_articles, untaxed_categories
from inventory.models import Product, ProductCategory
from sales.models import Order
from sphinx.core import clock
from sphinx.core.errors import InputError
from sphinx.core.models import AuditEvent, Shop
from sphinx.core.services import company
from tests.factories import FeedFactory, ProductFactory
from tests.ftp_ingest.test_ingest import HEADER, row
from tests.support.threads import together
from tests.test_stock_pages import signed_in

pytestmark = pytest.mark.django_db
Bring = Callable[..., IngestReport]


@pytest.fixture
def answer(shop: Shop, django_capture_on_commit_callbacks: Any) -> Callable[[dict[str, str]], None]:
    """Say what states mean; what waits comes in."""

    def said(answers: dict[str, str], of: Shop = shop) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            answer_states(shop_id=of.pk, answers=answers, at=clock.now())

    return said


def in_state(numbers: str, status: str) -> str:
    return "".join(row(number, status=status) for number in numbers.split())


def orders(**wanted: Any) -> list[str]:
    return list(Order.objects.filter(**wanted).order_by("number").values_list("number", flat=True))


def open_rows() -> list[tuple[str, str]]:
    rows = QuarantinedRow.objects.filter(status="open").order_by("number")
    return list(rows.values_list("number", "code"))


def bring_to(code: str, text: str, folder: Path) -> Shop:
    shop, _made = Shop.objects.get_or_create(code=code, defaults={"name": code})
    path = folder / f"{code}.csv"
    path.write_text(text, encoding="utf-8")
    ingest_paths(shop=shop, paths=[path])
    return shop


# --- States -------------------------------------------------------------------------------


def test_an_answer_lets_in_all_that_waits_for_it_once(
    bring: Bring, shop: Shop, answer: Any
) -> None:
    bring(HEADER + in_state("1 2 3", "Chez le luthier") + in_state("4", "Au grenier"))
    bring(HEADER + in_state("5", "CHEZ LE LUTHIER"))
    assert [(s.text, s.orders) for s in waiting_states(shop)] == [
        ("Chez le luthier", 4),
        ("Au grenier", 1),
    ]

    answer({"Chez le luthier": "paid"})
    answer({"Chez le luthier": "paid"})

    assert orders() == ["1", "2", "3", "5"]
    assert open_rows() == [("4", "order.unknown_status")]
    assert ShopState.objects.count() == 1
    assert AuditEvent.objects.filter(kind="shop_state.answered").count() == 1


def test_later_files_are_read_with_the_answer(bring: Bring, answer: Any) -> None:
    bring(HEADER + in_state("1", "Chez le luthier"))
    answer({"Chez le luthier": "cancelled"})

    report = bring(HEADER + in_state("2", "chez le Luthier"))

    assert not report.counts.faults
    assert orders(status="cancelled") == ["1", "2"]


def test_an_answer_that_changed_reads_known_rows_anew(bring: Bring, answer: Any) -> None:
    bring(HEADER + in_state("1", "Chez le luthier"))
    answer({"Chez le luthier": "pending"})
    assert orders(payment_status="unpaid") == ["1"]

    answer({"Chez le luthier": "paid"})
    report = bring(HEADER + in_state("1", "Chez le luthier") + "\n")

    assert report.counts.orders["updated"] == 1
    assert orders(payment_status="paid") == ["1"]
    assert AuditEvent.objects.filter(kind="shop_state.answered").count() == 2


def test_shops_with_the_same_words_stay_apart(tmp_path: Path, shop: Shop, answer: Any) -> None:
    text = HEADER + in_state("1", "Chez le luthier")
    shops = [bring_to(code, text, tmp_path) for code in ("a", "b", "c")]

    answer({"Chez le luthier": "paid"}, shops[0])
    answer({"Chez le luthier": "cancelled"}, shops[1])

    found = {o.shop.code: o.status for o in Order.objects.select_related("shop")}
    assert found == {"a": "confirmed", "b": "cancelled"}
    bring_to("c", text + in_state("2", "Chez le luthier"), tmp_path)
    assert [s.orders for s in waiting_states(shops[2])] == [2]


def test_an_order_that_lacks_something_else_waits_for_that_only(
    bring: Bring, shop: Shop, answer: Any
) -> None:
    bring(HEADER + row("1", status="Chez le luthier", rate="", sku="LIV"))

    answer({"Chez le luthier": "paid"})

    assert open_rows() == [("1", "order.tax_undecided")]
    assert waiting_states(shop) == []


def test_an_order_that_lacks_the_first_thing_again_waits_for_it_again(
    bring: Bring, shop: Shop, answer: Any
) -> None:
    bring(HEADER + row("1", status="Chez le luthier", rate="", sku="LIV"))
    answer({"Chez le luthier": "paid"})
    ShopState.objects.all().delete()

    replay_row(row_id=QuarantinedRow.objects.get(status="open").pk)

    assert open_rows() == [("1", "order.unknown_status")]


def test_who_answers_while_a_file_is_read_is_heard(
    bring: Bring, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer comes before the chunk is written: its replay finds nothing yet."""
    whole = applying.set_aside

    def answered_before(*given: Any) -> None:
        if not ShopState.objects.exists():
            ShopState.objects.create(
                shop=shop, phrase="chez le luthier", meaning="paid", decided_at=clock.now()
            )
        whole(*given)

    monkeypatch.setattr(applying, "set_aside", answered_before)

    bring(HEADER + in_state("1 2", "Chez le luthier"))

    assert orders() == ["1", "2"]
    assert open_rows() == []


def test_an_essay_asks_nothing_and_answers_nothing(bring: Bring, shop: Shop) -> None:
    bring(HEADER + in_state("1", "Chez le luthier"), dry_run=True)

    assert waiting_states(shop) == []


@pytest.mark.parametrize("meaning", ["", "unknown", "paid "])
def test_a_meaning_that_is_none_is_refused(shop: Shop, meaning: str) -> None:
    with pytest.raises(InputError):
        answer_states(shop_id=shop.pk, answers={"Chez le luthier": meaning}, at=clock.now())

    assert not ShopState.objects.exists()


@pytest.mark.parametrize("text", ["Оплачен", "Отменен 1", "已付款", "!!!"])
def test_words_that_cant_be_told_apart_are_refused(shop: Shop, text: str) -> None:
    """Two of them would be the same once compared: paid and cancelled alike."""
    assert phrase_of(text) == ""
    with pytest.raises(InputError):
        answer_states(shop_id=shop.pk, answers={text: "paid"}, at=clock.now())


def test_a_state_that_woocommerce_prefixes_is_answered(
    bring: Bring, shop: Shop, answer: Any
) -> None:
    path = Path(__file__).parent.parent / "data/woocommerce/algolplus.csv"
    text = path.read_text("utf-8")
    first = next(word for word in ("Completed", "Processing", "completed", "processing")
                 if word in text)  # fmt: skip
    bring(text.replace(first, "wc-chez-le-luthier"))
    waiting = waiting_states(shop)
    assert [s.text for s in waiting] == ["wc-chez-le-luthier"]

    answer({waiting[0].text: "paid"})

    assert Order.objects.count() >= waiting[0].orders
    assert waiting_states(shop) == []


# --- The VAT of exports that tell none ------------------------------------------------------


@pytest.fixture
def answer_tax(shop: Shop, django_capture_on_commit_callbacks: Any) -> Callable[..., None]:
    def said(choice: str, **given: Any) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            answer_untaxed(shop_id=shop.pk, choice=choice, **given)

    return said


def untaxed_shopify() -> str:
    path = Path(__file__).parent.parent / "data/shopify/orders_export.csv"
    text = path.read_text("utf-8").splitlines(keepends=True)
    return text[0] + "".join(text[1:3]).replace("FR TVA 20%,9.12", ",").replace(",9.12,", ",0.00,")


def test_one_rate_is_kept_for_the_shop_and_what_waits_is_tried_again(
    bring: Bring, shop: Shop, answer_tax: Any
) -> None:
    bring(HEADER + row("1", rate="", sku="LIV") + row("2", rate="", sku="BOU"))
    before = FeedRun.objects.count()

    answer_tax("rate", rate=Decimal("5.5"))

    shop.refresh_from_db()
    assert shop.untaxed_rate == Decimal("5.50")
    assert FeedRun.objects.count() == before + 1
    assert AuditEvent.objects.get(kind="shop.untaxed_rate").details == {"rate": "5.5"}


def test_a_firm_without_vat_takes_all_its_orders_as_paid(bring: Bring, answer_tax: Any) -> None:
    bring(untaxed_shopify())
    assert [code for _number, code in open_rows()] == ["order.tax_undecided"]

    answer_tax("franchise")

    assert Order.objects.get().total_tax == 0
    assert company().is_tax_exempt
    assert AuditEvent.objects.filter(kind="firm.changed").exists()


def test_a_rate_each_article_lets_in_what_has_all_of_its_own(
    bring: Bring, shop: Shop, answer_tax: Any
) -> None:
    bring(HEADER + row("1", rate="", sku="LIV") + row("2", rate="", sku="LIV"))
    bring(HEADER + row("3", rate="", sku="BOU") + row("4", rate="", sku="CAF"))
    found = [(article.sku, article.orders) for article in untaxed_articles(shop)]
    assert found == [("LIV", 2), ("BOU", 1), ("CAF", 1)]

    answer_tax("articles", rates={"LIV": Decimal("5.5"), "BOU": Decimal(20)})

    rates = dict(Order.objects.values_list("number", "lines__tax_rate"))
    assert rates == {"1": Decimal("5.5"), "2": Decimal("5.5"), "3": Decimal(20)}
    assert [article.sku for article in untaxed_articles(shop)] == ["CAF"]
    assert Product.objects.get(sku="LIV").history.first().tax_rate == Decimal("5.50")


def test_a_category_answers_for_its_articles(bring: Bring, shop: Shop, answer_tax: Any) -> None:
    books = ProductCategory.objects.create(name="Livres", tax_rate=None)
    taxed = ProductCategory.objects.create(name="Bougies", tax_rate=Decimal(20))
    ProductFactory(sku="LIV", category=books, tax_rate=None)
    ProductFactory(sku="BD", category=books, tax_rate=None)
    ProductFactory(sku="BOU", category=taxed, tax_rate=None)
    bring(HEADER + row("1", rate="", sku="LIV") + row("2", rate="", sku="BD"))
    assert untaxed_categories(untaxed_articles(shop)) == [books]

    answer_tax("articles", category_rates={books.pk: Decimal("5.5")})

    rates = dict(Order.objects.values_list("number", "lines__tax_rate"))
    assert rates == {"1": Decimal("5.5"), "2": Decimal("5.5")}
    assert untaxed_categories(untaxed_articles(shop)) == []
    assert AuditEvent.objects.get(kind="category.rate_decided").details == {"rate": "5.5"}


@pytest.mark.parametrize(
    ("choice", "given"),
    [
        ("rate", {}),
        ("rate", {"rate": Decimal(13)}),
        ("articles", {"rates": {}}),
        ("articles", {"rates": {"LIV": Decimal("19.6")}}),
        ("articles", {"category_rates": {1: Decimal("19.6")}}),
        ("other", {"rate": Decimal(20)}),
    ],
)
def test_an_answer_that_is_none_changes_nothing(
    shop: Shop, answer_tax: Any, choice: str, given: dict[str, Any]
) -> None:
    with pytest.raises(InputError):
        answer_tax(choice, **given)

    shop.refresh_from_db()
    assert shop.untaxed_rate is None
    assert not Product.objects.exists()


# --- Causes -------------------------------------------------------------------------------


def test_orders_that_wait_for_the_same_answer_are_one_cause(bring: Bring) -> None:
    bring(HEADER + in_state("1 2 3", "Chez le luthier") + row("4", total="11.00"))
    bring(HEADER + row("5", total="12.00"))

    found = [(cause.code, cause.total) for cause in as_causes(open_causes())]

    assert found == [("order.unknown_status", 3), ("order.total_mismatch", 2)]


def test_states_called_like_their_order_stay_apart(bring: Bring) -> None:
    """A cause leaves an order's number out: not where it is the state's name too."""
    report = bring(HEADER + row("10", status="10") + row("11", status="11"))

    assert len(report.as_json()["causes"]) == 2


def test_rows_of_an_earlier_release_are_one_cause_a_code(bring: Bring) -> None:
    bring(HEADER + in_state("1 2 3", "Chez le luthier"))
    QuarantinedRow.objects.update(cause="", subject="")

    (cause,) = as_causes(open_causes())

    assert cause.total == 3
    assert "« Chez le luthier »" in cause.message


def test_a_row_of_an_earlier_release_learns_its_question_when_it_is_read_again(
    bring: Bring, shop: Shop
) -> None:
    bring(HEADER + in_state("1", "Chez le luthier"))
    QuarantinedRow.objects.update(cause="", subject="")

    replay_row(row_id=QuarantinedRow.objects.get().pk)

    assert [s.orders for s in waiting_states(shop)] == [1]


# --- Pages --------------------------------------------------------------------------------


def page(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_pages_say_a_cause_once_with_what_to_do(bring: Bring, shop: Shop) -> None:
    bring(HEADER + in_state(" ".join(map(str, range(1, 61))), "Chez le luthier"))
    owner = signed_in("Gérant")

    for url in (f"/passerelle/passages/{FeedRun.objects.get().pk}/", "/"):
        shown = page(owner, url)
        assert shown.count('<strong class="sx-big">60 commandes</strong>') == 1
        assert f"/passerelle/questions/{shop.code}/#etats" in shown
    run = page(owner, f"/passerelle/passages/{FeedRun.objects.get().pk}/")
    assert run.count("/passerelle/quarantaine/") == 50
    assert "Et 10 autres." in run


def test_one_order_is_corrected_where_it_stands(bring: Bring) -> None:
    bring(HEADER + row("1", total="11.00"))

    shown = page(signed_in("Gérant"), f"/passerelle/passages/{FeedRun.objects.get().pk}/")

    assert "Corriger la commande" in shown


def test_causes_cost_the_same_however_many_there_are(
    bring: Bring, django_assert_max_num_queries: Any
) -> None:
    states = [f"État n° {n}" for n in range(30)]
    bring(HEADER + "".join(row(str(n), status=s) for n, s in enumerate(states, start=1)))
    owner = signed_in("Gérant")
    run = FeedRun.objects.get().pk

    with django_assert_max_num_queries(25):
        page(owner, f"/passerelle/passages/{run}/")
    with django_assert_max_num_queries(25):
        page(owner, "/passerelle/questions/essai/")


def test_a_state_is_answered_on_the_page(
    bring: Bring, shop: Shop, django_capture_on_commit_callbacks: Any
) -> None:
    bring(HEADER + in_state("1 2", "Chez le luthier"))
    seller = signed_in("Ventes")
    shown = page(seller, "/passerelle/questions/essai/")
    assert "Chez le luthier" in shown
    assert "orders.csv" in shown
    assert "unknown_status" not in shown

    with django_capture_on_commit_callbacks(execute=True):
        seller.post("/passerelle/questions/essai/", {"state_Chez le luthier": "paid"})

    assert orders() == ["1", "2"]
    assert ShopState.objects.get().decided_by is not None
    assert "Ce qui a été répondu" in page(seller, "/passerelle/questions/essai/")


def test_another_shops_page_does_not_answer_for_this_one(
    bring: Bring, django_capture_on_commit_callbacks: Any
) -> None:
    bring(HEADER + in_state("1", "Chez le luthier"))
    Shop.objects.create(code="autre", name="Autre")
    owner = signed_in("Gérant")

    with django_capture_on_commit_callbacks(execute=True):
        for code in ("autre", "nulle-part"):
            url = f"/passerelle/questions/{code}/"
            owner.post(url, {"state_Chez le luthier": "paid"})

    assert orders() == []
    assert [s.shop.code for s in ShopState.objects.all()] == ["autre"]


@pytest.mark.parametrize("role", ["Entrepôt", "Achats", "Comptable", "Cabinet comptable"])
def test_who_may_not_mend_may_not_answer(bring: Bring, role: str) -> None:
    bring(HEADER + in_state("1", "Chez le luthier"))
    client = signed_in(role)

    answers = [
        client.get("/passerelle/questions/"),
        client.get("/passerelle/questions/essai/"),
        client.post("/passerelle/questions/essai/", {"state_Chez le luthier": "paid"}),
    ]

    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert not ShopState.objects.exists()


def test_only_who_may_change_the_firm_says_it_charges_no_vat(
    bring: Bring, django_capture_on_commit_callbacks: Any
) -> None:
    bring(untaxed_shopify())
    seller = signed_in("Ventes")
    assert "Nous sommes en franchise" not in page(seller, "/passerelle/questions/essai/")

    refused = seller.post("/passerelle/questions/essai/", {"vat": "franchise"})

    assert refused.status_code == 403
    assert not company().is_tax_exempt


def test_articles_are_answered_on_the_page(
    bring: Bring, django_capture_on_commit_callbacks: Any
) -> None:
    bring(HEADER + row("1", rate="", sku="LIV"))
    owner = signed_in("Gérant")
    assert "rate_LIV" in page(owner, "/passerelle/questions/essai/?articles=1")

    with django_capture_on_commit_callbacks(execute=True):
        given = {"vat": "articles", "rate_LIV": "5.5"}
        owner.post("/passerelle/questions/essai/", given)

    assert orders() == ["1"]


def test_a_category_is_answered_on_the_page(
    bring: Bring, django_capture_on_commit_callbacks: Any
) -> None:
    books = ProductCategory.objects.create(name="Livres", tax_rate=None)
    ProductFactory(sku="LIV", category=books, tax_rate=None)
    bring(HEADER + row("1", rate="", sku="LIV"))
    owner = signed_in("Gérant")
    assert "Livres" in page(owner, "/passerelle/questions/essai/?articles=1")

    with django_capture_on_commit_callbacks(execute=True):
        given = {"vat": "articles", f"category_{books.pk}": "5.5"}
        owner.post("/passerelle/questions/essai/", given)

    assert orders() == ["1"]


def test_the_report_of_an_upload_tells_causes(bring: Bring, shop: Shop) -> None:
    text = HEADER + in_state(" ".join(map(str, range(1, 6))), "Chez le luthier")
    file = SimpleUploadedFile("commandes.csv", text.encode())

    answer = signed_in("Gérant").post("/passerelle/deposer/", {"shop": shop.pk, "orders": file})

    shown = answer.content.decode()
    assert shown.count("5 commandes") == 1
    assert f"/passerelle/questions/{shop.code}/#etats" in shown


def test_currencies_and_spoilt_references_are_told_with_the_way_out(bring: Bring) -> None:
    bring(HEADER + row("1", total="11.00") + row("2", total="12.00") + row("3", total="13.00"))
    for number, code in (("1", "order.currency_unsaid"), ("2", "order.foreign_currency"),
                         ("3", "line.spoilt_sku")):  # fmt: skip
        QuarantinedRow.objects.filter(number=number).update(code=code)

    shown = page(signed_in("Gérant"), "/passerelle/questions/essai/")

    assert "Dire la devise de la boutique" in shown
    assert "Donner un cours" in shown
    assert "un tableur a arrondie" in shown


def test_a_shop_leads_to_its_questions(shop: Shop) -> None:
    shown = page(signed_in("Gérant"), f"/admin/core/shop/{shop.pk}/change/")

    assert "/passerelle/questions/essai/" in shown


def test_the_list_is_filtered_by_reason_in_words(bring: Bring) -> None:
    bring(HEADER + in_state("1 2", "Chez le luthier") + row("3", total="11.00"))
    owner = signed_in("Gérant")

    shown = page(owner, "/admin/ftp_ingest/quarantinedrow/?code=order.total_mismatch")

    assert "Commande 3" in shown
    assert "luthier » est inconnu. Attendu" not in shown
    assert "L&#x27;état « Chez le luthier » est inconnu. (2)" in shown


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_an_answer_while_a_feed_is_read_leaves_nothing_waiting(
    tmp_path: Path, settings: Any
) -> None:
    settings.INGEST_CHUNK_ORDERS = 1
    folder = tmp_path / "depot"
    folder.mkdir()
    numbers = " ".join(map(str, range(1, 41)))
    (folder / "orders.csv").write_text(HEADER + in_state(numbers, "Chez le luthier"), "utf-8")
    feed = FeedFactory(protocol="folder", directory=str(folder))

    def answer_soon() -> None:
        while not QuarantinedRow.objects.exists():
            time.sleep(0.01)
        answer_states(shop_id=feed.shop_id, answers={"Chez le luthier": "paid"}, at=clock.now())

    raised = together([lambda: pull_feed(feed), answer_soon])

    assert raised == []
    assert Order.objects.count() == 40
    assert open_rows() == []
