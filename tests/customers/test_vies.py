"""VAT numbers asked of VIES: a server on loopback answers as the register does."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from customers.models import Customer, VatCheck
from customers.selectors import customers_with_invalid_numbers, numbers_to_check
from customers.services import check_vat_number
from customers.tasks import check_vat_numbers
from sphinx.core.errors import BusinessRuleError, TransientError
from sphinx.core.services import company
from tests.factories import NOON, CustomerFactory
from tests.test_stock_pages import signed_in

pytestmark = pytest.mark.django_db
NUMBER = "BE0776091951"
KNOWN = {"valid": True, "name": "BRUGSE HANDEL", "address": "Markt 1\n8000 Brugge"}
Answers = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def answers(settings: Any) -> Iterator[Answers]:
    """Says what the register answers from now on; gives the questions it was asked."""
    reply: dict[str, Any] = {}
    asked: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            asked.append({"path": self.path} | json.loads(self.rfile.read(length)))
            self.send_response(reply["status"])
            self.end_headers()
            self.wfile.write(reply["body"])

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    settings.VIES_URL = f"http://127.0.0.1:{server.server_port}/rest-api"

    def say(body: Any, status: int = 200) -> list[dict[str, Any]]:
        reply["body"] = body if isinstance(body, bytes) else json.dumps(body).encode()
        reply["status"] = status
        return asked

    yield say
    server.shutdown()
    server.server_close()


def firm(number: str = NUMBER) -> Customer:
    return CustomerFactory(kind="company", company_name="Brugse Handel", vat_number=number)


def test_the_answer_is_kept_with_its_consultation_number(answers: Answers) -> None:
    own = company()
    own.vat_number = "FR83404833048"
    own.save()
    asked = answers(KNOWN | {"requestIdentifier": "WAPIAAAAW1"})

    kept = check_vat_number(customer_id=firm().pk, at=NOON)

    assert asked == [
        {
            "path": "/rest-api/check-vat-number",
            "countryCode": "BE",
            "vatNumber": "0776091951",
            "requesterMemberStateCode": "FR",
            "requesterNumber": "83404833048",
        }
    ]
    assert (kept.is_valid, kept.name, kept.consultation) == (True, "BRUGSE HANDEL", "WAPIAAAAW1")
    assert kept.answer["address"] == "Markt 1\n8000 Brugge"


def test_a_number_that_is_unknown_shows_until_it_is_changed(answers: Answers) -> None:
    customer = firm()
    answers({"valid": False, "name": "---", "address": "---"})
    kept = check_vat_number(customer_id=customer.pk, at=NOON)
    assert (kept.is_valid, kept.name) == (False, "")
    assert list(customers_with_invalid_numbers()) == [customer]

    customer.vat_number = "BE0404616494"
    customer.save()

    assert list(customers_with_invalid_numbers()) == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"actionSucceed": False, "errorWrappers": [{"error": "MS_UNAVAILABLE"}]}, 200),
        ({"errorWrappers": [{"error": "MS_MAX_CONCURRENT_REQ"}]}, 500),
        (b"<html>maintenance</html>", 503),
        (KNOWN, 503),
        ([], 200),
        ({}, 200),
    ],
)
def test_a_register_out_of_reach_says_nothing_of_the_number(
    answers: Answers, body: Any, status: int
) -> None:
    answers(body, status)

    with pytest.raises(TransientError, match="réessayez plus tard"):
        check_vat_number(customer_id=firm().pk, at=NOON)

    assert not VatCheck.objects.exists()


def test_no_server_is_no_answer(settings: Any) -> None:
    settings.VIES_URL = "http://127.0.0.1:9"

    with pytest.raises(TransientError):
        check_vat_number(customer_id=firm().pk, at=NOON)


def test_a_customer_without_number_is_not_asked_about() -> None:
    with pytest.raises(BusinessRuleError, match="n'a pas de numéro"):
        check_vat_number(customer_id=firm("").pk, at=NOON)


def test_the_night_asks_only_where_the_firm_wants_it(answers: Answers) -> None:
    asked = answers(KNOWN)
    firm()
    firm("FR83404833048")
    CustomerFactory(vat_number=NUMBER)

    check_vat_numbers()
    assert asked == []

    own = company()
    own.checks_vies = True
    own.save()
    check_vat_numbers()
    check_vat_numbers()

    assert [question["countryCode"] for question in asked] == ["BE"]


def test_a_number_is_asked_about_again_after_a_quarter(answers: Answers) -> None:
    customer = firm()
    answers(KNOWN)
    check_vat_number(customer_id=customer.pk, at=NOON)

    assert numbers_to_check(NOON + timedelta(days=90)) == []
    assert numbers_to_check(NOON + timedelta(days=91)) == [customer.pk]


def test_an_answer_never_changes(answers: Answers) -> None:
    answers(KNOWN)
    check_vat_number(customer_id=firm().pk, at=NOON)

    with pytest.raises(DatabaseError), transaction.atomic():
        VatCheck.objects.update(is_valid=False)


def test_people_check_from_the_list_and_find_the_unknown_ones(answers: Answers) -> None:
    answers({"valid": False})
    customer = firm()
    sales = signed_in("Ventes")
    page = "/admin/customers/customer/"

    sales.post(page, {"action": "check_vies", "_selected_action": [customer.pk]})

    assert VatCheck.objects.get().customer == customer
    assert "Brugse Handel" in sales.get(f"{page}?vies=invalid").content.decode()
    # Home shows the card.
    assert "N° de TVA inconnus de VIES" in sales.get("/").content.decode()
