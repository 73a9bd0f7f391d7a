"""States in words: whole phrases, in eight languages, the shop's own answer first."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from ftp_ingest.dialects import dialects
from ftp_ingest.dialects.base import Header, Row
from ftp_ingest.dialects.states import MEANINGS, PHRASES, meaning_of, states_of
from ftp_ingest.services import IngestReport
from sales.drafts import OrderDraft
from sphinx.core.errors import InputError
from sphinx.core.texts import fold

DATA = Path(__file__).parent.parent / "data"
Bring = Callable[..., IngestReport]
LANGUAGES = {"fr", "en", "de", "es", "it", "pt", "nl", "pl"}


def table() -> list[dict[str, str]]:
    path = Path(__file__).parents[2] / "ftp_ingest/dialects/states.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter=";"))


def test_each_phrase_has_one_meaning() -> None:
    rows = table()

    assert {row["meaning"] for row in rows} == set(MEANINGS)
    assert {row["language"] for row in rows} == LANGUAGES
    assert len({fold(row["phrase"]) for row in rows}) == len(rows) == len(PHRASES)


def test_every_language_has_every_meaning() -> None:
    found = {(row["language"], row["meaning"]) for row in table()}

    # What Portuguese says like Spanish stands in the table once.
    missing = {(x, m) for x in LANGUAGES for m in MEANINGS} - found
    assert {language for language, _meaning in missing} <= {"pt"}


@pytest.mark.parametrize(
    ("phrase", "meaning"),
    [
        ("Remboursement partiel", "partially_refunded"),
        ("Paiement partiel", "pending"),
        ("En attente de remboursement", "pending"),
        ("Demande d'annulation", "pending"),
        ("Payé - préparation annulée", "paid"),
        ("Autorisation. A capturer par le marchand", "pending"),
        ("Partially refunded by Mollie", "partially_refunded"),
        ("En attente de paiement PayPal", "pending"),
        ("En attente de paiement PayPal.", "pending"),
        ("En attente de paiement par PayPal", "pending"),
        ("En attente de capture Stripe", "pending"),
        ("Stripe Partial Refund", "partially_refunded"),
        ("Paiement effectué [PayPlug]", "paid"),
        ("Teilweise Rückerstattung", "partially_refunded"),
        ("Częściowy zwrot", "partially_refunded"),
        ("In lavorazione", "paid"),
        ("Spedito", "shipped"),
        ("Annullato", "cancelled"),
        ("Geannuleerd", "cancelled"),
        ("Pedido pendiente por falta de stock (no pagado)", "pending"),
        ("Pedido pendiente por falta de stock (pagado)", "paid"),
        ("On backorder (not paid)", "pending"),
        ("Erreur de paiement", "failed"),
    ],
)
def test_a_whole_phrase_is_understood(phrase: str, meaning: str) -> None:
    assert meaning_of(phrase) == meaning


@pytest.mark.parametrize(
    "phrase", ["Annulation de la mise en attente", "Payé par le père Noël", "Remboursement ?!x", ""]
)
def test_a_part_of_a_phrase_says_nothing(phrase: str) -> None:
    assert meaning_of(phrase) == ""
    assert states_of(phrase) is None


def draft(code: str, path: str, word: str, said: dict[str, str]) -> OrderDraft:
    """The first order of a file after its state has become `word`; `said` is the shop's answer."""
    rows = list(csv.reader((DATA / path).open(encoding="utf-8", newline=""), delimiter=_mark(path)))
    header = Header(rows[0])
    reader = next(d for d in dialects() if d.code == code).orders(header)
    reader.states = said
    places = (
        "financial status",
        "status",
        "order status",
        "order state",
        "payment status",
    )
    cells = [*rows[1], ""]
    cells[header.place(*places)] = word
    cells[header.place("state")] = ""
    others = [[*row, ""] for row in rows[2:] if reader.key([*row, ""]) == reader.key(cells)]
    return reader.draft([Row(n, list(row)) for n, row in enumerate([cells, *others], start=2)])


def _mark(path: str) -> str:
    head = (DATA / path).open(encoding="utf-8").readline()
    return ";" if head.count(";") > head.count(",") else ","


FILES = [
    ("pivot", "pivot/orders.csv"),
    ("shopify", "shopify/orders_export.csv"),
    ("woocommerce", "woocommerce/webtoffee.csv"),
    ("woocommerce", "woocommerce/algolplus.csv"),
    ("magento", "magento/orders.csv"),
    ("prestashop", "prestashop/orders.csv"),
    ("squarespace", "squarespace/orders.csv"),
    ("wix", "wix/orders.csv"),
]


@pytest.mark.parametrize(("code", "path"), FILES)
def test_a_state_nobody_knows_is_refused_with_its_text(code: str, path: str) -> None:
    with pytest.raises(InputError) as refused:
        draft(code, path, "Chez le luthier", {})

    assert refused.value.code == "order.unknown_status"
    assert refused.value.context["status"] == "Chez le luthier"


@pytest.mark.parametrize(("code", "path"), FILES)
def test_the_shops_own_answer_is_believed(code: str, path: str) -> None:
    found = draft(code, path, "Chez le luthier", {"chez le luthier": "cancelled"})

    assert found.state == "cancelled"


@pytest.mark.parametrize(("code", "path"), FILES)
def test_the_shops_own_answer_wins_over_what_everybody_says(code: str, path: str) -> None:
    assert draft(code, path, "paid", {"paid": "pending"}).state == "pending"
