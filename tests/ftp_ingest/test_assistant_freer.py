"""Unknown files that say little: no e-mail, no total, a line's total, one column of names."""

import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from ftp_ingest import services
from ftp_ingest.dialects.mapped import Definition
from ftp_ingest.labels import FIELD_LABELS, in_words
from ftp_ingest.models import FeedRun, ReceivedFile, ShopDialect
from ftp_ingest.reading.guessing import guess_columns, items_in_one_cell
from ftp_ingest.reading.recognition import read_sample
from ftp_ingest.services import IngestReport, adopting, save_mapping
from sales.models import Order
from sphinx.core.errors import InputError
from sphinx.core.models import Shop
from tests.factories import NOON

pytestmark = pytest.mark.django_db
Bring = Callable[..., IngestReport]

# Two lines of one order: the shipping is repeated, no column has the order's total.
BAZAAR = (
    "Id vente;Créée le;Situation;Acheteur;Adresse 1;CP;Ville;Réf vendeur;Libellé;Qté;"
    "Montant ligne;Taux TVA;Frais de port\n"
    "{key};05/03/2026 10:12;Payée;{buyer};{street};69001;Lyon;POT-1;Pot bleu;2;24,00;20;4,90\n"
    "{key};05/03/2026 10:12;Payée;{buyer};{street};69001;Lyon;POT-2;Pot vert;1;7,50;20;4,90\n"
)
COLUMNS = {
    "order_number": "Id vente",
    "placed_at": "Créée le",
    "status": "Situation",
    "last_name": "Acheteur",
    "billing_address1": "Adresse 1",
    "billing_postcode": "CP",
    "billing_city": "Ville",
    "sku": "Réf vendeur",
    "label": "Libellé",
    "quantity": "Qté",
    "line_total_incl_tax": "Montant ligne",
    "tax_rate": "Taux TVA",
    "shipping_incl_tax": "Frais de port",
}


def bazaar(key: str = "V-1", buyer: str = "Ana Diaz Lopez", street: str = "2 rue Haute") -> str:
    return BAZAAR.format(key=key, buyer=buyer, street=street)


def mapped(shop: Shop, **changed: str) -> None:
    """The mapping in force; a column given as "" isn't mapped."""
    columns = {field: name for field, name in (COLUMNS | changed).items() if name}
    save_mapping(shop=shop, data={"kind": "orders", "columns": columns}, at=NOON)


def test_a_lines_total_stands_for_its_price_and_the_orders_total_is_summed(
    shop: Shop, bring: Bring
) -> None:
    mapped(shop)

    report = bring(bazaar())

    assert report.counts.faults == []
    order = Order.objects.get()
    assert order.total_incl_tax == Decimal("36.40")
    assert order.shipping_incl_tax == Decimal("4.90")
    assert [line.unit_price_incl_tax for line in order.lines.order_by("pk")] == [
        Decimal("12.00"),
        Decimal("7.50"),
    ]


def test_a_lines_total_is_what_it_costs_with_its_discount_off(shop: Shop, bring: Bring) -> None:
    mapped(shop, line_discount_incl_tax="Remise ligne")
    text = bazaar().replace("Frais de port", "Frais de port;Remise ligne").replace("4,90", "4,90;2")

    bring(text)

    order = Order.objects.get()
    first = order.lines.order_by("pk")[0]
    assert (first.unit_price_incl_tax, first.total_incl_tax) == (Decimal(13), Decimal(24))
    assert order.total_incl_tax == Decimal("36.40")


def test_the_orders_discount_comes_off_a_summed_total(shop: Shop, bring: Bring) -> None:
    mapped(shop, order_discount_incl_tax="Remise")
    text = bazaar().replace("Frais de port", "Frais de port;Remise").replace("4,90", "4,90;6,40")

    bring(text)

    assert Order.objects.get().total_incl_tax == Decimal("30.00")


def test_prices_without_tax_are_summed_with_it(shop: Shop, bring: Bring) -> None:
    mapped(shop, line_total_incl_tax="", unit_price_excl_tax="Montant ligne")

    bring(bazaar())

    # 2 × 24.00 × 1.2 + 7.50 × 1.2 + 4.90
    assert Order.objects.get().total_incl_tax == Decimal("71.50")


def test_prices_without_tax_nor_rate_nor_total_say_what_to_choose(shop: Shop, bring: Bring) -> None:
    mapped(shop, line_total_incl_tax="", unit_price_excl_tax="Montant ligne", tax_rate="")

    fault = bring(bazaar()).counts.faults[0][1]

    assert (fault.line, fault.code) == (2, "line.no_rate")
    assert "Total TTC de la commande" in fault.message
    assert "total_incl_tax" not in fault.message


def test_a_refunded_orders_summed_total_is_refunded(shop: Shop, bring: Bring) -> None:
    mapped(shop)

    bring(bazaar().replace("Payée", "Remboursée"))

    assert Order.objects.get().refunded_incl_tax == Decimal("36.40")


def test_a_full_name_in_one_column_is_split(shop: Shop, bring: Bring) -> None:
    mapped(shop)

    bring(bazaar())

    customer = Order.objects.get().customer
    assert (customer.first_name, customer.last_name) == ("Ana", "Diaz Lopez")


def test_a_last_name_of_two_words_next_to_a_first_name_stays_whole(
    shop: Shop, bring: Bring
) -> None:
    mapped(shop, first_name="Situation", status="")

    bring(bazaar())

    assert Order.objects.get().customer.last_name == "Ana Diaz Lopez"


def test_name_and_address_know_a_person_again(shop: Shop, bring: Bring) -> None:
    mapped(shop)

    for key, buyer in (("V-1", "Ana Diaz"), ("V-2", "ANA  DIAZ"), ("V-3", "Léo Diaz")):
        bring(bazaar(key, buyer))

    first, second, third = Order.objects.order_by("number")
    assert first.customer == second.customer != third.customer


def test_where_nothing_names_the_buyer_it_is_the_shop(shop: Shop, bring: Bring) -> None:
    names = dict.fromkeys(("last_name", "billing_address1", "billing_postcode", "billing_city"), "")
    mapped(shop, **names)

    for key in ("V-1", "V-2"):
        assert bring(bazaar(key)).counts.faults == []

    first, second = Order.objects.order_by("number")
    assert first.customer == second.customer
    assert first.customer.name == shop.name


def test_a_reference_or_an_e_mail_comes_before_the_address(shop: Shop, bring: Bring) -> None:
    mapped(shop, customer_ref="Situation", status="")

    bring(bazaar("V-1", "Ana Diaz"))
    bring(bazaar("V-2", "Léo Diaz"))

    assert len({order.customer_id for order in Order.objects.all()}) == 1


def test_the_only_address_is_both(shop: Shop, bring: Bring) -> None:
    own = {
        "billing_address1": "",
        "billing_postcode": "",
        "billing_city": "",
        "shipping_address1": "Adresse 1",
        "shipping_postcode": "CP",
        "shipping_city": "Ville",
    }
    mapped(shop, **own)

    bring(bazaar())

    order = Order.objects.get()
    assert (order.billing_name, order.billing_city) == ("Ana Diaz Lopez", "Lyon")
    assert (order.shipping_name, order.shipping_city) == ("Ana Diaz Lopez", "Lyon")


def test_a_pivot_file_still_needs_e_mail_or_reference(bring: Bring) -> None:
    report = bring(
        "order_number;placed_at;sku;quantity;unit_price_incl_tax;total_incl_tax;last_name;email;"
        "billing_address1;billing_postcode\n"
        "1;2026-03-05;A;1;12;12;Diaz;;2 rue Haute;69001\n"
    )

    assert report.counts.faults[0][1].code == "order.no_customer"


# --- Sentences ---


def test_one_column_chosen_twice_is_said_with_labels(shop: Shop) -> None:
    with pytest.raises(InputError) as refused:
        mapped(shop, sku="Libellé")

    assert "« Libellé » est choisie deux fois" in refused.value.message
    assert "Désignation" in refused.value.message
    assert not ShopDialect.objects.exists()


def test_what_is_missing_is_named_as_on_the_screen() -> None:
    with pytest.raises(InputError) as refused:
        Definition({"kind": "orders", "columns": {"order_number": "N°"}})

    assert "Quantité" in refused.value.message
    assert not re.search(r"\w_\w|quantity", refused.value.message)


def test_names_of_fields_become_labels() -> None:
    assert in_words("Donnez-le (tax_rate).") == "Donnez-le (« Taux de TVA »)."


def test_a_state_that_nobody_knows_is_said_without_codes(shop: Shop, bring: Bring) -> None:
    mapped(shop)

    fault = bring(bazaar().replace("Payée", "Zut")).counts.faults[0][1]

    assert fault.code == "order.unknown_status"
    assert "assistant" in fault.message
    assert "partially_refunded" not in fault.message


def test_first_names_next_to_the_recipients_name_make_last_names(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_text("Commande;Nom livraison;Prénom livraison;Qté\n1;Diaz;Ana;1\n")
    sample = read_sample(path)

    found = {g.field: g.place for g in guess_columns(sample.header, sample.rows, "orders")}

    assert (found["last_name"], found["first_name"], found["shipping_name"]) == (1, 2, -1)


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["2 x Bougie (12,00) | 1 x Savon", "1 x Savon (6,00)"], "Articles"),
        (["2× Bougie ; 3× Savon"], "Articles"),
        (["Bougie x 2, Savon x 1"], "Articles"),
        (["Boîte 10 x 15 cm, 20 x 30 cm"], ""),
        (["Bougie", "Savon"], ""),
        (["Pack 2 x Bougie", "Savon", "Huile"], ""),
    ],
)
def test_articles_in_one_cell_are_seen(tmp_path: Path, cells: list[str], expected: str) -> None:
    path = tmp_path / "f.csv"
    path.write_text("Commande\tArticles\n" + "".join(f"{n}\t{c}\n" for n, c in enumerate(cells)))
    sample = read_sample(path)

    assert items_in_one_cell(sample.header, sample.rows) == expected


# --- In the browser ---


@pytest.fixture
def owner() -> Client:
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("chef", "c@exemple.test", "x"))
    return client


def opened(owner: Client, shop: Shop, text: str, name: str = "mars.csv") -> tuple[str, Any]:
    """The assistant's page for a file: its address and its answer."""
    upload = SimpleUploadedFile(name, text.encode(), "text/csv")
    page: Any = owner.post("/passerelle/assistant/", {"shop": shop.pk, "file": upload}, follow=True)
    return page.redirect_chain[-1][0], page


def chosen(header: str, **changed: str) -> dict[str, str]:
    """What the page sends for the columns of COLUMNS."""
    names = header.split(";")
    columns = {field: name for field, name in (COLUMNS | changed).items() if name}
    form = {f"column_{field}": str(names.index(name)) for field, name in columns.items()}
    return form | {"kind": "orders", "shown_kind": "orders"}


HEADER = BAZAAR.splitlines()[0]


def said(page: Any) -> str:
    return str(page.content.decode()).replace("&#x27;", "'")


def test_what_waited_goes_in_when_the_mapping_is_saved(
    owner: Client, shop: Shop, bring: Bring
) -> None:
    assert bring(bazaar("V-1"), name="hier.csv").files[0].status == "refused"
    assert bring("Autre;Chose\n1;2\n", name="autre.csv").files[0].status == "refused"
    url, _page = opened(owner, shop, bazaar("V-2"))

    page = owner.post(url, chosen(HEADER) | {"save": "1"}, follow=True)

    assert {o.number for o in Order.objects.all()} == {"V-1", "V-2"}
    assert "Fichiers lus : 2. Commandes entrées : 2." in said(page)
    by_name = dict(ReceivedFile.objects.values_list("name", "status"))
    assert by_name == {"hier.csv": "applied", "mars.csv": "applied", "autre.csv": "refused"}


def test_another_shops_files_stay_refused(owner: Client, shop: Shop, bring: Bring) -> None:
    bring(bazaar("V-1"))
    other = Shop.objects.create(code="autre", name="Autre")
    url, _page = opened(owner, other, bazaar("V-2"))

    owner.post(url, chosen(HEADER) | {"save": "1"})

    assert [o.number for o in Order.objects.all()] == ["V-2"]


def test_large_files_are_read_by_a_worker(
    owner: Client,
    shop: Shop,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    monkeypatch.setattr(adopting, "READ_AT_ONCE", 10)
    url, _page = opened(owner, shop, bazaar())

    with django_capture_on_commit_callbacks() as asked:
        page = owner.post(url, chosen(HEADER) | {"save": "1"}, follow=True)

    assert "lu en ce moment" in said(page)
    assert not Order.objects.exists()
    for ask in asked:
        ask()
    assert Order.objects.count() == 1


def test_reading_what_waits_twice_changes_nothing(owner: Client, shop: Shop) -> None:
    url, _page = opened(owner, shop, bazaar())
    owner.post(url, chosen(HEADER) | {"save": "1"})

    saved = ShopDialect.objects.get()
    again = services.read_waiting_now(dialect_id=saved.pk)

    assert again.files == []
    assert FeedRun.objects.count() == 1


def test_a_mapping_that_reads_nothing_isnt_saved(owner: Client, shop: Shop) -> None:
    url, _page = opened(owner, shop, bazaar())

    page = owner.post(url, chosen(HEADER, placed_at="Acheteur", last_name="") | {"save": "1"})

    assert "Rien n'a été enregistré : avec ces choix, tout le fichier est refusé." in said(page)
    assert "Acheteur" in said(page)
    assert page.context["causes"]
    assert not ShopDialect.objects.exists()


def test_no_name_of_a_field_is_on_the_page(owner: Client, shop: Shop) -> None:
    url, _page = opened(owner, shop, bazaar())

    page = owner.post(url, chosen(HEADER, tax_rate="") | {"preview": "1"})

    seen = re.sub(r"<[^>]*>", " ", said(page))
    assert "taux de TVA inconnu" in seen
    assert "donnez un taux fixe" in seen
    assert not set(re.findall(r"[a-z]+(?:_[a-z]+)+", seen)) & set(FIELD_LABELS)


def test_articles_in_one_cell_are_said_at_once_and_on_trial(owner: Client, shop: Shop) -> None:
    text = (
        "N° commande\tDate\tE-mail\tPanier\tTotal TTC\n"
        "A1\t05/03/2026\ta@exemple.test\t2 x Bougie (12,00) | 1 x Savon\t30,00\n"
    )
    url, page = opened(owner, shop, text)
    tried = owner.post(url, {"kind": "orders", "shown_kind": "orders", "column_order_number": "0"})

    for answer in (page, tried):
        assert "« Panier » : tous les articles sont dans une cellule" in said(answer)
        assert "aucune colonne pour" not in said(answer)


def test_known_states_stay_proposed_and_the_others_are_asked(owner: Client, shop: Shop) -> None:
    text = bazaar() + bazaar("V-2").split("\n", 1)[1].replace("Payée", "Zut")
    url, _page = opened(owner, shop, text)

    # The column of states wasn't guessed: chosen now, its words come with their meanings.
    page = owner.post(url, chosen(HEADER) | {"preview": "1"})

    assert dict(page.context["statuses"]) == {"Payée": "paid", "Zut": ""}
    assert said(page).count("à dire") == 1


def test_bringing_back_a_version_that_cant_be_is_said(owner: Client, shop: Shop) -> None:
    mapped(shop)
    twice = ShopDialect.objects.get()
    ShopDialect.objects.filter(pk=twice.pk).update(
        definition=twice.definition | {"columns": COLUMNS | {"sku": "Libellé"}}, is_current=False
    )

    page = owner.post(f"/passerelle/correspondances/{twice.pk}/vigueur/", follow=True)

    assert "est choisie deux fois" in said(page)
