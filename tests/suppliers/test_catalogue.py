from decimal import Decimal
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inventory.models import Product, ReorderRule, StockPosition, Style
from sphinx.core.errors import InputError
from sphinx.core.models import AuditEvent
from suppliers.models import Supplier, SupplierPrice, SupplierProduct
from suppliers.services import load_catalogue
from tests.factories import NOON

pytestmark = pytest.mark.django_db
HEADER = (
    "sku;label;tax_rate;supply_mode;cost;on_hand;supplier;supplier_sku;purchase_price;"
    "lead_time_days;minimum_quantity;pack_size;reorder_minimum;reorder_maximum;barcode;category\n"
)
ROW = "A-1;Bougie;20;stocked;4,00;12;Cirier;C-9;3.50;10;6;6;5;20;3017620422003;Maison\n"


def load(tmp_path: Path, text: str):
    path = tmp_path / "catalogue.csv"
    path.write_text(text, encoding="utf-8")
    return load_catalogue(path=path, at=NOON)


def test_a_row_makes_product_supplier_price_rule_and_stock(tmp_path: Path) -> None:
    report = load(tmp_path, HEADER + ROW)

    assert (report.products.created, report.suppliers.created, report.counted) == (1, 1, 1)
    assert Product.objects.get().category.name == "Maison"
    assert SupplierPrice.objects.get().unit_price_excl_tax == Decimal("3.5")
    assert ReorderRule.objects.get().maximum == 20
    position = StockPosition.objects.get()
    assert (position.on_hand, position.average_cost) == (12, 4)
    assert Supplier.objects.get().lead_time_days == 10


def test_the_same_file_again_changes_nothing(tmp_path: Path) -> None:
    load(tmp_path, HEADER + ROW)

    again = load(tmp_path, HEADER + ROW.replace(";12;", ";99;"))

    assert (again.products.created, again.products.updated, again.products.unchanged) == (0, 0, 1)
    assert again.counted == 0
    assert [i["code"] for i in again.issues] == ["catalogue.on_hand_ignored"]
    assert StockPosition.objects.get().on_hand == 12


def test_only_the_sku_is_required(tmp_path: Path) -> None:
    report = load(tmp_path, "sku\nA-1\nA-2\n")

    assert report.products.created == 2


def test_a_blank_cell_leaves_what_is_there(tmp_path: Path) -> None:
    load(tmp_path, HEADER + ROW)

    load(tmp_path, "sku;label\nA-1;\n")

    assert Product.objects.get().label == "Bougie"


def test_a_bad_row_is_reported_and_the_others_go_on(tmp_path: Path) -> None:
    report = load(tmp_path, "sku,tax_rate,supply_mode\nA,vingt,\nB,20,\n,20,\nC,20,sur commande\n")

    assert [(i["line"], i["column"]) for i in report.issues] == [
        (2, "tax_rate"),
        (4, "sku"),
        (5, "supply_mode"),
    ]
    assert Product.objects.get().sku == "B"


def test_a_file_without_sku_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="sku"):
        load(tmp_path, "reference;label\nA;B\n")


def test_a_reference_rounded_by_excel_makes_no_article(tmp_path: Path) -> None:
    report = load(tmp_path, "sku;label\n3,76012E+12;Bougie\nA-1;Savon\n")

    assert [issue["code"] for issue in report.issues] == ["catalogue.spoilt_sku"]
    assert Product.objects.get().sku == "A-1"


def test_a_product_that_its_supplier_delivers_is_said_so(tmp_path: Path) -> None:
    report = load(tmp_path, "sku;supply_mode\nA-1;drop_ship\n")

    assert report.issues == []
    assert Product.objects.get().supply_mode == "drop_ship"


def test_goods_bought_by_the_box_are_kept_by_the_piece(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.csv"
    path.write_text(
        "sku;supplier;purchase_price;minimum_quantity;purchase_unit;pieces_per_unit\n"
        "A-1;Cirier;24.00;2;carton;12\n"
        "A-2;Cirier;36.00;;boîte de 24;\n"
        "A-3;Cirier;2.50;3;;\n"
    )

    load_catalogue(path=path, at=NOON)

    known = SupplierProduct.objects.order_by("product__sku").values_list(
        "unit_name", "unit_size", "minimum_quantity", "prices__unit_price_excl_tax"
    )
    assert list(known) == [
        ("carton", 12, 24, 2),
        ("boîte de 24", 24, 1, Decimal("1.5")),
        ("", 1, 3, Decimal("2.5")),
    ]


# --- Models --------------------------------------------------------------------------------------

MODELS = "sku;model;model_label;option1_name;option1;option2_name;option2\n"
SHIRTS = "TS-M;TS;T-shirt;;M;;Bleu\nTS-L;ts;;;L;;Bleu\nTS-R;TS;;;M;;Rouge\n"


def variants() -> dict[str, list[str]]:
    return {p.sku: p.options for p in Product.objects.filter(style__isnull=False)}


def test_rows_of_one_model_become_its_variants(tmp_path: Path) -> None:
    report = load(tmp_path, MODELS + SHIRTS)

    assert report.issues == []
    style = Style.objects.get()
    assert (style.code, style.label) == ("TS", "T-shirt")
    # Nobody named the options: their values do.
    assert style.option_names == ["Taille", "Couleur"]
    assert variants() == {"TS-M": ["M", "Bleu"], "TS-L": ["L", "Bleu"], "TS-R": ["M", "Rouge"]}


def test_options_are_named_by_the_file(tmp_path: Path) -> None:
    load(tmp_path, MODELS + "V-8;VIS;;Filetage;M8\nV-6;VIS;;;M6\n")

    assert Style.objects.get().option_names == ["Filetage"]


def test_models_again_change_nothing_and_new_sizes_join(tmp_path: Path) -> None:
    load(tmp_path, MODELS + SHIRTS)
    load(tmp_path, MODELS + SHIRTS + "TS-XL;TS;;;XL;;Bleu\n")

    assert variants()["TS-XL"] == ["XL", "Bleu"]
    assert AuditEvent.objects.filter(kind="style.changed").count() == 1
    load(tmp_path, "sku;label\nTS-M;Marin\n")
    assert variants()["TS-M"] == ["M", "Bleu"]


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ("TS-2;TS;;;m;;bleu\n", "un autre article a ces valeurs"),
        ("TS-2;TS;;;M\n", "il lui faut 2 valeurs"),
        ("TS-2;AUTRE;;;M\nTS-M;AUTRE;;;L\n", "il est d'un autre modèle"),
        ("P-1;POLO;;Taille;M;taille;L\n", "deux critères ont le même nom"),
        ("P-1;POLO;;;M\nP-2;POLO;;;M\n", "un autre article a ces valeurs"),
    ],
)
def test_a_model_that_does_not_fit_is_said_and_the_rest_goes_on(
    tmp_path: Path, rows: str, told: str
) -> None:
    load(tmp_path, MODELS + SHIRTS)
    before = variants()

    report = load(tmp_path, MODELS + rows + "B-1;BOL;;;Grand\n")

    assert [issue["code"] for issue in report.issues] == ["catalogue.variant"]
    assert told in report.issues[0]["message"]
    assert variants() == {**before, "B-1": ["Grand"]}


def test_a_model_without_a_value_is_said(tmp_path: Path) -> None:
    report = load(tmp_path, MODELS + "TS-M;TS;;;;;Bleu\nTS-L;TS;;;L;;Bleu\n")

    assert [(i["code"], i["line"]) for i in report.issues] == [("catalogue.option_missing", 2)]
    assert variants() == {"TS-L": ["L", "Bleu"]}


def test_models_cost_no_query_each(tmp_path: Path) -> None:
    load(tmp_path, MODELS + SHIRTS)
    counts = []
    for number in (2, 20):
        pairs = [(f"{number}-{n}", size) for n in range(number) for size in "SM"]
        rows = "".join(f"{name}{size};S{name};;;{size}\n" for name, size in pairs)
        with CaptureQueriesContext(connection) as asked:
            load(tmp_path, MODELS + rows)
        counts.append(len(asked))

    # SQLite takes fewer rows at a time.
    assert counts[1] <= counts[0] + 2
