from datetime import date
from functools import partial

import pytest
from django.db import transaction

from sphinx.core.services import BackdatedNumber, allocate_number, allocate_numbers
from tests.support.threads import together

DAY = date(2026, 3, 2)


@pytest.mark.django_db
def test_numbers_follow_each_other_and_begin_again_each_year() -> None:
    assert allocate_number(series="FA", on=DAY) == "FA2026-000001"
    assert allocate_numbers(series="FA", on=DAY, count=2) == ["FA2026-000002", "FA2026-000003"]
    assert allocate_number(series="FA", on=date(2027, 1, 1)) == "FA2027-000001"


@pytest.mark.django_db
def test_a_number_is_never_dated_before_the_last() -> None:
    allocate_number(series="FA", on=DAY)

    with pytest.raises(BackdatedNumber):
        allocate_number(series="FA", on=date(2026, 3, 1))


@pytest.mark.django_db
def test_a_rollback_gives_its_number_back() -> None:
    with transaction.atomic():
        allocate_number(series="FA", on=DAY)
        transaction.set_rollback(True)

    assert allocate_number(series="FA", on=DAY) == "FA2026-000001"


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_twenty_issuers_at_once_leave_no_gap_and_no_double() -> None:
    numbers: list[str] = []

    def issue(rank: int) -> None:
        for turn in range(5):
            with transaction.atomic():
                number = allocate_number(series="FA", on=DAY)
                if (rank + turn) % 3 == 0:
                    transaction.set_rollback(True)
                else:
                    numbers.append(number)

    assert together(partial(issue, rank) for rank in range(20)) == []

    ranks = sorted(int(number[-6:]) for number in numbers)
    assert ranks == list(range(1, len(ranks) + 1))
