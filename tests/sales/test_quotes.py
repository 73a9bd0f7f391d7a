"""Quotes: written excl. tax, sent, answered; order and invoices say the same to the cent."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from pypdf import PdfReader

from accounting_export.services import post_missing
from customers.drafts import AddressDraft, CustomerDraft
from customers.models import Customer, CustomerAddress
from customers.services import add_professional
from invoicing.models import Invoice
from invoicing.services import issue_invoice
from sales.errors import QuoteRefused
from sales.models import Order, Quote
from sales.selectors import quotes_to_follow_up
from sales.services import (
    Offered,
    Terms,
    accept_quote,
    copy_quote,
    mail_quote,
    prepare_delivery,
    prolong_quote,
    quotes_to_mail,
    refuse_quote,
    render_quote,
    send_quote,
    ship_delivery_note,
    start_quote,
    write_quote,
)
from sphinx.core.errors import BusinessRuleError
from sphinx.core.models import Shop
from sphinx.core.proofs import run_proofs
from sphinx.core.services import company
from tests.factories import NOON, CustomerFactory, ProductFactory, ShopFactory, line, placed
from tests.support.threads import together
from tests.test_stock_pages import signed_in

pytestmark = pytest.mark.django_db
D = Decimal
UNTIL = date(2026, 4, 1)


def professional(country: str = "FR", **values: Any) -> Customer:
    """Café du Port, of Lyon unless its country says otherwise."""
    customer: Customer = CustomerFactory(
        kind=Customer.Kind.COMPANY, company_name="Café du Port", **values
    )
    CustomerAddress.objects.create(
        customer=customer, address1="2 quai", postcode="69001", city="Lyon", country=country
    )
    return customer


def offered(
    sku: str = "", price: str | None = "10.00", quantity: str = "1", **more: Any
) -> Offered:
    """A line as typed; free text where it has no reference."""
    more.setdefault("label", "" if sku else "Gravure")
    return Offered(sku, quantity=D(quantity), unit_price=D(price) if price else None, **more)


def written(*lines: Offered, customer: Customer | None = None, **terms: Any) -> Quote:
    quote = start_quote(customer_id=(customer or professional()).pk, shop=ShopFactory(), at=NOON)
    terms.setdefault("valid_until", UNTIL)
    return write_quote(quote_id=quote.pk, lines=lines, terms=Terms(**terms))


def sent(*lines: Offered, **options: Any) -> Quote:
    quote = written(*(lines or (offered(),)), **options)
    return send_quote(quote_id=quote.pk, at=NOON, by_email=False)


def invoiced(order: Order) -> Invoice:
    """The order, delivered and invoiced whole."""
    note = prepare_delivery(order_id=order.pk, at=NOON)
    assert note is not None
    ship_delivery_note(note_id=note.pk, at=NOON)
    return issue_invoice(delivery_note_id=note.pk, at=NOON)


def test_amounts_are_worked_out_excl_tax_and_vat_on_each_rates_sum() -> None:
    ProductFactory(sku="CAFE", tax_rate=D("5.50"))
    quote = written(
        offered("CAFE", "7.33", "3", discount_percent=D(10)),  # 21.99 less 10 %: 19.79
        offered(price="100.00", label="Machine", tax_rate=D("20.00")),
        shipping=D("9.90"),
    )
    # 5.5 % of 19.79: 1.09. Shipping goes with most of the goods: 20 % of 109.90 is 21.98.
    assert quote.taxes == [
        {"rate": "20.00", "base": "109.90", "tax": "21.98"},
        {"rate": "5.50", "base": "19.79", "tax": "1.09"},
    ]
    assert (quote.total_excl_tax, quote.total_tax, quote.total_incl_tax) == (
        D("129.69"), D("23.07"), D("152.76"),
    )  # fmt: skip


def test_an_accepted_quote_is_an_order_whose_goods_are_set_aside() -> None:
    product = ProductFactory(sku="TASSE", on_hand=10)
    quote = sent(offered("TASSE", "8.00", "4"))
    order = accept_quote(quote_id=quote.pk, at=NOON)

    assert (order.number, order.status, order.payment_status) == (
        "DV2026-000001", "confirmed", "unpaid",
    )  # fmt: skip
    assert (order.customer, order.total_incl_tax, order.total_tax) == (
        quote.customer, D("38.40"), D("6.40"),
    )  # fmt: skip
    assert product.positions.get().reserved == 4
    assert order.billing_company == "Café du Port"


def test_the_invoice_says_what_the_quote_said() -> None:
    ProductFactory(sku="CAFE", tax_rate=D("5.50"), on_hand=100)
    quote = sent(
        offered("CAFE", "7.33", "3", discount_percent=D(10)),
        offered(price="0.3333", quantity="7", label="Étiquettes"),
        shipping=D("9.90"),
    )
    invoice = invoiced(accept_quote(quote_id=quote.pk, at=NOON))
    post_missing()

    assert _rates(invoice) == quote.taxes
    assert invoice.total_incl_tax == quote.total_incl_tax
    assert [proof.faults for proof in run_proofs() if proof.faults] == []


def _rates(invoice: Invoice) -> list[dict[str, str]]:
    return [
        {"rate": str(t.tax_rate), "base": str(t.base_excl_tax), "tax": str(t.tax)}
        for t in invoice.taxes.order_by("-tax_rate")
    ]


_RATES = st.sampled_from([D("20.00"), D("10.00"), D("5.50"), D("2.10")])
_LINES = st.lists(
    st.tuples(
        st.decimals("0.01", "999.99", places=2),
        st.integers(1, 60),
        st.sampled_from([D(0), D(5), D("12.5"), D(33)]),
        _RATES,
    ),
    min_size=1,
    max_size=8,
)


class TestAnyQuote(TestCase):
    """Whatever is offered, the invoice has its base, VAT and total by rate, to the cent."""

    @given(lines=_LINES, shipping=st.decimals("0", "60.00", places=2), shipping_rate=_RATES)
    @settings(deadline=None, max_examples=40)
    def test_any_quote_is_invoiced_to_the_cent(
        self, lines: list[Any], shipping: Decimal, shipping_rate: Decimal
    ) -> None:
        rates = {rate for *_rest, rate in lines}
        quote = sent(
            *(
                Offered("", f"Pièce {n}", D(quantity), price, discount, rate)
                for n, (price, quantity, discount, rate) in enumerate(lines)
            ),
            shipping=shipping,
            shipping_tax_rate=shipping_rate if shipping_rate in rates else None,
        )
        invoice = invoiced(accept_quote(quote_id=quote.pk, at=NOON))
        assert _rates(invoice) == quote.taxes
        assert invoice.total_incl_tax == quote.total_incl_tax


def test_a_blank_price_is_the_last_one_that_the_product_was_sold_at() -> None:
    product = ProductFactory(sku="TASSE", label="Tasse bleue")
    placed("1", line("TASSE", "9.60"))
    placed("2", line("TASSE", "12.00"), placed_at=NOON + timedelta(days=1))
    (found,) = written(offered("tasse", None)).lines.all()

    assert (found.product, found.sku, found.label) == (product, "TASSE", "Tasse bleue")
    assert (found.unit_price_excl_tax, found.tax_rate) == (D(10), D(20))


def test_every_line_that_does_not_hold_is_named_and_nothing_is_written() -> None:
    ProductFactory(sku="NEUF")
    quote = written(offered())
    with pytest.raises(QuoteRefused) as refused:
        write_quote(
            quote_id=quote.pk,
            lines=[
                offered("INCONNU"),
                offered("NEUF", None),
                offered(quantity="0"),
                offered(label=" "),
                offered(discount_percent=D(101)),
            ],
            terms=Terms(valid_until=UNTIL),
        )
    for said in (
        "Ligne 1 : « INCONNU »",
        "Ligne 2 : donnez un prix",
        "Ligne 3 : donnez une quantité",
        "Ligne 4 : donnez une désignation",
        "Ligne 5 : la remise",
    ):
        assert said in refused.value.message
    assert quote.lines.count() == 1


def test_forty_lines_take_as_many_queries_as_two(django_assert_num_queries: Any) -> None:
    quote = written(offered())
    skus = [ProductFactory(sku=f"P{n}").sku for n in range(40)]

    def write(count: int) -> int:
        before = len(connection.queries_log)
        write_quote(
            quote_id=quote.pk,
            lines=[offered(sku) for sku in skus[:count]],
            terms=Terms(valid_until=UNTIL),
        )
        return len(connection.queries_log) - before

    connection.force_debug_cursor = True
    try:
        write(2)
        assert write(2) == write(40)
    finally:
        connection.force_debug_cursor = False


@pytest.mark.parametrize(
    ("country", "number", "regime", "sentence"),
    [
        ("BE", "BE0411905847", "eu_business", "262 ter I"),
        ("CH", "", "export", "VAT exempt"),
        ("RE", "", "export", "294"),
        ("FR", "", "domestic", ""),
    ],
)
def test_vat_is_charged_where_the_goods_go(
    country: str, number: str, regime: str, sentence: str
) -> None:
    quote = written(offered(tax_rate=D(20)), customer=professional(country, vat_number=number))
    assert quote.tax_regime == regime
    assert quote.total_tax == (D("2.00") if regime == "domestic" else 0)

    send_quote(quote_id=quote.pk, at=NOON, by_email=False)
    assert accept_quote(quote_id=quote.pk, at=NOON).tax_regime == regime


def test_a_firm_under_the_exemption_charges_none() -> None:
    firm = company()
    firm.is_tax_exempt = True
    firm.save()
    quote = written(offered(tax_rate=D(20)))
    assert (quote.tax_regime, quote.total_tax) == ("exempt", 0)
    assert "293 B" in _text(quote)


def _text(quote: Quote) -> str:
    pages = PdfReader(render_quote(quote)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


def test_the_pdf_says_all_that_the_customer_must_know() -> None:
    quote = written(
        offered(price="12.50", quantity="2", discount_percent=D(10)),
        reference="Chantier 7",
        note="Livré à l'étage.",
    )
    text = _text(quote)
    for said in ("Devis", quote.number, "Café du Port", "01/04/2026", "Chantier 7", "Gravure",
                 "22,50", "27,00", "Livré à l'étage.", "BON POUR ACCORD"):  # fmt: skip
        assert said in text


def test_it_speaks_english_where_the_customer_does() -> None:
    quote = sent(customer=professional("DE"))
    assert "Quote" in _text(quote)
    assert "BON POUR ACCORD" not in _text(quote)


def test_what_was_sent_does_not_change() -> None:
    quote = sent()
    with pytest.raises(QuoteRefused, match="En attente de réponse"):
        write_quote(quote_id=quote.pk, lines=[offered()], terms=Terms(valid_until=UNTIL))


def test_an_empty_quote_is_not_sent() -> None:
    with pytest.raises(QuoteRefused, match="au moins une ligne"):
        send_quote(quote_id=written().pk, at=NOON, by_email=False)


def test_a_draft_is_not_accepted() -> None:
    with pytest.raises(QuoteRefused, match="À envoyer"):
        accept_quote(quote_id=written(offered()).pk, at=NOON)


def test_after_its_day_it_is_prolonged_before_it_is_accepted() -> None:
    quote = sent(valid_until=NOON.date())
    late = NOON + timedelta(days=1)
    with pytest.raises(QuoteRefused, match="02/03/2026"):
        accept_quote(quote_id=quote.pk, at=late)
    prolong_quote(quote_id=quote.pk, until=late.date())

    assert accept_quote(quote_id=quote.pk, at=late).status == "confirmed"


def test_its_last_day_is_counted_in_paris() -> None:
    quote = sent(valid_until=date(2026, 3, 2))
    evening = datetime(2026, 3, 2, 22, 59, tzinfo=UTC)  # 23:59 in Paris
    accept_quote(quote_id=quote.pk, at=evening)


def test_accepted_twice_is_one_order() -> None:
    quote = sent()
    assert accept_quote(quote_id=quote.pk, at=NOON) == accept_quote(quote_id=quote.pk, at=NOON)
    assert Order.objects.count() == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_accepted_by_many_hands_at_once_is_one_order() -> None:
    ProductFactory(sku="TASSE", on_hand=10)
    quote = sent(offered("TASSE"))
    assert together([lambda: accept_quote(quote_id=quote.pk, at=NOON)] * 8) == []
    assert Order.objects.get().quote == quote


def test_a_refused_one_stays_refused() -> None:
    quote = refuse_quote(quote_id=sent().pk, reason="Trop cher", at=NOON)
    assert (quote.status, quote.decision) == ("refused", "Trop cher")
    with pytest.raises(QuoteRefused, match="Sans suite"):
        accept_quote(quote_id=quote.pk, at=NOON)


def test_a_copy_replaces_the_one_that_waited() -> None:
    quote = sent(offered(price="5.00", quantity="3"), shipping=D("4.00"))
    copy = copy_quote(quote_id=quote.pk, at=NOON)
    quote.refresh_from_db()

    assert (quote.status, quote.decision) == ("refused", "Remplacé par un autre devis")
    assert (copy.number, copy.status) == ("DV2026-000002", "draft")
    assert copy.total_incl_tax == quote.total_incl_tax
    assert [ln.total_excl_tax for ln in copy.lines.all()] == [D("15.00")]
    assert quote.lines.count() == 1


def test_an_order_that_can_not_be_taken_leaves_the_quote_as_it_was() -> None:
    ProductFactory(sku="TASSE")
    quote = sent(offered("TASSE"))
    Quote.objects.filter(pk=quote.pk).update(total_excl_tax=D("20.00"), total_incl_tax=D("22.00"))
    with pytest.raises(QuoteRefused, match="écart"):
        accept_quote(quote_id=quote.pk, at=NOON)
    quote.refresh_from_db()
    assert (quote.status, Order.objects.count()) == ("sent", 0)


# --- For whom ----------------------------------------------------------------------------


def test_the_order_is_the_customers_even_without_e_mail_and_in_another_shop() -> None:
    customer = professional(email="")
    quote = start_quote(
        customer_id=customer.pk, shop=Shop.objects.create(code="pro", name="Pro"), at=NOON
    )
    write_quote(quote_id=quote.pk, lines=[offered()], terms=Terms(valid_until=UNTIL))
    send_quote(quote_id=quote.pk, at=NOON, by_email=False)

    assert accept_quote(quote_id=quote.pk, at=NOON).customer == customer
    assert Customer.objects.count() == 1


def test_a_professional_is_entered_by_hand() -> None:
    draft = CustomerDraft(
        email="Achats@Port.test", company="Café du Port", siret="732829320", is_business=True,
        address=AddressDraft(address1="2 quai", postcode="69001", city="Lyon", country="FR"),
    )  # fmt: skip
    made = add_professional(shop=ShopFactory(), draft=draft, at=NOON)
    assert (made.kind, made.siren, made.email) == ("company", "732829320", "achats@port.test")
    assert add_professional(shop=ShopFactory(), draft=draft, at=NOON) == made


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"company": ""}, "raison sociale"),
        ({"email": "port"}, "e-mail"),
        ({"siret": "123"}, "SIRET"),
        ({"vat_number": "FR00"}, "numéro de TVA"),
    ],
)
def test_a_professional_without_what_makes_one_is_refused(values: Any, said: str) -> None:
    draft = CustomerDraft(email="a@port.test", company="Port")._replace(**values)
    with pytest.raises(BusinessRuleError, match=said):
        add_professional(shop=ShopFactory(), draft=draft, at=NOON)
    assert not Customer.objects.exists()


# --- By e-mail ---------------------------------------------------------------------------


def test_the_e_mail_leaves_once_with_the_pdf(django_capture_on_commit_callbacks: Any) -> None:
    quote = written(offered(), customer=professional(email="achats@port.test"))
    with django_capture_on_commit_callbacks(execute=True):
        send_quote(quote_id=quote.pk, at=NOON, by_email=True)
    assert mail_quote(quote_id=quote.pk, at=NOON) is False

    (message,) = mail.outbox
    assert message.to == ["achats@port.test"]
    assert "01/04/2026" in message.body
    assert message.attachments[0][0] == f"{quote.number}.pdf"


def test_an_e_mail_that_did_not_leave_is_swept_up(monkeypatch: pytest.MonkeyPatch) -> None:
    quote = written(offered())
    send_quote(quote_id=quote.pk, at=NOON, by_email=True)

    def refuse(_self: Any) -> None:
        raise OSError("relais injoignable")

    with monkeypatch.context() as patched:
        patched.setattr("django.core.mail.EmailMessage.send", refuse)
        with pytest.raises(OSError, match="relais"):
            mail_quote(quote_id=quote.pk, at=NOON)
    assert quotes_to_mail(NOON) == []
    assert quotes_to_mail(NOON + timedelta(minutes=11)) == [quote.pk]
    assert mail_quote(quote_id=quote.pk, at=NOON) is True


def test_without_an_address_nothing_is_promised() -> None:
    quote = written(offered(), customer=professional(email=""))
    with pytest.raises(QuoteRefused, match="adresse e-mail"):
        send_quote(quote_id=quote.pk, at=NOON, by_email=True)


def test_those_that_end_within_a_week_are_followed_up() -> None:
    soon = sent(valid_until=NOON.date() + timedelta(days=7))
    sent(valid_until=NOON.date() + timedelta(days=8))
    written(offered(), valid_until=NOON.date())
    assert list(quotes_to_follow_up(NOON.date())) == [soon]


# --- Pages ---------------------------------------------------------------------------------


def _form(**cells: str) -> dict[str, str]:
    return {"sku-0": "", "label-0": "", "quantity-0": "", "price-0": "", "discount-0": "",
            "rate-0": "", "valid_until": "2099-01-01", "shipping": "", "shipping_rate": "",
            "reference": "", "note": "", **cells}  # fmt: skip


def test_from_a_new_customer_to_the_order_in_the_browser() -> None:
    ShopFactory()
    sales = signed_in("Ventes")
    page = sales.post(
        "/devis/nouveau/",
        {"verb": "new", "shop": Shop.objects.get().pk, "company": "Café du Port",
         "email": "achats@port.test", "country": "FR"},
    )  # fmt: skip
    url = page["Location"]
    page = sales.post(
        url, _form(**{"verb": "send", "label-0": "Gravure", "price-0": "1 234,50", "rate-0": "20"})
    )
    assert page["Location"] == url
    sales.post(url, {"verb": "accept"})

    order = Order.objects.get()
    assert order.total_incl_tax == D("1481.40")
    shown = sales.get(f"/admin/sales/order/{order.pk}/change/").content.decode()
    assert f'href="{url}"' in shown


def test_what_was_typed_stays_when_a_line_is_refused() -> None:
    quote = written(offered())
    page = signed_in("Ventes").post(
        f"/devis/{quote.pk}/",
        _form(**{"verb": "write", "label-0": "Gravure", "price-0": "dix", "reference": "Ici"}),
    )
    text = page.content.decode()
    assert "Ligne 1 : « dix »" in text
    assert 'value="dix"' in text
    assert 'value="Ici"' in text


def test_a_known_customer_is_found_by_name() -> None:
    ShopFactory()
    customer = professional()
    sales = signed_in("Ventes")
    assert "Café du Port" in sales.get("/devis/nouveau/?q=port").content.decode()
    sales.post("/devis/nouveau/", {"customer": customer.pk, "shop": Shop.objects.get().pk})
    assert Quote.objects.get().customer == customer


def test_who_only_looks_changes_nothing() -> None:
    quote = sent()
    accountant = signed_in("Comptable")
    assert accountant.get("/devis/").status_code == 200
    assert accountant.get(f"/documents/devis/{quote.pk}.pdf")["Content-Type"] == "application/pdf"
    assert accountant.post(f"/devis/{quote.pk}/", {"verb": "accept"}).status_code == 404
    assert accountant.get("/devis/nouveau/").status_code == 403
    assert signed_in("Achats").get("/devis/").status_code == 403
