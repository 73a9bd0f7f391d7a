"""A model and its variants: made, changed, taken apart; what the database refuses."""

import pytest
import tablib
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from inventory.models import Product, Style
from inventory.resources import ProductResource
from inventory.services import (
    StyleDraft,
    articles_of_shop,
    change_style,
    make_styles,
    map_sku,
    merge_articles,
    undo_style,
)
from sphinx.core.errors import BusinessRuleError
from sphinx.core.models import AuditEvent
from tests.factories import ProductFactory, ShopFactory

pytestmark = pytest.mark.django_db
OPTIONS = ["Taille", "Couleur"]


@pytest.fixture
def shirts() -> list[Product]:
    return [ProductFactory(sku=f"TS-{n}") for n in range(4)]


@pytest.fixture
def style(shirts: list[Product]) -> Style:
    """T-shirt in M and L, blue; two more articles stand by."""
    variants = {shirts[0].pk: ["M", "Bleu"], shirts[1].pk: ["L", "Bleu"]}
    return make_styles([StyleDraft("T-shirt", OPTIONS, variants)])[0]


def options(product: Product) -> tuple[int | None, list[str]]:
    product.refresh_from_db()
    return product.style_id, product.options


def test_articles_become_its_variants(style: Style, shirts: list[Product]) -> None:
    assert options(shirts[0]) == (style.pk, ["M", "Bleu"])
    assert style.option_names == OPTIONS
    assert (style.code, style.code_key) == ("T-shirt", "t-shirt")
    assert shirts[0].history.first().option1 == "M"
    assert AuditEvent.objects.filter(kind="style.made").count() == 1


def test_variants_are_added(style: Style, shirts: list[Product]) -> None:
    draft = StyleDraft("", [], {shirts[2].pk: ["XL", "Bleu"]}, style_id=style.pk)
    make_styles([draft])

    assert options(shirts[2]) == (style.pk, ["XL", "Bleu"])
    assert style.variants.count() == 3
    make_styles([draft])
    assert AuditEvent.objects.filter(kind="style.changed").count() == 1


def test_values_may_change_places(style: Style, shirts: list[Product]) -> None:
    swapped = {shirts[0].pk: ["L", "Bleu"], shirts[1].pk: ["M", "Bleu"]}

    change_style(style.pk, StyleDraft("Polo", OPTIONS, swapped, "POLO"))

    assert options(shirts[0]) == (style.pk, ["L", "Bleu"])
    style.refresh_from_db()
    assert (style.label, style.code) == ("Polo", "POLO")


def test_what_is_left_out_leaves_it(style: Style, shirts: list[Product]) -> None:
    change_style(style.pk, StyleDraft("T-shirt", ["Taille"], {shirts[0].pk: ["M"]}))

    assert options(shirts[0]) == (style.pk, ["M"])
    assert options(shirts[1]) == (None, [])


def test_taken_apart_its_articles_stay(style: Style, shirts: list[Product]) -> None:
    assert undo_style(style.pk) == 2

    assert options(shirts[0]) == (None, [])
    assert not Style.objects.exists()


@pytest.mark.parametrize(
    ("values", "code"),
    [
        (["M", "bleu"], "inventory.variant_twice"),
        (["M"], "inventory.option_missing"),
        (["M", " "], "inventory.option_missing"),
        (["M", "Bleu", "Coton"], "inventory.option_missing"),
    ],
)
def test_values_that_do_not_fit(
    style: Style, shirts: list[Product], values: list[str], code: str
) -> None:
    with pytest.raises(BusinessRuleError) as refused:
        make_styles([StyleDraft("", [], {shirts[2].pk: values}, style_id=style.pk)])

    assert refused.value.code == code
    assert options(shirts[2]) == (None, [])


@pytest.mark.parametrize("names", [[], ["", "Taille"], ["a", "b", "c", "d"], ["Taille", "taille"]])
def test_options_that_do_not_fit(shirts: list[Product], names: list[str]) -> None:
    with pytest.raises(BusinessRuleError):
        make_styles([StyleDraft("Polo", names, {shirts[0].pk: ["M"]})])

    assert not Style.objects.exists()


def test_a_code_is_one_models(style: Style, shirts: list[Product]) -> None:
    with pytest.raises(BusinessRuleError) as refused:
        make_styles([StyleDraft("Autre", ["Taille"], {shirts[2].pk: ["M"]}, " T-SHIRT ")])

    assert refused.value.code == "inventory.style_taken"


def test_an_article_is_of_one_model(style: Style, shirts: list[Product]) -> None:
    with pytest.raises(BusinessRuleError) as refused:
        make_styles([StyleDraft("Autre", ["Taille"], {shirts[0].pk: ["M"]})])

    assert refused.value.code == "inventory.other_style"


def test_a_model_undone_meanwhile_takes_nothing(style: Style, shirts: list[Product]) -> None:
    undo_style(style.pk)

    with pytest.raises(BusinessRuleError) as refused:
        make_styles([StyleDraft("", [], {shirts[0].pk: ["M", "Bleu"]}, style_id=style.pk)])

    assert refused.value.code == "inventory.style_gone"


def test_the_database_keeps_values_apart(style: Style, shirts: list[Product]) -> None:
    wrong = [
        {"style": style, "option1": "m", "option2": "BLEU"},
        {"style": style},
        {"option1": "M"},
    ]
    for values in wrong:
        with pytest.raises(IntegrityError), transaction.atomic():
            Product.objects.filter(pk=shirts[2].pk).update(**values)


def test_a_merged_article_hands_its_place_over(style: Style) -> None:
    shop = ShopFactory()
    found = articles_of_shop(shop, {"NAME:t-shirt xl": "T-shirt XL"})
    made = Product.objects.get(pk=found.products["NAME:t-shirt xl"].pk)
    make_styles([StyleDraft("", [], {made.pk: ["XL", "Bleu"]}, style_id=style.pk)])
    real = ProductFactory(sku="TS-XL")

    merge_articles(product_ids=[made.pk], into_id=real.pk)

    assert options(real) == (style.pk, ["XL", "Bleu"])
    assert options(made) == (None, [])


def test_a_reference_that_steps_aside_leaves_its_model(style: Style) -> None:
    other = ProductFactory(sku="TS-VU", is_incomplete=True)
    make_styles([StyleDraft("", [], {other.pk: ["S", "Bleu"]}, style_id=style.pk)])

    map_sku(sku="TS-VU", product_id=ProductFactory().pk)

    assert options(other) == (None, [])


def test_many_models_cost_no_query_each() -> None:
    counts = []
    for number in (2, 12):
        drafts = [
            StyleDraft(f"{number} {n}", ["Taille"], {ProductFactory().pk: [s] for s in "SM"})
            for n in range(number)
        ]
        with CaptureQueriesContext(connection) as asked:
            make_styles(drafts)
        counts.append(len(asked))

    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    ("values", "refused"),
    [
        (["t-shirt", "XL", "Bleu"], ""),
        (["T-shirt", "m", "BLEU"], "a déjà ces valeurs"),
        (["T-shirt", "XL", ""], "donnez une valeur à chacun"),
        (["Polo", "XL", "Bleu"], "inconnu"),
    ],
)
def test_an_import_of_articles_names_model_and_values(
    style: Style, shirts: list[Product], values: list[str], refused: str
) -> None:
    rows = tablib.Dataset([shirts[2].sku, *values])
    rows.headers = ["sku", "Code du modèle", "Valeur 1", "Valeur 2"]

    done = ProductResource().import_data(rows)

    told = " ".join(
        [str(e.error) for row in done.rows for e in row.errors]
        + [str(row.error) for row in done.invalid_rows]
    )
    assert refused in told
    assert options(shirts[2]) == ((None, []) if refused else (style.pk, ["XL", "Bleu"]))
