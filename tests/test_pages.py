"""Every page of the back-office, for those who may see it and for those who may not."""

from datetime import timedelta
from typing import Any

import pytest
import tablib
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from inventory.services import default_warehouse
from invoicing.services import issue_invoice
from purchasing.models import PurchaseOrder
from sales.models import Order
from sphinx.core import clock
from sphinx.core.models import Company
from sphinx.dashboard.figures import work_waiting
from sphinx.dashboard.roles import ROLES, ensure_roles
from suppliers.models import Supplier
from tests.factories import NOON, SupplierFactory, line, placed, shipped

pytestmark = pytest.mark.django_db
OURS = [
    "core",
    "customers",
    "suppliers",
    "inventory",
    "purchasing",
    "sales",
    "invoicing",
    "accounting_export",
    "ftp_ingest",
]


def client_of(role: str) -> Client:
    ensure_roles()
    user = User.objects.create_user(role, f"{role}@exemple.test", "x", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def owner() -> Client:
    return client_of("Gérant")


@pytest.fixture
def books() -> None:
    issue_invoice(delivery_note_id=shipped("1", line("A")).pk, at=NOON)
    placed("2", line("A"))


@pytest.mark.usefixtures("books")
def test_every_list_and_every_row_opens(owner: Client) -> None:
    request = RequestFactory().get("/admin/")
    request.user = User.objects.get()
    for model in admin.site._registry:
        if model._meta.app_label not in OURS:
            continue
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        assert owner.get(reverse(f"{name}_changelist"), {"q": "x"}).status_code == 200, name
        row = admin.site._registry[model].get_queryset(request).first()
        if row is not None:
            # Some open on a page of their own.
            page = owner.get(reverse(f"{name}_change", args=[row.pk]), follow=True)
            assert page.status_code == 200, name


@pytest.mark.parametrize("model", [Company, Supplier])
def test_a_form_in_sections_leaves_no_field_out(owner: Client, model: Any) -> None:
    request = RequestFactory().get("/admin/")
    request.user = User.objects.get()
    fields = [*model._meta.concrete_fields, *model._meta.many_to_many]
    settings = {f.name for f in fields if f.editable and f.formfield()}

    form = admin.site._registry[model].get_form(request, model())

    assert settings <= set(form.base_fields)


@pytest.mark.parametrize("path", ["/", "/admin/", "/comptabilite/export/", "/passerelle/deposer/"])
def test_pages_ask_for_a_log_in(path: str) -> None:
    response = Client().get(path)

    assert response.status_code == 302
    assert "/compte/login/" in response["Location"] or "/admin/login/" in response["Location"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_is_told_without_log_in_and_without_detail(path: str) -> None:
    response = Client().get(path)

    assert (response.status_code, response.content) == (200, b"ok")


def test_a_feed_that_keeps_failing_makes_the_site_not_ready() -> None:
    from tests.factories import FeedFactory

    FeedFactory(failures=3)

    assert Client().get("/readyz").status_code == 503


@pytest.mark.usefixtures("books")
@pytest.mark.parametrize(
    ("role", "verb", "allowed"),
    [
        ("Ventes", "confirmer", True),
        ("Entrepôt", "preparer", True),
        ("Entrepôt", "facturer", False),
        ("Comptable", "annuler", False),
        ("Achats", "annuler", False),
        ("Gérant", "annuler", True),
    ],
)
def test_each_role_does_its_own_work_only(role: str, verb: str, allowed: bool) -> None:
    order = Order.objects.get(number="2")

    response = client_of(role).post(reverse("dashboard:order_action", args=[order.pk, verb]))

    assert response.status_code == (302 if allowed else 403)


def test_nothing_is_done_by_following_a_link(owner: Client) -> None:
    order = placed("1", line("A"))

    response = owner.get(reverse("dashboard:order_action", args=[order.pk, "annuler"]))

    assert response.status_code == 405


@pytest.mark.usefixtures("books")
def test_the_accountant_reads_exports_and_asks_and_changes_nothing() -> None:
    accountant = client_of("Comptable")
    period = {"date_from": "01/03/2026", "date_to": "31/03/2026"}
    data = {**period, "scope": "again", "format_code": "fec", "journals": ["VE", "AC"]}

    assert accountant.post("/comptabilite/export/", data).status_code == 302
    page = accountant.get("/comptabilite/export/").content.decode()
    assert "EX000001" in page
    assert [
        perm
        for perm in User.objects.get(username="Comptable").get_all_permissions()
        if perm.split(".")[1].startswith(("add_", "change_", "delete_"))
    ] == ["accounting_export.add_entryquestion"]


def test_products_are_imported_from_a_spreadsheet_and_customers_exported(owner: Client) -> None:
    from customers.models import Customer
    from inventory.models import Product
    from inventory.resources import ProductResource
    from tests.factories import CustomerFactory, ProductFactory

    ProductFactory(sku="Abc-1", label="Avant")
    CustomerFactory(last_name="=1+1")
    dataset = tablib.Dataset(["ABC-1", "Après"], ["N-2", "Neuf"], headers=["sku", "label"])

    result = ProductResource().import_data(dataset, raise_errors=True)

    assert (result.totals["update"], result.totals["new"]) == (1, 1)
    assert Product.objects.get(sku_key="abc-1").label == "Après"
    assert "Exporter" in owner.get("/admin/customers/customer/").content.decode()
    assert Customer.objects.count() == 1


def test_files_can_be_brought_in_the_browser(owner: Client, shop: Any) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    from tests.ftp_ingest.test_feeds import ORDERS

    file = SimpleUploadedFile("../../orders.csv", ORDERS.encode())

    page = owner.post("/passerelle/deposer/", {"shop": shop.pk, "orders": file})

    assert "intégré" in page.content.decode()
    assert Order.objects.count() == 1


@pytest.mark.parametrize("path", ["/admin/sales/order/", "/"])
def test_a_list_costs_the_same_whatever_its_length(owner: Client, path: str) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert owner.get(path).status_code == 200
        return len(captured)

    placed("first", line("A"))
    queries()
    few = queries()
    for n in range(15):
        placed(f"{n}", line("A"))
    # The first to look brings the day's sums up to date.
    queries()
    assert queries() == few


def test_the_policy_lets_no_foreign_script_in(owner: Client) -> None:
    strict = Client().get("/compte/login/")["Content-Security-Policy"]
    framed = owner.get("/")["Content-Security-Policy"]

    assert "unsafe-eval" not in strict
    assert "script-src 'self'" in framed
    assert "unsafe-inline" not in framed.split("script-src")[1].split(";")[0]


def test_screens_are_french_until_somebody_chooses_english(owner: Client) -> None:
    assert (
        "Ce qui attend une main"
        in owner.get("/", headers={"accept-language": "en"}).content.decode()
    )

    owner.post("/langue/setlang/", {"language": "en"})

    assert "What waits for a hand" in owner.get("/").content.decode()


def test_every_role_names_permissions_that_exist() -> None:
    ensure_roles()

    for role in ROLES:
        assert Group.objects.get(name=role).permissions.exists()


def test_the_home_page_tells_what_should_have_come_and_opens_that_list() -> None:
    today = clock.today()
    supplier = SupplierFactory()
    for number, status, days in (
        ("CF1", "sent", -1),
        ("CF2", "confirmed", 0),
        ("CF3", "sent", 1),
        ("CF4", "received", -1),
        ("CF5", "partially_received", -9),
    ):
        PurchaseOrder.objects.create(
            number=number,
            supplier=supplier,
            warehouse=default_warehouse(),
            status=status,
            proposed_on=today,
            expected_on=today + timedelta(days=days),
        )
    assert work_waiting()["to_receive"] == 3
    assert work_waiting()["late_suppliers"] == 2

    buyer = client_of("Achats")
    shown = buyer.get("/").content.decode()
    for link in ("purchaseorder/?awaited=due", "purchaseorder/?awaited=late"):
        assert link in shown
    late = buyer.get("/admin/purchasing/purchaseorder/?awaited=late").content.decode()
    assert "CF1" in late
    assert "CF5" in late
    assert "CF2" not in late
    assert "awaited=late" not in client_of("Entrepôt").get("/").content.decode()
