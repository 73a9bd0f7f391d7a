"""Who can't open a list keeps nothing of it, for nobody."""

import pytest

from sphinx.core.models import ListColumns, SavedFilter
from tests.test_stock_pages import signed_in

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "of_list",
    ["auth.user", "sales.order", "core.company", "a.b", "x", "auth.permission", "a" * 300],
)
@pytest.mark.parametrize("verb", ["filtres", "colonnes"])
def test_a_role_keeps_nothing_of_a_list_that_it_cant_open(of_list: str, verb: str) -> None:
    client = signed_in("Achats")
    answer = client.post(
        f"/listes/{of_list}/{verb}/", {"name": "Piège", "shared": "on", "column": "x"}
    )
    assert answer.status_code == 404
    assert not SavedFilter.objects.exists()
    assert not ListColumns.objects.exists()


def test_of_its_own_lists_it_does() -> None:
    client = signed_in("Achats")
    client.post("/listes/suppliers.supplier/filtres/", {"name": "Mes", "shared": "on"})
    assert SavedFilter.objects.get().is_shared


def test_another_spelling_of_a_list_is_no_list() -> None:
    client = signed_in("Achats")
    assert client.post("/listes/suppliers.SUPPLIER/filtres/", {"name": "x"}).status_code == 404
