"""Lists as each person likes them: columns, filters kept and shared."""

import pytest

from sphinx.core.models import ListColumns, SavedFilter
from tests.factories import line, placed
from tests.test_stock_pages import signed_in

pytestmark = pytest.mark.django_db
ORDERS = "/admin/sales/order/"


def test_the_columns_chosen_are_shown_to_who_chose_them() -> None:
    placed("W1", line("A"))
    mine, other = signed_in("Gérant"), signed_in("Ventes")
    before = list(other.get(ORDERS).context["cl"].list_display)
    mine.post("/listes/sales.order/colonnes/", {"column": ["state", "payment"]})
    shown = list(mine.get(ORDERS).context["cl"].list_display)
    # The box and the link to the order stay.
    assert shown == [before[0], before[1], "state", "payment"]
    assert list(other.get(ORDERS).context["cl"].list_display) == before
    mine.post("/listes/sales.order/colonnes/", {"all": "1"})
    assert list(mine.get(ORDERS).context["cl"].list_display) == before
    assert not ListColumns.objects.exists()


def test_a_filter_is_kept_without_page_and_order_and_opens_the_list_again() -> None:
    placed("W1", line("A"))
    client = signed_in("Gérant")
    kept = client.post(
        "/listes/sales.order/filtres/",
        {"name": "À confirmer", "query": "status__exact=draft&q=lea&p=3&o=2.-1"},
    )
    assert kept.url == f"{ORDERS}?status__exact=draft&q=lea"
    page = client.get(kept.url)
    assert "À confirmer" in page.content.decode()
    assert page.context["cl"].result_count == 0


def test_a_filter_is_shared_when_wished_and_forgotten_by_its_owner_only() -> None:
    mine, other = signed_in("Gérant"), signed_in("Ventes")
    for name, more in (("À moi", {}), ("À tous", {"shared": "1"})):
        mine.post("/listes/sales.order/filtres/", {"name": name, "query": "q=x", **more})
    text = other.get(ORDERS).content.decode()
    assert "À tous" in text
    assert "À moi" not in text
    shared = SavedFilter.objects.get(name="À tous")
    assert other.post(f"/listes/filtres/{shared.pk}/oublier/").status_code == 404
    assert mine.post(f"/listes/filtres/{shared.pk}/oublier/").status_code == 302
    assert not SavedFilter.objects.filter(name="À tous").exists()


def test_a_filter_needs_a_name_and_a_list_that_exists() -> None:
    client = signed_in("Gérant")
    assert client.post("/listes/sales.order/filtres/", {"name": " ", "query": "q=x"}).url == (
        f"{ORDERS}?q=x"
    )
    assert not SavedFilter.objects.exists()
    for nonsense in ("sales.nothing", "../etc", "auth"):
        answer = client.post(f"/listes/{nonsense}/colonnes/", {"column": ["x"]})
        assert answer.status_code == 404


def test_columns_that_no_longer_exist_hide_nothing_else() -> None:
    client = signed_in("Gérant")
    client.post("/listes/sales.order/colonnes/", {"column": ["gone", "state"]})
    assert "state" in list(client.get(ORDERS).context["cl"].list_display)


def test_a_filter_longer_than_anybody_writes_is_refused_in_words() -> None:
    client = signed_in("Gérant")
    answer = client.post(
        "/listes/sales.order/filtres/", {"name": "Long", "query": f"q={'x' * 2000}"}, follow=True
    )
    assert "trop long pour être gardé" in answer.content.decode()
    assert not SavedFilter.objects.exists()
