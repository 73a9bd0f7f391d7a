"""The mapping assistant: an unknown file in eight languages, guessed, tried, saved, used."""

import json
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from ftp_ingest.dialects.mapped import Definition
from ftp_ingest.models import ShopDialect
from ftp_ingest.reading.guessing import guess_columns, guess_kind
from ftp_ingest.reading.recognition import read_sample
from ftp_ingest.services import IngestReport, adopt_mapping, bring_back, save_mapping
from ftp_ingest.services.mappings import own_dialects
from sales.models import Order
from sphinx.core.errors import InputError
from sphinx.core.models import Shop
from tests.factories import NOON, ProductFactory

pytestmark = pytest.mark.django_db
Bring = Callable[..., IngestReport]
DATA = Path(__file__).parent.parent / "data"

GERMAN = (
    "Bestellnummer;Bestelldatum;Bestellstatus;Kunden-Email;Nachname;Artikelnummer;Bezeichnung;"
    "Menge;Einzelpreis brutto;MwSt;Versandkosten;Gesamtbetrag\n"
    "B-1;03.02.2026 10:15;bezahlt;anna@beispiel.test;Schmidt;A-1;Tasse;2;12,00;20;4,90;28,90\n"
    "B-2;04.02.2026 11:00;storniert;otto@beispiel.test;Weber;A-1;Tasse;1;12,00;20;0;12,00\n"
)
SPANISH = (
    "Número de pedido,Fecha,Correo electrónico,Código de producto,Cantidad,Precio con IVA,IVA,"
    "Total pedido\nP1,2026-02-03,ana@ejemplo.test,A-1,1,12.00,20,12.00\n"
)
ITALIAN = (
    "N ordine;Data ordine;Indirizzo email;Codice articolo;Quantità;Prezzo ivato;Aliquota IVA;"
    "Totale ordine\nO1;03/02/2026;gia@esempio.test;A-1;1;12,00;20;12,00\n"
)
ENGLISH = (
    "Order ref|Ordered at|Buyer e-mail|Product code|Units|Gross price|VAT rate|Grand total\n"
    "X1|2026-02-03 09:00|amy@example.test|A-1|1|12.00|20|12.00\n"
)


def guesses(tmp_path: Path, text: str, kind: str = "orders") -> dict[str, str]:
    """field → column of what was guessed."""
    path = tmp_path / "inconnu.csv"
    path.write_text(text)
    sample = read_sample(path)
    found = guess_columns(sample.header, sample.rows, kind)
    return {g.field: sample.header.names[g.place] for g in found if g.place >= 0}


PORTUGUESE = (
    "Número da encomenda;Data da encomenda;Endereço de email;Referência;Quantidade;"
    "Preço com IVA;Taxa de IVA;Total da encomenda\n"
    "P1;03/02/2026;ana@exemplo.test;A-1;1;12,00;20;12,00\n"
)
DUTCH = (
    "Bestelnummer;Besteldatum;E-mailadres;Artikelcode;Aantal;Prijs incl. btw;Btw;Totaalbedrag\n"
    "D1;03/02/2026;jan@voorbeeld.test;A-1;1;12,00;20;12,00\n"
)
POLISH = (
    "Numer zamówienia;Data zamówienia;Adres e-mail;Kod produktu;Ilość;Cena brutto;Stawka VAT;"
    "Razem\nZ1;03/02/2026;ola@przyklad.test;A-1;1;12,00;20;12,00\n"
)


@pytest.mark.parametrize("text", [GERMAN, SPANISH, ITALIAN, PORTUGUESE, DUTCH, POLISH])
def test_what_matters_is_guessed_in_each_language(tmp_path: Path, text: str) -> None:
    found = guesses(tmp_path, text)

    Definition({"kind": "orders", "columns": found})
    assert {"email", "sku", "quantity", "unit_price_incl_tax", "tax_rate"} <= set(found)


def test_names_nobody_knows_are_left_to_the_operator(tmp_path: Path) -> None:
    found = guesses(tmp_path, ENGLISH)

    assert found["email"] == "Buyer e-mail"
    assert "quantity" not in found
    assert found["total_incl_tax"] == "Grand total"


def test_values_that_contradict_a_name_leave_it_to_be_checked(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_text("email;quantité;total\nlea@exemple.test;beaucoup;12,00\n")
    sample = read_sample(path)

    by_field = {g.field: g for g in guess_columns(sample.header, sample.rows, "orders")}

    assert by_field["email"].score > 100
    assert by_field["quantity"].score < 80
    assert "n'y ressemblent pas" in by_field["quantity"].reason


def test_a_guess_says_why_with_examples(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_text(GERMAN)
    sample = read_sample(path)

    by_field = {g.field: g for g in guess_columns(sample.header, sample.rows, "orders")}

    assert "Bestellnummer" in by_field["order_number"].reason
    assert by_field["placed_at"].samples == ("03.02.2026 10:15", "04.02.2026 11:00")
    assert "confirment" in by_field["placed_at"].reason


def test_orders_are_told_from_customers(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_text("Kundennummer;Vorname;Nachname;PLZ;Ort\n1;Anna;Schmidt;10115;Berlin\n")
    sample = read_sample(path)

    assert guess_kind(sample.header, sample.rows) == "customers"


def german_definition(tmp_path: Path) -> dict[str, Any]:
    return {
        "kind": "orders",
        "columns": guesses(tmp_path, GERMAN),
        "statuses": {"bezahlt": "paid", "storniert": "cancelled"},
    }


def test_a_saved_mapping_reads_the_shops_files(bring: Bring, shop: Shop, tmp_path: Path) -> None:
    assert bring(GERMAN).counts.faults[0][1].code == "file.unknown_header"
    save_mapping(shop=shop, data=german_definition(tmp_path), at=NOON)

    report = bring(GERMAN + "\n", name="again.csv")

    assert report.counts.faults == []
    assert report.files[0].dialect == "boutique-v1"
    first, second = Order.objects.order_by("number")
    amounts = (first.total_incl_tax, first.shipping_incl_tax)
    assert (amounts, first.status) == ((Decimal("28.90"), Decimal("4.90")), "confirmed")
    assert first.placed_at.date().isoformat() == "2026-02-03"
    assert second.status == "cancelled"


@pytest.mark.parametrize("usual", ["shopify", "pivot", "boutique-v1"])
def test_a_saved_mapping_reads_the_files_of_a_shop_set_to_a_dialect(
    bring: Bring, shop: Shop, tmp_path: Path, usual: str
) -> None:
    Shop.objects.filter(pk=shop.pk).update(dialect=usual)
    shop.refresh_from_db()
    adopt_mapping(
        shop=shop, data=german_definition(tmp_path), head=tmp_path / "inconnu.csv", at=NOON
    )

    report = bring(GERMAN)

    assert report.counts.faults == []
    assert report.files[0].dialect == "boutique-v1"


def test_a_shop_set_to_a_dialect_still_reads_nothing_else(bring: Bring, shop: Shop) -> None:
    Shop.objects.filter(pk=shop.pk).update(dialect="shopify")
    shop.refresh_from_db()

    report = bring((DATA / "pivot/orders.csv").read_bytes())

    assert report.counts.faults[0][1].code == "file.unknown_header"


def test_a_dialect_that_is_named_goes_before_the_shops_mapping(
    bring: Bring, shop: Shop, tmp_path: Path
) -> None:
    save_mapping(shop=shop, data=german_definition(tmp_path), at=NOON)

    report = bring(GERMAN, dialect="shopify")

    assert report.counts.faults[0][1].code == "file.unknown_header"


def test_a_fault_names_the_files_own_column(bring: Bring, shop: Shop, tmp_path: Path) -> None:
    save_mapping(shop=shop, data=german_definition(tmp_path), at=NOON)

    report = bring(GERMAN.replace("03.02.2026 10:15", "gestern"))

    fault = report.counts.faults[0][1]
    assert (fault.line, fault.column, fault.code) == (2, "Bestelldatum", "cell.not_a_date")


def test_another_shop_isnt_read_so(bring: Bring, shop: Shop, tmp_path: Path) -> None:
    other = Shop.objects.create(code="autre", name="Autre")
    save_mapping(shop=other, data=german_definition(tmp_path), at=NOON)

    assert bring(GERMAN).files[0].status == "refused"


def test_saving_again_makes_a_version_and_the_same_again_none(shop: Shop, tmp_path: Path) -> None:
    data = german_definition(tmp_path)
    first = save_mapping(shop=shop, data=data, at=NOON)
    assert save_mapping(shop=shop, data=data, at=NOON) == first

    second = save_mapping(shop=shop, data=data | {"day_first": True}, at=NOON)

    assert (first.version, second.version) == (1, 2)
    assert ShopDialect.objects.filter(is_current=True).get() == second
    third = bring_back(dialect_id=first.pk, at=NOON)
    assert (third.version, third.definition) == (3, first.definition)


def test_a_fixed_value_stands_for_a_column_that_isnt_there(
    bring: Bring, shop: Shop, tmp_path: Path
) -> None:
    data = german_definition(tmp_path)
    del data["columns"]["tax_rate"]
    save_mapping(shop=shop, data=data | {"constants": {"tax_rate": "10"}}, at=NOON)

    bring(GERMAN.replace("MwSt", "Unbekannt"))

    assert Order.objects.get(number="B-1").lines.get().tax_rate == 10


@pytest.mark.parametrize(
    "data",
    [
        {"kind": "orders", "columns": {}},
        {"kind": "songs"},
        {"kind": "orders", "columns": {"nonsense": "A"}},
        {"kind": "orders", "columns": [1]},
        {"kind": "customers", "columns": {"email": "E"}, "statuses": {"a": "b"}},
        {"kind": "customers", "columns": {"email": "E"}, "constants": {"sku": "b"}},
    ],
)
def test_a_wrong_definition_is_refused_with_a_sentence(data: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="correspondance"):
        Definition(data)


# --- In the browser -----------------------------------------------------------------------


@pytest.fixture
def owner() -> Client:
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("chef", "c@exemple.test", "x"))
    return client


def test_from_an_unknown_file_to_the_first_orders(owner: Client, shop: Shop, bring: Bring) -> None:
    upload = SimpleUploadedFile("export.csv", GERMAN.encode(), "text/csv")
    page = owner.post("/passerelle/assistant/", {"shop": shop.pk, "file": upload}, follow=True)
    text = page.content.decode()
    assert "Bestelldatum" in text
    url = page.redirect_chain[-1][0]
    form = {"kind": "orders", "shown_kind": "orders"}
    for field, body in re.findall(r'name="column_(\w+)">(.*?)</select>', text, re.S):
        selected = re.search(r'value="(\d+)" selected', body)
        form[f"column_{field}"] = selected[1] if selected else ""
    form |= {"status_bezahlt": "paid", "status_storniert": "cancelled"}

    tried = owner.post(url, form | {"preview": "1"}).content.decode()
    assert "28,90" in tried or "28.90" in tried
    assert "B-1" in tried
    assert not Order.objects.exists()

    owner.post(url, form | {"save": "1"})
    assert [d.code for d in own_dialects(shop)] == ["boutique-v1"]
    assert {o.number: o.status for o in Order.objects.all()} == {
        "B-1": "confirmed",
        "B-2": "cancelled",
    }
    assert bring(GERMAN).files[0].status == "duplicate"


def test_a_mapping_travels_as_a_small_file(owner: Client, shop: Shop, tmp_path: Path) -> None:
    saved = save_mapping(shop=shop, data=german_definition(tmp_path), at=NOON)
    exported = owner.get(f"/passerelle/correspondances/{saved.pk}/").content
    other = Shop.objects.create(code="autre", name="Autre")

    owner.post(
        "/passerelle/assistant/",
        {"shop": other.pk, "file": SimpleUploadedFile("m.json", exported)},
    )

    assert json.loads(exported)["format"] == "sphinx-dialect/1"
    assert ShopDialect.objects.get(shop=other).definition == saved.definition


def test_a_wrong_choice_says_what_is_missing(owner: Client, shop: Shop) -> None:
    upload = SimpleUploadedFile("export.csv", GERMAN.encode(), "text/csv")
    page = owner.post("/passerelle/assistant/", {"shop": shop.pk, "file": upload}, follow=True)

    answer = owner.post(page.redirect_chain[-1][0], {"kind": "orders", "shown_kind": "orders"})

    assert "aucune colonne pour" in answer.content.decode()


def test_a_path_in_place_of_a_hash_opens_nothing(owner: Client, shop: Shop) -> None:
    assert owner.get(f"/passerelle/assistant/{shop.code}/../../etc/passwd/").status_code == 404
    assert owner.get(f"/passerelle/assistant/{shop.code}/abc/").status_code == 404


ITALIAN_SHOP = (
    "Num. Ordine;Data e ora;Stato ordine;Nome e cognome;Posta elettronica;Via e numero;CAP;Città;"
    "Paese;Cod. prodotto;Nome prodotto;Pezzi;Prezzo (IVA incl.);IVA;Costo spedizione;"
    "Totale pagato\n"
    "2026-0041;05/03/2026 09:12;In lavorazione;Marta Esempio;marta@esempio.test;Via Prova 1;20146;"
    "Milano;Italia;CER-01;Ciotola;2;18,50 €;22%;6,00 €;43,00 €\n"
    "2026-0042;05/03/2026 18:40;Spedito;Luca Esempio;luca@esempio.test;Via Prova 2;00184;Roma;"
    "Italia;CER-02;Vaso;1;19,00 €;22%;0,00 €;19,00 €\n"
    "2026-0043;06/03/2026 11:05;Annullato;Sara Esempio;sara@esempio.test;Via Prova 3;50122;"
    "Firenze;Italia;CER-03;Piatto;1;9,90 €;22%;6,00 €;15,90 €\n"
)
MARKETPLACE = (
    "Référence commande;Date de création;Etat commande;Nom livraison;Prénom livraison;Adresse 1;"
    "CP;Ville;Pays;Téléphone;Référence vendeur;Libellé;Qté;Prix unitaire;Frais de port;"
    "Montant total\n"
    "{key};05/03/2026 10:12:44;Expédiée;Exemple;Anne;3 allée des Tests;33000;BORDEAUX;FR;"
    "0600000001;LAMPE-12;Lampe ardoise;1;39,90;4,99;44,89\n"
)


def as_guessed(shop: Shop, tmp_path: Path, text: str) -> dict[str, str]:
    """The mapping as it is guessed, in force; its columns."""
    columns = guesses(tmp_path, text)
    save_mapping(shop=shop, data={"kind": "orders", "columns": columns}, at=NOON)
    return columns


def test_an_italian_shops_states_and_references_are_understood_as_guessed(
    shop: Shop, tmp_path: Path, bring: Bring
) -> None:
    columns = as_guessed(shop, tmp_path, ITALIAN_SHOP)

    report = bring(ITALIAN_SHOP)

    assert columns["sku"] == "Cod. prodotto"
    assert report.counts.faults == []
    assert {o.number: o.status for o in Order.objects.all()} == {
        "2026-0041": "confirmed",
        "2026-0042": "confirmed",
        "2026-0043": "cancelled",
    }


def test_a_marketplaces_orders_without_e_mail_go_in_and_make_one_person(
    shop: Shop, tmp_path: Path, bring: Bring
) -> None:
    ProductFactory(sku="LAMPE-12")
    columns = as_guessed(shop, tmp_path, MARKETPLACE.format(key="1"))

    for key in ("2603051012", "2603051013"):
        assert bring(MARKETPLACE.format(key=key)).counts.faults == []

    first, second = Order.objects.order_by("number")
    assert columns["sku"] == "Référence vendeur"
    assert first.customer == second.customer
    assert (first.customer.email, first.customer.first_name) == ("", "Anne")


def test_two_people_at_one_address_are_two(shop: Shop, tmp_path: Path, bring: Bring) -> None:
    ProductFactory(sku="LAMPE-12")
    as_guessed(shop, tmp_path, MARKETPLACE.format(key="1"))

    bring(MARKETPLACE.format(key="2603051012"))
    bring(MARKETPLACE.format(key="2603051013").replace("Anne", "Paul"))

    assert len({order.customer_id for order in Order.objects.all()}) == 2


def test_the_states_of_a_file_are_proposed(owner: Client, shop: Shop) -> None:
    upload = SimpleUploadedFile("export.csv", ITALIAN_SHOP.encode(), "text/csv")

    page = owner.post("/passerelle/assistant/", {"shop": shop.pk, "file": upload}, follow=True)

    assert dict(page.context["statuses"]) == {
        "In lavorazione": "paid",
        "Spedito": "shipped",
        "Annullato": "cancelled",
    }
