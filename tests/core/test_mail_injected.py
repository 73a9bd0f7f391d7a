"""Names, subjects and addresses with line breaks and commas, over a real SMTP server."""

import email
import email.policy
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.errors import MessageError
from typing import Any

import pytest
from django.core.mail import EmailMessage

from customers.models import Customer
from sales.models import DeliveryNote
from sales.services import mail_shipment
from sales.tasks import mail_parcels
from sphinx.core import clock
from sphinx.core.mailing import firm_message
from sphinx.core.models import Company, DeadLetter, Shop
from sphinx.core.services import company
from tests.factories import line, shipped

pytestmark = pytest.mark.django_db
BCC = "Bcc: voleur@exemple.test"
BREAKS = ("\r\n", "\n", "\r", "\r\n ", "\n\t", "\0\n", "\x0b\n", "\u2028\n")


class Sink:
    """What a mail server was told: from whom, to whom, which bytes."""

    def __init__(self) -> None:
        self.to: list[list[str]] = []
        self.data: list[bytes] = []

    def messages(self) -> list[Any]:
        return [email.message_from_bytes(d, policy=email.policy.default) for d in self.data]


@contextmanager
def smtp_sink() -> Iterator[tuple[Sink, int]]:
    """A server on loopback that takes every message (RFC 5321, the few verbs that we say)."""
    sink = Sink()

    class Handler(socketserver.StreamRequestHandler):
        def say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

        def handle(self) -> None:
            self.say("220 ready")
            to: list[str] = []
            for raw in self.rfile:
                verb = raw[:4].upper()
                if verb == b"DATA":
                    self.say("354 go on")
                    sink.data.append(b"".join(iter(self.rfile.readline, b".\r\n")))
                    sink.to.append(to)
                    to = []
                elif verb == b"RCPT":
                    to.append(raw.decode("utf-8", "replace").strip())
                elif verb == b"QUIT":
                    self.say("221 bye")
                    return
                self.say("250 fine")

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield sink, server.server_address[1]
        server.shutdown()
        thread.join(timeout=5)


@pytest.fixture
def sink(settings: Any) -> Iterator[Sink]:
    with smtp_sink() as (found, port):
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
        settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        yield found


def sent_to_one(sink: Sink) -> Any:
    """The one message, to the one person."""
    (message,), (to,) = sink.messages(), sink.to
    assert len(to) == 1
    assert "voleur" not in to[0]
    assert message["Bcc"] is message["Cc"] is None
    assert all("voleur" not in str(message[name]) for name in ("To", "From", "Reply-To"))
    return message


@pytest.mark.parametrize("cut", BREAKS)
def test_no_subject_is_a_header_of_its_own(sink: Sink, cut: str) -> None:
    firm_message(f"Devis{cut}{BCC}{cut}{cut}corps", ["Bonjour"], "lea@exemple.test").send()

    message = sent_to_one(sink)
    assert message["Subject"].startswith("Devis")
    assert "Bonjour" in message.get_content()


@pytest.mark.parametrize("cut", BREAKS[:3])
def test_no_firms_name_is_a_header(sink: Sink, cut: str) -> None:
    Company.objects.filter(pk=company().pk).update(name=f"Firme{cut}{BCC}".replace("\0", ""))

    firm_message("Essai", [f"Bonjour{cut}.{cut}{BCC}"], "lea@exemple.test").send()

    # A dot alone on its line doesn't end the message.
    assert BCC in sent_to_one(sink).get_content()


@pytest.mark.parametrize(
    "name", ["a\r\nBcc: voleur@exemple.test", 'a"; x="b.pdf', "../../a.pdf", "é" * 300, "a\0.pdf"]
)
def test_no_name_of_an_attachment_is_a_header(sink: Sink, name: str) -> None:
    message = firm_message("Essai", ["Bonjour"], "lea@exemple.test")
    message.attach(name, b"%PDF", "application/pdf")
    try:
        message.send()
    except (ValueError, MessageError):
        assert sink.data == []
        return

    attached = list(sent_to_one(sink).iter_attachments())
    assert [a.get_content() for a in attached] == [b"%PDF"]


NO_ADDRESSES = (
    "lea@exemple.test, voleur@exemple.test",
    "lea@exemple.test\r\nBcc: voleur@exemple.test",
    "lea@exemple.test> RCPT TO:<voleur@exemple.test",
    "Léa <lea@exemple.test>, voleur@exemple.test",
    "voleur",
    "@",
    "é@é",
    "a" * 300,
)


@pytest.mark.parametrize("address", NO_ADDRESSES)
def test_what_is_no_address_is_written_to_nobody_and_holds_nobody_back(
    sink: Sink, address: str
) -> None:
    """However it came into the books; the others are told."""
    Shop.objects.update_or_create(code="essai", defaults={"mails_shipments": True})
    bad, good = shipped("1", line("A")), shipped("2", line("A"))
    Shop.objects.update(mails_shipments=True)
    other = Customer.objects.create(code="C2", email="zoe@exemple.test", created_at=clock.now())
    Customer.objects.filter(pk=bad.order.customer_id).update(email=address[:254])
    type(good.order).objects.filter(pk=good.order_id).update(customer=other)
    DeliveryNote.objects.update(shipped_at=clock.now())

    mail_parcels()

    assert [to for to in sink.to if "zoe@exemple.test" in to[0]]
    assert not any("voleur@exemple.test" in one and len(to) > 1 for to in sink.to for one in to)
    told = DeliveryNote.objects.exclude(mailed_at=None)
    assert good.pk in [note.pk for note in told]
    assert DeadLetter.objects.count() == (bad.pk not in [note.pk for note in told])


def test_orders_and_shops_with_line_breaks_are_text(sink: Sink) -> None:
    note = shipped("1", line("A"))
    type(note.order).objects.filter(pk=note.order_id).update(number=f"1\r\n{BCC}")
    Shop.objects.update(name=f"Boutique\r\n{BCC}\r\n.\r\n", mails_shipments=True)
    DeliveryNote.objects.update(shipped_at=clock.now())

    assert mail_shipment(note_id=note.pk, at=clock.now())

    assert sent_to_one(sink)["Subject"].startswith("Votre commande 1")


def test_every_message_goes_through_a_subject_that_is_one_line() -> None:
    message = firm_message("a\nb", [], "lea@exemple.test")
    assert isinstance(message, EmailMessage)
    assert message.subject == "a b"
