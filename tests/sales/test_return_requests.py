"""Announced returns: expected, counted, examined; stock rises at the last step only."""

from decimal import Decimal

import pytest
from pypdf import PdfReader

from inventory.models import StockPosition
from invoicing.services import credit_lines, issue_invoice
from sales.errors import ReturnRefused, TooManyReturned
from sales.models import DeliveryNote, DeliveryNoteLine, GoodsReturn, ReturnRequest
from sales.selectors import returnable
from sales.services import (
    Back,
    abandon_return,
    announce_return,
    examine_return,
    receive_return,
    render_return_slip,
    return_goods,
)
from sphinx.core.proofs import run_proofs
from tests.factories import NOON, line, shipped
from tests.support.threads import together
from tests.test_stock_pages import signed_in

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def note() -> DeliveryNote:
    """Three candles that left."""
    return shipped("1", line("A", "10.00", "3"))


def announced(note: DeliveryNote, pieces: str = "2") -> ReturnRequest:
    return announce_return(
        note_id=note.pk,
        quantities={note.lines.get().pk: D(pieces)},
        reason="Trop petit",
        at=NOON,
    )


def counted(request: ReturnRequest, pieces: str = "2") -> ReturnRequest:
    return receive_return(
        request_id=request.pk, quantities={request.lines.get().pk: D(pieces)}, at=NOON
    )


def examined(request: ReturnRequest, shelf: str, scrap: str = "0") -> ReturnRequest:
    row = request.lines.get().note_line_id
    return examine_return(
        request_id=request.pk,
        accepted=[Back(row, D(shelf)), Back(row, D(scrap), is_scrap=True)],
        verdict="Comme neuf",
        at=NOON,
    )


def on_hand() -> Decimal:
    found: Decimal = StockPosition.objects.get().on_hand
    return found


def test_stock_rises_when_the_parcel_is_examined_and_not_before(note: DeliveryNote) -> None:
    before = on_hand()
    request = announced(note)
    assert (request.number, request.status) == ("RM2026-000001", "announced")
    counted(request)
    assert on_hand() == before

    done = examined(request, "1", "1")

    assert (done.status, done.verdict) == ("examined", "Comme neuf")
    assert on_hand() == before + 1
    assert DeliveryNoteLine.objects.get().quantity_returned == 2
    assert [proof.faults for proof in run_proofs() if proof.faults] == []


def test_what_came_back_is_what_the_credit_note_proposes(note: DeliveryNote) -> None:
    invoice = issue_invoice(delivery_note_id=note.pk, at=NOON)
    request = announced(note)
    counted(request)
    examined(request, "2")

    page = signed_in("Gérant").get(f"/factures/{invoice.pk}/avoir/").content.decode()
    assert 'value="2"' in page
    credit = credit_lines(
        invoice_id=invoice.pk, quantities={invoice.lines.get().pk: D(2)}, reason="Retour", at=NOON
    )
    assert credit.total_incl_tax == D("20.00")


def test_nothing_accepted_is_a_verdict_too(note: DeliveryNote) -> None:
    request = announced(note)
    counted(request)

    done = examined(request, "0")

    assert (done.status, done.goods_return) == ("examined", None)
    assert not GoodsReturn.objects.exists()
    assert returnable(note) == {note.lines.get().pk: D(3)}


def test_pieces_are_announced_once(note: DeliveryNote) -> None:
    announced(note)

    with pytest.raises(TooManyReturned, match="que 1 pièces"):
        announced(note)
    announced(note, "1")


def test_an_abandoned_one_frees_its_pieces(note: DeliveryNote) -> None:
    request = announced(note, "3")
    abandon_return(request_id=request.pk)

    assert returnable(note) == {note.lines.get().pk: D(3)}
    with pytest.raises(ReturnRefused, match="Abandonné"):
        counted(request)


@pytest.mark.parametrize("pieces", ["0", "3"])
def test_a_count_is_within_what_was_announced(note: DeliveryNote, pieces: str) -> None:
    request = announced(note)

    with pytest.raises(ReturnRefused):
        counted(request, pieces)

    request.refresh_from_db()
    assert (request.status, request.received_at) == ("announced", None)


def test_no_more_is_accepted_than_was_counted(note: DeliveryNote) -> None:
    request = announced(note)
    counted(request, "1")
    before = on_hand()

    with pytest.raises(ReturnRefused, match="plus de pièces acceptées"):
        examined(request, "2")

    assert on_hand() == before
    assert not GoodsReturn.objects.exists()


def test_a_step_is_taken_once(note: DeliveryNote) -> None:
    request = announced(note)
    with pytest.raises(ReturnRefused):
        examined(request, "1")
    counted(request)
    with pytest.raises(ReturnRefused):
        counted(request)
    examined(request, "1")
    with pytest.raises(ReturnRefused):
        examined(request, "1")
    assert GoodsReturn.objects.count() == 1


def test_goods_taken_back_at_the_desk_are_not_announced_again(note: DeliveryNote) -> None:
    return_goods(note_id=note.pk, back=[Back(note.lines.get().pk, D(2))], at=NOON)

    with pytest.raises(TooManyReturned):
        announced(note, "2")


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_who_examine_at_once_fill_the_shelf_once() -> None:
    note = shipped("1", line("A", "10.00", "3"))
    request = announced(note)
    counted(request)
    before = on_hand()

    def examine() -> None:
        examined(request, "2")

    errors = [e for e in together([examine] * 4) if e is not None]

    assert len(errors) == 3
    assert on_hand() == before + 2


def test_the_slip_names_the_return(note: DeliveryNote) -> None:
    text = PdfReader(render_return_slip(announced(note))).pages[0].extract_text()

    assert "RM2026-000001" in text
    assert "Trop petit" in text


def test_from_the_note_to_the_shelf_in_the_browser(note: DeliveryNote) -> None:
    clerk = signed_in("Entrepôt")
    row = note.lines.get()

    page = clerk.post(
        f"/livraisons/{note.pk}/retour/",
        {f"quantity-{row.pk}": "2", "reason": "Trop petit", "verb": "announce"},
        follow=True,
    )
    request = ReturnRequest.objects.get()
    assert "Bon de retour (PDF)" in page.content.decode()
    assert clerk.get(f"/documents/retours/{request.pk}.pdf").status_code == 200
    # The slip is scanned.
    opened = clerk.get("/retours/", {"code": "rm2026-000001"}, follow=True)
    assert opened.redirect_chain[0][0] == f"/retours/{request.pk}/"
    url, line_id = f"/retours/{request.pk}/", request.lines.get().pk
    clerk.post(url, {"verb": "receive", f"count-{line_id}": "2"})
    assert "À examiner" in clerk.get("/retours/").content.decode()
    clerk.post(url, {"verb": "examine", f"shelf-{line_id}": "1", f"scrap-{line_id}": "1"})

    request.refresh_from_db()
    assert request.status == "examined"
    assert clerk.get(url).status_code == 200


def test_who_may_not_sees_nothing(note: DeliveryNote) -> None:
    request = announced(note)
    buyer, accountant = signed_in("Achats"), signed_in("Comptable")

    assert buyer.get(f"/retours/{request.pk}/").status_code == 403
    assert accountant.get(f"/retours/{request.pk}/").status_code == 200
    assert accountant.post(f"/retours/{request.pk}/", {"verb": "abandon"}).status_code == 404
