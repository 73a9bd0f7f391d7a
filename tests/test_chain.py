"""Every document's page shows the chain that it is a link of, each link for who may open it."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from accounting_export.models import JournalEntry
from accounting_export.services import post_missing, post_missing_purchases
from invoicing.models import Invoice
from invoicing.services import issue_invoice
from sales.models import DeliveryNote
from sphinx.dashboard.chain import SHOWN, chains_of
from tests.accounting_export.test_purchases import charged, received
from tests.factories import NOON, line, shipped
from tests.invoicing.test_grouped import UNPAID, grouped
from tests.test_search import user
from tests.test_stock_pages import signed_in

pytestmark = pytest.mark.django_db
WHOLE = ["orders.csv, ligne 2", "W1", "BL2026-000001", "FA2026-000001", "VE000001", "PP000001"]


@pytest.fixture
def day() -> None:
    note = shipped("W1", line("A", "12.00"), payment_method="PayPal")
    issue_invoice(delivery_note_id=note.pk, at=NOON)
    post_missing()


@pytest.mark.usefixtures("day")
@pytest.mark.parametrize("number", WHOLE[2:])
def test_from_the_line_of_the_file_to_the_payment(number: str) -> None:
    (chain,) = chains_of(number, user("Gérant"))
    assert [link.label.rpartition("/")[2] for link in chain] == WHOLE
    assert [link.label for link in chain if link.is_here] == [number]


@pytest.mark.usefixtures("day")
@pytest.mark.parametrize("model", [DeliveryNote, Invoice, JournalEntry])
def test_the_documents_page_begins_with_it(model: Any) -> None:
    row = model.objects.order_by("pk").first()
    client = signed_in("Gérant")
    page = client.get(f"/admin/{model._meta.app_label}/{model._meta.model_name}/{row.pk}/change/")
    text = page.content.decode()
    assert "sx-trail" in text
    for link in chains_of(row.number, User.objects.get())[0]:
        if link.url and not link.is_here:
            assert f'href="{link.url}"' in text
            assert client.get(link.url).status_code == 200


@pytest.mark.usefixtures("day")
def test_a_link_opens_only_for_who_may_see_it() -> None:
    (chain,) = chains_of("BL2026-000001", user("Entrepôt"))
    assert {link.label for link in chain if link.url} == {"W1", "BL2026-000001"}


def test_a_grouped_invoice_shows_some_of_its_orders_in_a_fixed_number_of_queries(
    django_assert_max_num_queries: Any,
) -> None:
    invoice = grouped(*(shipped(str(n), **UNPAID) for n in range(SHOWN + 2)))
    owner = User.objects.create_superuser("owner", "o@exemple.test", "x")
    with django_assert_max_num_queries(20):
        assert len(chains_of(invoice.number, owner)) == SHOWN


def test_a_supplier_invoices_entry_has_no_order_and_no_bar() -> None:
    charged(received())
    post_missing_purchases()
    post = JournalEntry.objects.get()
    page = signed_in("Gérant").get(f"/admin/accounting_export/journalentry/{post.pk}/change/")
    assert page.status_code == 200
    assert "sx-trail" not in page.content.decode()
