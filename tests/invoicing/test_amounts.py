from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from invoicing.amounts import Part, net_parts, taxes_by_rate
from sphinx.core.money import portion, tax_included

D = Decimal
cents = st.decimals(min_value=0, max_value=5000, places=2)
rates = st.sampled_from([D("20"), D("10"), D("5.5"), D("2.1"), D("0")])


@given(total=cents, pieces=st.lists(st.integers(1, 9), min_size=1, max_size=6))
def test_portions_of_all_deliveries_make_the_lines_total(total: Decimal, pieces: list[int]) -> None:
    ordered, done, sums = D(sum(pieces)), D(0), D(0)
    for piece in pieces:
        sums += portion(total, done, D(piece), ordered)
        done += piece

    assert sums == total


@given(grosses=st.lists(cents, min_size=1, max_size=6), rate=rates, off=st.integers(-1, 1))
def test_vat_of_all_invoices_makes_the_orders_own(
    grosses: list[Decimal], rate: Decimal, off: int
) -> None:
    whole = sum(grosses, D(0))
    # The shop's own VAT, a cent off at most.
    whole_tax = max(tax_included(whole, rate) + D(off) / 100, D(0))
    before = tax_before = D(0)
    for gross in grosses:
        amounts = taxes_by_rate(
            [Part(rate, gross, D(0))],
            invoiced={rate: (before, tax_before)},
            ordered={rate: (whole, whole_tax)},
        )[rate]
        assert amounts.base + amounts.tax == amounts.total == gross
        before, tax_before = before + amounts.total, tax_before + amounts.tax

    assert (before, tax_before) == (whole, whole_tax)


@given(
    items=st.lists(
        st.tuples(cents, st.integers(0, 100), rates),
        min_size=1,
        max_size=8,
    )
)
def test_nets_of_lines_make_the_base_of_each_rate(
    items: list[tuple[Decimal, int, Decimal]],
) -> None:
    parts = [Part(r, a, (a * off / 100).quantize(D("0.01"))) for a, off, r in items]

    taxes = taxes_by_rate(parts, invoiced={}, ordered={})

    nets = net_parts(parts, taxes)
    for rate, amounts in taxes.items():
        of_rate = [n for n, p in zip(nets, parts, strict=True) if p.rate == rate]
        assert sum(n.amount - n.discount for n in of_rate) == amounts.base
    assert sum(t.total for t in taxes.values()) == sum(p.total for p in parts)
