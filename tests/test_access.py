"""Who may open which page and do what: every role against every address, as a table.

tests/data/access.csv is that table: a line an address or an action of a list, a column a role, an x
where it is allowed. A change of it is a change of somebody's rights: it is read in the review.
WRITE_ACCESS=1 writes it anew.
"""

import csv
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import transaction
from django.template.response import SimpleTemplateResponse
from django.test import Client, RequestFactory
from django.urls import URLResolver, get_resolver, resolve
from django.utils.regex_helper import normalize

from ftp_ingest.models import Feed
from ftp_ingest.services import answer_states
from inventory.services import StyleDraft, make_styles
from invoicing.models import Closing
from purchasing.models import Receipt
from purchasing.services import accept_proposal, send_order
from purchasing.services.direct import propose_direct_orders
from sphinx.core import clock
from sphinx.core.models import Shop
from sphinx.dashboard.roles import ROLES
from tests.browser.test_stock import pages, proposal, receipt  # noqa: F401 (fixtures)
from tests.factories import ProductFactory, SupplierProductFactory, placed
from tests.factories import line as sold
from tests.ftp_ingest.test_trust import HEADER, row
from tests.support.crawling import Post, crawl
from tests.test_stock_pages import signed_in

pytestmark = [pytest.mark.once, pytest.mark.django_db]
TABLE = Path(__file__).parent / "data" / "access.csv"
# Everybody's: their own account, the language, the guide.
EVERYBODYS = (
    "admin:logout",
    "account_",
    "mfa_",
    "usersessions_",
    "set_language",
    "guide:",
    "healthz",
    "metrics",
    "readyz",
)
REFUSED = (403, 404, 405)


@pytest.fixture
def furnished(receipt: Receipt, bring: Any, shop: Shop, settings: Any) -> None:  # noqa: F811
    """A firm with something on every page."""
    pages(receipt)
    bring(HEADER + row("91") + row("92", total="11.00") + row("93", status="Chez le luthier"))
    bring(HEADER + row("94", rate="", sku="SANS-TAUX"))
    answer_states(shop_id=shop.pk, answers={"Au grenier": "cancelled"}, at=clock.now())
    _sell_what_its_supplier_sends()
    sizes = {ProductFactory(sku=f"MODELE-{size}").pk: [size] for size in "ML"}
    make_styles([StyleDraft("Modèle", ["Taille"], sizes)])
    Feed.objects.create(code="f", shop=shop, protocol="folder", directory="/nulle-part")
    _close_a_day()
    report = settings.DATA_DIR / "x.xml"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text("<x/>")


def _close_a_day() -> None:
    Closing.objects.create(
        kind=Closing.Kind.DAY,
        first_on=clock.today(),
        last_on=clock.today(),
        closed_at=clock.now(),
        documents=0,
        chain_index=0,
        details={"rates": {}, "payments": {}},
        invoiced_incl_tax=0,
        credited_incl_tax=0,
        perpetual_incl_tax=0,
        position=1,
    )


def _sell_what_its_supplier_sends() -> None:
    product = ProductFactory(sku="DIRECT", supply_mode="drop_ship")
    SupplierProductFactory(product=product)
    placed("direct", sold("DIRECT"))
    ((order,), _unsold) = propose_direct_orders(on=clock.today())
    accept_proposal(order_id=order.pk, at=clock.now())
    send_order(order_id=order.pk, at=clock.now())


def addresses(owner: Client) -> tuple[dict[str, str], dict[str, Post]]:
    """An address of each view that the owner can open, and of each button that posts."""
    gets: dict[str, str] = {}
    posts: dict[str, Post] = {}
    for page in crawl(owner):
        gets.setdefault(resolve(page.url.split("?")[0]).view_name, page.url)
        for post in page.posts:
            view = resolve(post.url.split("?")[0]).view_name
            says = post.value if post.name == "verb" else post.name
            # A button of a row ends with the row's key.
            posts.setdefault(f"{view} {says.rstrip('-0123456789')}".strip(), post)
    return gets, posts


def is_open(client: Client, address: str | Post) -> bool:
    """Whether the page, or the one it leads to, opens or the button does; that is undone."""
    with transaction.atomic():
        if isinstance(address, str):
            answer = client.get(address, follow=True)
        else:
            data = {address.name: address.value} if address.name else {}
            answer = client.post(address.url, data, follow=True)
        transaction.set_rollback(True)
    assert answer.headers["Cache-Control"] == "no-store", address
    return answer.status_code not in REFUSED


def actions(user: User) -> Iterator[str]:
    """What the user may do to rows of lists."""
    request: Any = RequestFactory().get("/admin/")
    request.user = user
    for model, model_admin in admin.site._registry.items():
        if model_admin.has_view_permission(request):
            for name in model_admin.get_actions(request):
                yield f"{model._meta.label_lower} {name}"


def table(owner: Client, clients: dict[str, Client]) -> list[dict[str, str]]:
    gets, posts = addresses(owner)
    wanted: list[tuple[str, str | Post]] = [
        *((f"GET {view}", url) for view, url in gets.items()),
        *((f"POST {view}", post) for view, post in posts.items()),
    ]
    # Who may is decided before a page is drawn.
    with patch.object(SimpleTemplateResponse, "rendered_content", ""):
        rows = [
            {"what": what}
            | {role: "x" if is_open(client, address) else "" for role, client in clients.items()}
            for what, address in wanted
            if not what.split()[1].startswith(EVERYBODYS)
        ]
    may = {role: set(actions(User.objects.get(username=role.lower()))) for role in clients}
    for action in set().union(*may.values()):
        rows.append(
            {"what": f"ACTION {action}"} | {r: "x" if action in may[r] else "" for r in may}
        )
    return sorted(rows, key=lambda line: line["what"])


def read_table() -> list[dict[str, str]]:
    with TABLE.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter=";"))


def test_each_role_may_open_and_do_what_the_table_says(
    furnished: None,
) -> None:
    clients = {role: signed_in(role) for role in ROLES}
    found = table(clients["Gérant"], clients)
    if os.environ.get("WRITE_ACCESS"):
        with TABLE.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, ["what", *ROLES], delimiter=";", lineterminator="\n")
            writer.writeheader()
            writer.writerows(found)
    known = {line["what"]: line for line in read_table()}
    now = {line["what"]: line for line in found}
    assert now.keys() == known.keys()
    for what, line in now.items():
        assert line == known[what], what


def every_address(resolver: URLResolver | None = None, before: str = "") -> Iterator[str]:
    """An address of each view of the site, whether or not a page leads to it."""
    for found in (resolver or get_resolver()).url_patterns:
        pattern = before + found.pattern.regex.pattern.removeprefix("^").removesuffix(r"\Z")
        if isinstance(found, URLResolver):
            yield from every_address(found, pattern)
            continue
        template, names = normalize(pattern)[0]
        given = {"extension": "csv", "app_label": "sales"}
        yield "/" + template % {name: given.get(name, "1") for name in names}


def test_strangers_are_led_to_the_log_in(db: None) -> None:
    stranger, asked = Client(), 0
    for address in every_address():
        # Who finds no view by this address has misread the pattern: resolve() fails.
        if resolve(address).view_name.startswith(EVERYBODYS):
            continue
        asked += 1
        for answer in (stranger.get(address), stranger.post(address)):
            leads_to = answer.headers.get("Location", "")
            assert answer.status_code == 405 or "/login/" in leads_to, address
    assert asked > len([line for line in read_table() if line["what"].startswith("GET ")])


def test_the_accountant_outside_the_firm_sees_documents_and_books_only() -> None:
    allowed = {line["what"] for line in read_table() if line["Cabinet comptable"]}
    places = {what.split()[1].removeprefix("admin:") for what in allowed}
    areas = {place.replace(":", ".").replace("_", ".").split(".")[0] for place in places}
    assert areas <= {"invoicing", "accounting", "dashboard", "core", "index"}
    own = {"core:jobs", "core:keep_filter", "core:list_columns", "dashboard:home"}
    assert {p for p in places if p.startswith(("dashboard", "core"))} <= own


def test_nobody_but_the_owner_reaches_people() -> None:
    for line in read_table():
        if "admin:auth_" in line["what"]:
            assert {role for role in ROLES if line[role]} <= {"Gérant"}, line["what"]
