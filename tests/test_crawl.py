"""Every page that a role can reach answers, and speaks French."""

from typing import Any

import pytest

from purchasing.models import Receipt
from sphinx.dashboard.roles import ROLES
from tests.browser.test_stock import pages, proposal, receipt  # noqa: F401 (fixtures)
from tests.support.crawling import crawl, english_in
from tests.test_stock_pages import signed_in

pytestmark = pytest.mark.django_db


# The owner sees every page; what a role doesn't see is the same on any database.
@pytest.mark.parametrize(
    "role", ["Gérant", *(pytest.param(r, marks=pytest.mark.once) for r in ROLES if r != "Gérant")]
)
def test_every_page_of_a_role_answers_and_speaks_french(
    role: str,
    receipt: Receipt,  # noqa: F811
    settings: Any,
) -> None:
    pages(receipt)
    report = settings.DATA_DIR / "x.xml"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text("<x/>")
    client = signed_in(role)
    broken, english = [], {}
    for page in crawl(client, of_a_kind=2 if role == "Gérant" else 1):
        if page.status != 200:
            broken.append(f"{page.status} {page.url}")
        for text in english_in(page.texts):
            english.setdefault(text, page.url)
    assert not broken, "\n".join(broken)
    assert english == {}
