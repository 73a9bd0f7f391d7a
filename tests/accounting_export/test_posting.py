from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from accounting_export.errors import NoAccount
from accounting_export.models import Account, AccountRule, JournalEntry, PaymentMeans
from accounting_export.services import export_journal, post_invoice, post_missing
from customers.drafts import AddressDraft, CustomerDraft
from inventory.models import ProductCategory
from invoicing.errors import NotBookable
from invoicing.models import Invoice
from invoicing.services import credit_invoice, issue_invoice, issue_shipped
from sales.drafts import LineDraft
from sphinx.core.services import company
from sphinx.core.territories import EU_COUNTRIES
from tests.factories import NOON, ProductFactory, line, shipped

pytestmark = pytest.mark.django_db
D = Decimal


def entry_of(invoice: Invoice) -> dict[str, tuple[str, str]]:
    """account → (debit, credit), as text."""
    entry = post_invoice(invoice_id=invoice.pk)
    assert entry is not None
    sums: dict[str, list[Decimal]] = defaultdict(lambda: [D(0), D(0)])
    for row in entry.lines.all():
        sums[row.account][0] += row.debit
        sums[row.account][1] += row.credit
    return {account: (f"{d:.2f}", f"{c:.2f}") for account, (d, c) in sums.items()}


def invoiced(number: str, *lines, **values) -> Invoice:
    return issue_invoice(delivery_note_id=shipped(number, *lines, **values).pk, at=NOON)


# The figures of these four are worked out by hand in docs/accounting.md.


def test_a_consumers_invoice_at_one_rate() -> None:
    invoice = invoiced(
        "1001", line("A", "29.90", "2"), shipping_amount=D("4.90"), discount=D("5.98")
    )

    assert entry_of(invoice) == {
        "41110000": ("58.72", "0.00"),
        "70970000": ("4.98", "0.00"),
        "70710000": ("0.00", "49.83"),
        "70851000": ("0.00", "4.08"),
        "44571100": ("0.00", "9.79"),
    }


def test_two_rates_share_the_shipping() -> None:
    invoice = invoiced(
        "1002",
        line("A", "36.00"),
        line("B", "21.10", tax_rate=D("5.5")),
        shipping_amount=D("6.90"),
    )

    assert entry_of(invoice) == {
        "41110000": ("64.00", "0.00"),
        "70710000": ("0.00", "30.00"),
        "70851000": ("0.00", "3.62"),
        "44571100": ("0.00", "6.73"),
        "70715500": ("0.00", "20.00"),
        "70851550": ("0.00", "2.42"),
        "44571300": ("0.00", "1.23"),
    }


def test_an_exempt_sale_to_a_belgian_firm() -> None:
    address = AddressDraft("An Peeters", "Brugse Handel BV", "1 Markt", "", "8000", "Brugge", "BE")
    buyer = CustomerDraft(
        ref="BE1", email="an@exemple.test", company="Brugse Handel BV", vat_number="BE0428759497"
    )

    invoice = invoiced(
        "1003",
        line("A", "450.00", tax_rate=D("0")),
        shipping_amount=D("15.00"),
        customer=buyer,
        billing=address,
        shipping=address,
    )

    assert entry_of(invoice) == {
        "41110000": ("465.00", "0.00"),
        "70720000": ("0.00", "450.00"),
        "70852000": ("0.00", "15.00"),
    }
    assert "262 ter I" in " ".join(invoice.mentions["sentences"])


def test_a_german_consumer_pays_german_vat_on_its_own_account() -> None:
    firm = company()
    firm.uses_oss = True
    firm.save()
    address = AddressDraft("Jonas Schmidt", "", "1 Str.", "", "10115", "Berlin", "DE")

    invoice = invoiced(
        "1004",
        line("A", "89.90", tax_rate=D("19")),
        shipping_amount=D("9.90"),
        billing=address,
        shipping=address,
    )

    assert entry_of(invoice) == {
        "41110000": ("99.80", "0.00"),
        "70730000": ("0.00", "75.55"),
        "70853000": ("0.00", "8.32"),
        "44572276": ("0.00", "15.93"),
    }


@pytest.mark.parametrize("country", ["XI", "GB"])
def test_northern_ireland_is_a_distance_sale_with_an_account_of_its_own(country: str) -> None:
    """Written with its own code, or as the United Kingdom with a postcode of Belfast."""
    firm = company()
    firm.uses_oss = True
    firm.save()
    address = AddressDraft("Erin Kelly", "", "1 Main St", "", "BT1 5GS", "Belfast", country)

    invoice = invoiced(
        "1004", line("A", "120.00", tax_rate=D("20")), billing=address, shipping=address
    )

    assert (invoice.tax_regime, invoice.country) == ("oss", "XI")
    assert entry_of(invoice) == {
        "41110000": ("120.00", "0.00"),
        "70730000": ("0.00", "100.00"),
        "44572826": ("0.00", "20.00"),
    }


def test_every_member_state_has_its_account() -> None:
    rules = AccountRule.objects.filter(nature="tax", regime="oss")
    assert {rule.country for rule in rules} == EU_COUNTRIES - {"FR"}


def test_a_credit_note_swaps_the_sides() -> None:
    invoice = invoiced("1", line("A", "12.00"))

    credit = credit_invoice(invoice_id=invoice.pk, amount=None, reason="Retour", at=NOON)

    assert entry_of(credit) == {
        "41110000": ("0.00", "12.00"),
        "70710000": ("10.00", "0.00"),
        "44571100": ("2.00", "0.00"),
    }


def test_an_invoice_is_booked_once() -> None:
    invoice = invoiced("1")

    assert post_invoice(invoice_id=invoice.pk) == post_invoice(invoice_id=invoice.pk)
    assert JournalEntry.objects.count() == 1


def test_the_sweep_finds_what_was_missed() -> None:
    invoiced("1")
    invoiced("2")

    # Each with what was paid for it.
    assert post_missing() == 4
    assert post_missing() == 0


def forget_account_of_reduced_rate() -> None:
    AccountRule.objects.filter(nature="tax", tax_rate=D("5.5")).delete()
    AccountRule.objects.filter(nature="tax", tax_rate=None).delete()


def test_what_has_no_account_gets_no_number_and_holds_no_other_back() -> None:
    forget_account_of_reduced_rate()
    refused = shipped("1", line("B", "10.55", tax_rate=D("5.5")))
    good = shipped("2", line("A", "12.00"))

    swept = issue_shipped(at=NOON)

    assert [invoice.delivery_note_id for invoice in swept.invoices] == [good.pk]
    assert swept.invoices[0].number.endswith("00001")
    assert [error.code for error in swept.refused] == ["invoicing.not_bookable"]
    assert "Commande 1, pas encore facturée. Aucune règle" in str(swept.refused[0])
    assert not Invoice.objects.filter(delivery_note=refused).exists()

    # Once the rule is there, the next sweep issues it, without a gap.
    AccountRule.objects.create(nature="tax", account=Account.objects.get(number="44571900"))
    assert [i.delivery_note_id for i in issue_shipped(at=NOON).invoices] == [refused.pk]


def test_discounts_booked_apart_need_their_account_too() -> None:
    AccountRule.objects.filter(nature="discount").delete()
    note = shipped("1", line("A", "12.00"), discount=D("2"))

    with pytest.raises(NotBookable, match="Remises"):
        issue_invoice(delivery_note_id=note.pk, at=NOON)

    firm = company()
    firm.books_discounts_apart = False
    firm.save()
    assert issue_invoice(delivery_note_id=note.pk, at=NOON).total_incl_tax == D("10.00")


def test_a_document_without_account_does_not_stop_the_others() -> None:
    invoiced("1", line("B", "10.55", tax_rate=D("5.5")))
    invoiced("2", line("A", "12.00"))
    forget_account_of_reduced_rate()

    with pytest.raises(NoAccount):
        post_missing()

    assert JournalEntry.objects.get(journal__code="VE").invoice.order_number == "2"


def test_an_export_goes_on_without_what_has_no_account_and_says_so(tmp_path: Path) -> None:
    left = invoiced("1", line("B", "10.55", tax_rate=D("5.5")))
    invoiced("2", line("A", "12.00"))
    forget_account_of_reduced_rate()
    period = {"date_from": left.issued_on, "date_to": left.issued_on, "format_code": "csv"}

    batch = export_journal(**period)

    assert (batch.entry_count, batch.debit) == (1, D("12.00"))
    assert [row["piece"] for row in batch.left_out] == [left.number]
    assert "Aucune règle de compte" in batch.left_out[0]["reason"]

    # Once the rule is there, the same period has all of it.
    AccountRule.objects.create(nature="tax", account=Account.objects.get(number="44571900"))
    whole = export_journal(**period)
    assert (whole.entry_count, whole.debit, whole.left_out) == (2, D("22.55"), [])


def test_the_command_says_what_was_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    left = invoiced("1")
    AccountRule.objects.filter(nature="tax").delete()
    day = f"{left.issued_on:%Y-%m-%d}"
    target = Path(settings.DATA_DIR, "journal.csv")

    with pytest.raises(SystemExit) as end:
        call_command(
            "export_journal", "--from", day, "--to", day, "--format=csv", f"--output={target}"
        )

    assert end.value.code == 1
    assert f"Laissé de côté : {left.number}." in capsys.readouterr().out
    assert target.exists()


def test_a_payment_without_account_holds_no_other_back() -> None:
    first, second = invoiced("1"), invoiced("2", payment_method="Stripe")
    PaymentMeans.objects.exclude(name="Stripe").delete()

    with pytest.raises(NoAccount):
        post_missing()

    paid = JournalEntry.objects.exclude(journal__code="VE")
    assert [entry.payment.invoice_id for entry in paid] == [second.pk]
    assert JournalEntry.objects.filter(invoice=first).exists()


def test_the_most_specific_rule_wins() -> None:
    invoice = invoiced("1", line("A", "12.00"))
    special = Account.objects.create(number="70790000", label="Ventes de cette boutique")
    AccountRule.objects.create(nature="goods", shop=invoice.shop, account=special)

    assert "70790000" in entry_of(invoice)


def test_professionals_have_their_own_auxiliary_and_consumers_share_one() -> None:
    buyer = CustomerDraft(ref="P1", email="p@exemple.test", company="Brasserie SARL")
    for invoice in (invoiced("1", customer=buyer), invoiced("2")):
        post_invoice(invoice_id=invoice.pk)

    professional, consumer = (
        entry.lines.get(position=1) for entry in JournalEntry.objects.order_by("pk")
    )
    assert professional.auxiliary.startswith("C0")
    assert consumer.auxiliary == "CDIVERS"


def test_the_database_refuses_to_change_an_entry() -> None:
    post_invoice(invoice_id=invoiced("1").pk)

    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE accounting_export_journalline SET credit = 1, debit = 0")


def test_a_tip_a_gift_card_duties_and_a_fee_have_accounts_of_their_own() -> None:
    invoice = invoiced(
        "1001",
        line("A", "12.00"),
        LineDraft("", "Pourboire", D(1), D("2.00"), D("0.00"), kind="tip"),
        LineDraft("", "Carte cadeau", D(1), D("50.00"), D("0.00"), kind="gift_card"),
        LineDraft("", "Droits", D(1), D("3.00"), D("0.00"), kind="duties"),
        LineDraft("", "Emballage", D(1), D("6.00"), D("20.00"), kind="fee"),
    )

    entry = entry_of(invoice)

    assert entry["75800000"] == ("0.00", "2.00")
    assert entry["41910000"] == ("0.00", "50.00")
    assert entry["70859000"] == ("0.00", "3.00")
    assert entry["70858000"] == ("0.00", "5.00")
    assert entry["70710000"] == ("0.00", "10.00")


def test_sales_are_booked_net_of_discount_where_the_firm_wants_it() -> None:
    firm = company()
    firm.books_discounts_apart = False
    firm.save()
    invoice = invoiced(
        "1001", line("A", "29.90", "2"), shipping_amount=D("4.90"), discount=D("5.98")
    )
    assert entry_of(invoice) == {
        "41110000": ("58.72", "0.00"),
        "70710000": ("0.00", "44.85"),
        "70851000": ("0.00", "4.08"),
        "44571100": ("0.00", "9.79"),
    }


@pytest.mark.parametrize(
    ("analytics", "sections"),
    [("", {""}), ("shop", {"essai"}), ("category", {"Bougies", "Livres", ""})],
)
def test_sections_are_of_the_shop_or_of_the_goods(analytics: str, sections: set[str]) -> None:
    firm = company()
    firm.analytics = analytics
    firm.save()
    for sku, name in (("A", "Bougies"), ("B", "Livres")):
        category = ProductCategory.objects.create(name=name)
        ProductFactory(sku=sku, category=category, on_hand=10)
    invoice = invoiced("1", line("A", "12.00"), line("B", "12.00"), shipping_amount=D("6.00"))
    entry = post_invoice(invoice_id=invoice.pk)
    assert entry is not None

    sales = entry.lines.filter(account__startswith="70")
    assert {row.section for row in sales} == sections
    assert sum(row.credit for row in sales) == D("25.00")
    # VAT and customers belong to no section.
    assert not entry.lines.exclude(account__startswith="70").exclude(section="").exists()
