"""What shops' names of articles tell of models, sizes and colours, and what they don't."""

import pytest

from inventory.options import in_order, is_colour, is_size
from inventory.variant_names import Found, Known, read_name, recognise


def told(*names: str) -> list[Found]:
    return recognise(Known(n, f"SKU-{n}", name) for n, name in enumerate(names, start=1))


def values(found: Found) -> list[tuple[str, ...]]:
    return [read for _article, read in found.variants]


@pytest.mark.parametrize(
    ("name", "base", "names", "read"),
    [
        # Shopify.
        ("T-shirt Marin - M / Bleu", "T-shirt Marin", (), ("M", "Bleu")),
        ("T-shirt Marin - M / Bleu / Coton", "T-shirt Marin", (), ("M", "Bleu", "Coton")),
        # WooCommerce.
        ("T-shirt - Bleu, M", "T-shirt", (), ("Bleu", "M")),
        # PrestaShop up to 8.0, and from 8.1 on.
        (
            "Hummingbird printed t-shirt - Size : S- Color : White",
            "Hummingbird printed t-shirt",
            ("Size", "Color"),
            ("S", "White"),
        ),
        (
            "T-shirt (Taille : M - Couleur : Bleu)",
            "T-shirt",
            ("Taille", "Couleur"),
            ("M", "Bleu"),
        ),
        ("T-shirt imprimé - Taille : S", "T-shirt imprimé", ("Taille",), ("S",)),
        # Wix, Etsy, eBay, Squarespace, Matrixify as their readers write labels.
        ("T-shirt (Color: Red | Size: M)", "T-shirt", ("Color", "Size"), ("Red", "M")),
        ("Mug (Size:M,Color:Blue)", "Mug", ("Size", "Color"), ("M", "Blue")),
        ("Mug ([Colour:Blue,Size:M])", "Mug", ("Colour", "Size"), ("Blue", "M")),
        ("Mug (Bleu / M)", "Mug", (), ("Bleu", "M")),
        # Dashes of the name and of values stay.
        ("Sweat - édition - Taille : T-XL", "Sweat - édition", ("Taille",), ("T-XL",)),
        ("Sac (grand modèle) - Noir", "Sac (grand modèle)", (), ("Noir",)),
        ("Robe\u00a0- 38\u00a0/ Noir", "Robe", (), ("38", "Noir")),
    ],
)
def test_each_shops_way(
    name: str, base: str, names: tuple[str, ...], read: tuple[str, ...]
) -> None:
    found = read_name(name)

    assert found is not None
    assert (found.base, found.names, found.values) == (base, names, read)


@pytest.mark.parametrize("name", ["Savon", "", "T-shirt-M", " - M", "T-shirt - ", "Savon : doux"])
def test_names_without_options(name: str) -> None:
    assert read_name(name) is None


def test_several_of_one_name_are_a_model() -> None:
    (found,) = told(
        "T-shirt Marin - M / Bleu", "T-shirt Marin - L / Bleu", "T-Shirt marin - M / Écru"
    )

    assert (found.label, found.option_names) == ("T-shirt Marin", ("Taille", "Couleur"))
    assert values(found) == [("M", "Bleu"), ("M", "Écru"), ("L", "Bleu")]
    assert found.is_sure


def test_one_line_alone_tells_nothing() -> None:
    assert told("T-shirt Marin - M / Bleu", "Savon", "Polo (Taille : M)") == []


def test_two_articles_with_the_same_values_are_left_alone() -> None:
    assert told("Polo - M / Bleu", "Polo - m / bleu", "Polo - L / Bleu") == []


def test_what_may_be_part_of_the_name_is_left_alone() -> None:
    # A lone value, or words parted by a comma, that are no sizes and no colours.
    assert told("Coffret - Noël", "Coffret - Pâques") == []
    assert told("Savon - doux, lait", "Savon - vif, miel") == []


def test_sizes_or_colours_behind_a_dash_are_options() -> None:
    (found,) = told("Robe - 38", "Robe - 40")
    assert found.option_names == ("Taille",)
    (found,) = told("Écharpe - Bleu marine", "Écharpe - Rouge")
    assert found.option_names == ("Couleur",)


def test_unknown_options_are_not_ticked_beforehand() -> None:
    (found,) = told("Bougie - Figue / Verre", "Bougie - Cèdre / Verre")

    assert not found.is_sure
    assert found.option_names == ("Critère 1", "Critère 2")


def test_one_name_written_in_two_ways_is_left_alone() -> None:
    assert (
        told("Polo - M / Bleu", "Polo - L / Bleu", "Polo (Taille : M)", "Polo (Taille : L)") == []
    )
    assert told("Polo - M / Bleu", "Polo - Bleu, L") == []


def test_named_options_in_another_order_are_the_same() -> None:
    (found,) = told("Polo (Taille : M - Couleur : Bleu)", "Polo (Couleur : Rouge - Taille : M)")

    assert found.option_names == ("Taille", "Couleur")
    assert values(found) == [("M", "Bleu"), ("M", "Rouge")]


def test_a_new_size_joins_the_model_of_its_name() -> None:
    names = ("Taille", "Couleur")
    known = [Known(1, "A", "Polo - M / Bleu", 7, ("M", "Bleu"), names)]

    (found,) = recognise([*known, Known(2, "B", "Polo - XXL / Bleu")])

    assert (found.style_id, found.option_names) == (7, names)
    assert values(found) == [("XXL", "Bleu")]


def test_a_model_whose_options_were_put_otherwise_takes_nothing() -> None:
    known = [Known(1, "A", "Polo - M / Bleu", 7, ("Bleu", "M"), ("Couleur", "Taille"))]

    assert recognise([*known, Known(2, "B", "Polo - XXL / Bleu")]) == []


def test_two_models_of_one_name_take_nothing() -> None:
    known = [
        Known(1, "A", "Polo - M / Bleu", 7, ("M", "Bleu"), ("Taille", "Couleur")),
        Known(2, "B", "Polo - M / Rouge", 8, ("M", "Rouge"), ("Taille", "Couleur")),
    ]

    assert recognise([*known, Known(3, "C", "Polo - L / Rouge")]) == []


def test_sizes_stand_in_their_order() -> None:
    given = "XL S 3XL M XXL L XS".split()

    assert in_order(given) == "XS S M L XL XXL 3XL".split()
    assert in_order(["42", "9,5", "40", "41 1/3"]) == ["9,5", "40", "41 1/3", "42"]
    assert in_order(["2 ans", "6 mois", "18 mois"]) == ["6 mois", "18 mois", "2 ans"]
    assert in_order(["Vert", "Écru", "Bleu"]) == ["Bleu", "Écru", "Vert"]


def test_what_a_size_is() -> None:
    assert all(map(is_size, ["M", "XXS", "38", "38 EU", "Taille unique", "6 mois", "100 ml"]))
    assert all(map(is_size, ["Regular", "Petite", "Grande", "Standard"]))
    assert not any(map(is_size, ["Bleu", "Noël", "2026", "T2", ""]))
    assert is_colour("Bleu marine")
    assert not is_colour("Édition de Noël en rouge")
