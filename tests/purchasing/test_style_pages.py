"""A model's pages: recognised, made by hand, changed; its table of stock, sales and proposals."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from inventory.models import Product, Style
from inventory.selectors import recognisable
from inventory.services import (
    Demand,
    StyleDraft,
    change_reservations,
    default_warehouse,
    make_styles,
)
from purchasing.matrices import matrix, sold_pieces, variants_of
from purchasing.models import PurchaseOrderLine
from purchasing.services import propose_orders
from sales.selectors import names_in_orders
from sphinx.core import clock
from sphinx.dashboard.roles import ensure_roles
from tests.factories import (
    ProductFactory,
    ReorderRuleFactory,
    SupplierFactory,
    SupplierProductFactory,
    line,
    placed,
)

pytestmark = pytest.mark.django_db
D = Decimal
# Size and colour, pieces there, asked for 10 and 40 days ago.
TABLE = {
    ("M", "Bleu"): (10, 2, 1),
    ("S", "Bleu"): (5, 1, 0),
    ("M", "Écru"): (0, 0, 4),
    ("XL", "Écru"): (7, 3, 0),
}


def client_of(role: str) -> Client:
    ensure_roles()
    user = User.objects.create_user(role, password="x", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def buyer() -> Client:
    return client_of("Achats")


@pytest.fixture
def shirt() -> Style:
    variants, now = {}, clock.now()
    for n, ((size, colour), (there, lately, before)) in enumerate(TABLE.items()):
        product = ProductFactory(sku=f"TS-{n}", label=f"T-shirt - {size} / {colour}", on_hand=there)
        variants[product.pk] = [size, colour]
        demands = [(lately, 10), (before, 40)]
        change_reservations(
            demands=[
                Demand(product.pk, D(pieces), now - timedelta(days=days), f"{n}-{days}")
                for pieces, days in demands
                if pieces
            ],
            warehouse=default_warehouse(),
        )
    return make_styles([StyleDraft("T-shirt", ["Taille", "Couleur"], variants)])[0]


def table(style: Style, pieces: dict[int, Decimal]) -> dict[str, list[Any]]:
    found = matrix(style, variants_of(style), pieces)
    return {
        "": found.columns,
        **{row.name: [*(cell.pieces for cell in row.cells), row.total] for row in found.rows},
        "=": [*found.totals, found.total],
    }


def said(response: Any) -> str:
    return " ".join(str(m) for m in get_messages(response.wsgi_request))


def test_sizes_stand_across_and_colours_down(shirt: Style) -> None:
    products = variants_of(shirt)

    assert table(shirt, sold_pieces(products, on=clock.today(), days=91)) == {
        "": ["S", "M", "XL"],
        "Bleu": [1, 3, None, 4],
        "Écru": [None, 4, 3, 7],
        "=": [1, 7, 3, 11],
    }


def test_days_before_are_left_out(shirt: Style) -> None:
    found = table(shirt, sold_pieces(variants_of(shirt), on=clock.today(), days=28))

    assert (found["Bleu"], found["Écru"]) == ([1, 2, None, 3], [None, 0, 3, 3])


def test_one_option_is_a_list_and_three_are_rows_of_two() -> None:
    alone = make_styles([StyleDraft("Bol", ["Taille"], {ProductFactory().pk: ["Grand"]})])[0]
    variants = {
        ProductFactory().pk: ["M", "Bleu", "Coton"],
        ProductFactory().pk: ["L", "Bleu", "Lin"],
    }
    names = ["Taille", "Couleur", "Matière"]
    three = make_styles([StyleDraft("Polo", names, variants)])[0]

    one = matrix(alone, variants_of(alone), {p.pk: D(3) for p in variants_of(alone)})
    assert (one.row_name, one.column_name, one.rows[0].name, one.total) == (
        "Taille",
        "",
        "Grand",
        3,
    )
    assert table(three, {p.pk: D(1) for p in variants_of(three)}) == {
        "": ["M", "L"],
        "Bleu / Coton": [1, None, 1],
        "Bleu / Lin": [None, 1, 1],
        "=": [1, 1, 2],
    }


@pytest.mark.parametrize(
    ("shown", "figures"),
    [
        # There, less what customers are promised: 10 − 3, 5 − 1, none of four asked, 7 − 3.
        ("stock", ["4", "7", "11", "0", "4", "4", "4", "7", "4", "15"]),
        ("vendu-28", ["1", "2", "3", "0", "3", "3", "1", "2", "3", "6"]),
        ("propose", ["0", "0", "0", "20", "0", "20", "0", "20", "0", "20"]),
    ],
)
def test_the_page_shows_them(buyer: Client, shirt: Style, shown: str, figures: list[str]) -> None:
    product = Product.objects.get(sku="TS-2")
    SupplierProductFactory(product=product)
    ReorderRuleFactory(product=product, minimum=5, maximum=16)
    propose_orders(on=clock.today())

    page = buyer.get(reverse("purchasing:style", args=[shirt.pk]), {"voir": shown})

    found = page.context["matrix"]
    cells = [[c.pieces for c in row.cells if c.product] + [row.total] for row in found.rows]
    told = [str(int(n)) for n in [*cells[0], *cells[1], *found.totals, found.total]]
    assert told == figures
    assert "T-shirt" in page.content.decode()


def test_the_page_costs_no_query_a_variant(buyer: Client, shirt: Style) -> None:
    address = reverse("purchasing:style", args=[shirt.pk])
    buyer.get(address)
    with CaptureQueriesContext(connection) as four:
        buyer.get(address)
    draft = StyleDraft("", [], {ProductFactory().pk: [f"{n}", "Bleu"] for n in range(20)},
                       style_id=shirt.pk)  # fmt: skip
    make_styles([draft])
    with CaptureQueriesContext(connection) as many:
        buyer.get(address)

    assert len(many) == len(four)


# --- Recognised --------------------------------------------------------------------------------


def test_recognised_models_are_made_when_somebody_says_so(buyer: Client) -> None:
    for size in "SML":
        ProductFactory(sku=f"POLO-{size}", label=f"Polo (Taille : {size} - Couleur : Bleu)")
    address = reverse("sales:recognise_styles")

    page = buyer.get(address)
    assert not Style.objects.exists()
    ((key, found, _style),) = page.context["groups"]
    assert (found.label, len(found.variants)) == ("Polo", 3)
    done = buyer.post(address, {"style": key, f"label-{key}": "Polo piqué", f"name-{key}-1": "T."})

    assert "Polo piqué" in said(done)
    style = Style.objects.get()
    assert style.option_names == ["T.", "Couleur"]
    assert Product.objects.get(sku="POLO-S").options == ["S", "Bleu"]
    assert buyer.get(address).context["groups"] == []


def test_what_changed_since_the_page_is_looked_at_again(buyer: Client) -> None:
    for size in "SM":
        ProductFactory(sku=f"POLO-{size}", label=f"Polo - {size}")
    address = reverse("sales:recognise_styles")
    ((key, _found, _style),) = buyer.get(address).context["groups"]
    ProductFactory(sku="POLO-L", label="Polo - L")

    done = buyer.post(address, {"style": key})

    assert "relisez" in said(done)
    assert not Style.objects.exists()


def test_names_in_the_files_tell_where_the_catalogue_does_not() -> None:
    ProductFactory(sku="A", label="Polo marin petit")
    ProductFactory(sku="B", label="Polo marin grand")
    placed("1", line("A", label="Polo - S / Marin"), line("B", label="Polo - L / Marin"))

    (found,) = recognisable(names_in_orders(clock.today()))

    assert found.label == "Polo"
    assert [(a.sku, v) for a, v in found.variants] == [("A", ("S", "Marin")), ("B", ("L", "Marin"))]


def test_recognising_costs_no_query_an_article(buyer: Client) -> None:
    address, counts = reverse("sales:recognise_styles"), []
    for number in (2, 30):
        for n in range(number):
            for size in "SM":
                ProductFactory(sku=f"{number}-{n}-{size}", label=f"Robe {number}-{n} - {size}")
        buyer.get(address)
        with CaptureQueriesContext(connection) as asked:
            buyer.get(address)
        counts.append(len(asked))

    assert counts[0] == counts[1]


# --- By hand -----------------------------------------------------------------------------------


def test_articles_ticked_in_the_list_are_made_a_model(buyer: Client) -> None:
    pair = [ProductFactory(sku=f"P-{s}", label=f"Pull - {s} / Gris") for s in "SM"]
    listed = buyer.post(
        reverse("admin:inventory_product_changelist"),
        {"action": "gather", "_selected_action": [p.pk for p in pair]},
    )
    page = buyer.get(listed["Location"])

    draft = page.context["draft"]
    assert (draft.label, draft.variants) == (
        "Pull",
        {pair[0].pk: ["S", "Gris"], pair[1].pk: ["M", "Gris"]},
    )
    fields = {"label": "Pull", "product": [p.pk for p in pair], "name-1": "Taille",
              f"option-{pair[0].pk}-1": "S", f"option-{pair[1].pk}-1": "M",
              "added": f"{ProductFactory(sku='P-L').sku} ; L\n"}  # fmt: skip
    done = buyer.post(reverse("inventory:new_style"), fields)

    style = Style.objects.get()
    assert done["Location"] == reverse("purchasing:style", args=[style.pk])
    assert {p.sku: p.options for p in style.variants.all()} == {
        "P-S": ["S"],
        "P-M": ["M"],
        "P-L": ["L"],
    }


def test_what_is_refused_keeps_what_was_typed(buyer: Client) -> None:
    product = ProductFactory()
    fields = {"label": "Pull", "product": product.pk, "name-1": "Taille",
              f"option-{product.pk}-1": "S", "added": "INCONNU;M"}  # fmt: skip

    page = buyer.post(reverse("inventory:new_style"), fields)

    assert "« INCONNU » n'est pas une référence connue" in said(page)
    assert page.context["rows"] == [(product, ["S", "", ""])]
    assert page.context["added"] == "INCONNU;M"


def test_a_model_is_changed_and_taken_apart(buyer: Client, shirt: Style) -> None:
    address = reverse("inventory:edit_style", args=[shirt.pk])
    products = variants_of(shirt)
    assert len(buyer.get(address).context["rows"]) == 4
    fields = {"label": "Marinière", "code": "MAR", "name-1": "Taille", "name-2": "Teinte",
              "product": [p.pk for p in products], f"remove-{products[3].pk}": "on"}  # fmt: skip
    for product in products:
        fields |= {
            f"option-{product.pk}-1": product.option1,
            f"option-{product.pk}-2": product.option2,
        }

    buyer.post(address, fields)

    shirt.refresh_from_db()
    assert (shirt.label, shirt.code, shirt.option_names) == (
        "Marinière",
        "MAR",
        ["Taille", "Teinte"],
    )
    assert shirt.variants.count() == 3
    done = buyer.post(address, {**fields, "verb": "undo"})
    assert "ses 3 articles sont gardés" in said(done)
    assert not Style.objects.exists()


def test_a_proposal_is_cut_from_its_page(buyer: Client) -> None:
    supplier, variants = SupplierFactory(), {}
    for size in "SM":
        product = ProductFactory(sku=f"P-{size}")
        ReorderRuleFactory(product=product, minimum=5, maximum=20)
        SupplierProductFactory(product=product, supplier=supplier)
        variants[product.pk] = [size]
    style = make_styles([StyleDraft("Pull", ["Taille"], variants)])[0]
    (order,) = propose_orders(on=clock.today()).orders
    address = reverse("purchasing:proposal", args=[order.pk])
    assert "2 variantes, 40 pièces" in " ".join(buyer.get(address).content.decode().split())

    done = buyer.post(address, {"verb": f"spread-{style.pk}", "limit": "30", "unit": "pieces"})

    assert "Pull : 30 pièces" in said(done)
    assert list(PurchaseOrderLine.objects.values_list("quantity", flat=True)) == [15, 15]


@pytest.mark.parametrize(
    ("role", "sees", "changes"), [("Ventes", True, False), ("Comptable", False, False)]
)
def test_who_may(shirt: Style, role: str, sees: bool, changes: bool) -> None:
    client = client_of(role)

    assert (client.get(reverse("purchasing:style", args=[shirt.pk])).status_code == 200) is sees
    for name, args in (("inventory:edit_style", [shirt.pk]), ("inventory:new_style", []),
                       ("sales:recognise_styles", [])):  # fmt: skip
        assert (client.get(reverse(name, args=args)).status_code == 200) is changes
