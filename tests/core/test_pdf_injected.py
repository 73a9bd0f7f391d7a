"""Markup in what is printed: nothing is fetched, read or run, and the text stays text."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from pypdf import PdfReader

from customers.drafts import AddressDraft, CustomerDraft
from invoicing.services import issue_invoice, render_pdfs
from purchasing.models import PurchaseOrder
from purchasing.services import accept_proposal, propose_orders
from purchasing.services.mailing import order_pdf, slip_pdf
from sales.models import DeliveryNote
from sales.services import render_delivery_pdfs
from sphinx.core.models import Company
from sphinx.core.pdf import Page, render
from sphinx.core.services import company
from suppliers.models import Supplier
from tests.factories import NOON, ProductFactory, SupplierProductFactory, line, placed, shipped

SECRET = "secret de la machine 42"
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
    'width="9" height="9">%s</svg>'
)
# %(url)s is a server of the test's, %(file)s a file of this machine.
MARKUP = (
    '<img src="%(url)s/a">',
    '<img src="%(file)s">',
    '<link rel="stylesheet" href="%(url)s/b.css">',
    '<link rel="attachment" href="%(file)s">',
    '<a rel="attachment" href="%(file)s">x</a>',
    "<style>@import url(%(url)s/c.css); @import '%(file)s';</style>",
    "<style>body{background:url(%(url)s/d)} @font-face{font-family:x;src:url(%(url)s/e)}</style>",
    '<p style="background:url(%(url)s/f);content:url(%(file)s)">x</p>',
    '<object data="%(url)s/g"></object><embed src="%(file)s"><iframe src="%(url)s/h"></iframe>',
    SVG % '<image href="%(url)s/i"/><image xlink:href="%(file)s"/><use href="%(url)s/j#k"/>',
    SVG % "<style>@import url(%(url)s/l.css);</style><text>x</text>",
    '<base href="%(url)s/"><img src="m">',
    "<script>fetch('%(url)s/n')</script><img src=x onerror=\"fetch('%(url)s/o')\">",
    '<meta http-equiv="refresh" content="0;url=%(url)s/p">',
    '<img src="data:image/svg+xml;utf8,%(svg)s">',
    "</style></title><img src='%(url)s/q'><!--",
    "{{ company }}{%% include '%(file)s' %%}",
)


class Machine(NamedTuple):
    """What a page might reach for: a server that notes who comes, and a file."""

    url: str
    file: Path
    asked: list[str]

    def spells(self) -> list[str]:
        inner = (SVG % f'<image href="{self.url}/r"/>').replace('"', "%22").replace("#", "%23")
        names = {"url": self.url, "file": self.file.as_uri(), "svg": inner}
        return [text % names for text in MARKUP]


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_args: Any) -> None:
            pass

    file = tmp_path / "secret.txt"
    file.write_text(SECRET)
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield Machine(f"http://127.0.0.1:{server.server_address[1]}", file, asked)
        server.shutdown()
        thread.join(timeout=5)


def assert_nothing_got_in(path: Path, machine: Machine) -> str:
    """Nobody came, the file isn't in it, nothing runs; what the document says."""
    reader = PdfReader(path)
    text = "".join(page.extract_text() for page in reader.pages)
    raw = path.read_bytes()
    assert machine.asked == []
    assert SECRET not in text
    assert not any(SECRET.encode() in data for _n, (data, *_) in reader.attachments.items())
    assert not any(mark in raw for mark in (b"/JavaScript", b"/JS", b"/Launch", b"/SubmitForm"))
    return text


def test_markup_itself_fetches_nothing(machine: Machine, tmp_path: Path) -> None:
    """As if a template forgot to escape: the second wall holds alone."""
    path = tmp_path / "x.pdf"
    for spell in machine.spells():
        render(Page(f"<html lang=fr><title>t</title><p>avant</p>{spell}<p>après</p>", path))
        assert_nothing_got_in(path, machine)


def test_a_logo_that_is_a_drawing_fetches_nothing(
    db: None, machine: Machine, tmp_path: Path
) -> None:
    """However it came there: the form takes pictures only."""
    from base64 import b64encode

    drawing = SVG % f'<image href="{machine.url}/s"/><image href="{machine.file.as_uri()}"/>'
    picture = b64encode(drawing.encode()).decode()
    path = tmp_path / "x.pdf"
    for kind in ("jpeg", "png", "svg+xml"):
        render(Page(f'<html lang=fr><img alt="" src="data:image/{kind};base64,{picture}">', path))
        assert_nothing_got_in(path, machine)


def invoice(spell: str) -> Path:
    pk = issue_invoice(delivery_note_id=_sold(spell).pk, at=NOON).pk
    return render_pdfs([pk])[pk]


def _sold(spell: str) -> DeliveryNote:
    """A note on which the customer, the address, the article and the firm are that text."""
    Company.objects.filter(pk=company().pk).update(name=spell[:120])
    where = AddressDraft(spell[:100], spell[:100], spell[:100], "", "75011", spell[:60], "FR")
    buyer = CustomerDraft(ref="C1", email="lea@exemple.test", last_name=spell[:60])
    label = spell[:200]
    return shipped("1", line("A", label=label), customer=buyer, billing=where, shipping=where)


def note(spell: str) -> Path:
    pk = _sold(spell).pk
    return render_delivery_pdfs([pk])[pk]


def _bought(spell: str) -> PurchaseOrder:
    product = ProductFactory(sku="SOFA", label=spell[:200], supply_mode="drop_ship")
    SupplierProductFactory(product=product, supplier_sku=spell[:40])
    Supplier.objects.update(name=spell[:100])
    where = AddressDraft(spell[:100], spell[:100], spell[:100], "", "75011", spell[:60], "FR")
    placed("1", line("SOFA"), shipping=where)
    (order,) = [o for o in propose_orders(on=NOON.date()).orders if o.direct_delivery_id]
    accept_proposal(order_id=order.pk, at=NOON)
    return PurchaseOrder.objects.get(pk=order.pk)


def purchase(spell: str) -> Path:
    return order_pdf(_bought(spell))


def slip(spell: str) -> Path:
    return slip_pdf(_bought(spell))


@pytest.mark.django_db
@pytest.mark.parametrize("make", [invoice, note, purchase, slip])
@pytest.mark.parametrize("number", range(0, len(MARKUP), 4))
def test_markup_in_names_and_labels_is_printed_as_text(
    machine: Machine, make: Callable[[str], Path], number: int
) -> None:
    spell = machine.spells()[number]

    text = assert_nothing_got_in(make(spell), machine)

    assert spell[:6] in text.replace("\n", "")
