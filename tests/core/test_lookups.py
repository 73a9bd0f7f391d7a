"""`any_of`: `in` for thousands of keys, as one array on PostgreSQL."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inventory.models import BundleComponent, Product
from sphinx.core.models import Shop

pytestmark = pytest.mark.django_db


def _shops(*codes: str) -> None:
    Shop.objects.bulk_create(Shop(code=code, name=code) for code in codes)


def test_finds_what_in_finds():
    _shops("a", "b'; --", 'c"{},')
    wanted = {"b'; --", 'c"{},', "z"}
    found = Shop.objects.filter(code__any_of=wanted)
    assert set(found) == set(Shop.objects.filter(code__in=wanted))
    assert found.count() == 2


def test_excludes_and_combines():
    _shops("a", "b", "c")
    rest = Shop.objects.filter(code__any_of={"a", "b"}).exclude(code__any_of={"a"})
    assert [shop.code for shop in rest] == ["b"]


def test_keys_of_numbers_and_of_relations():
    lamp, shade = (
        Product.objects.create(sku=sku, sku_key=sku, label=sku) for sku in ("LAMP", "SHADE")
    )
    part = BundleComponent.objects.create(bundle=lamp, component=shade, quantity=1)
    assert list(BundleComponent.objects.filter(bundle__pk__any_of={lamp.pk})) == [part]
    assert list(Product.objects.filter(pk__any_of={shade.pk, 0})) == [shade]


def test_no_keys_ask_nothing():
    with CaptureQueriesContext(connection) as asked:
        assert list(Shop.objects.filter(code__any_of=set())) == []
    assert not asked.captured_queries


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite knows no arrays")
def test_thousands_are_one_parameter():
    wanted = Shop.objects.filter(code__any_of={str(n) for n in range(5000)})
    sql, parameters = wanted.query.sql_with_params()
    assert "= ANY(%s)" in sql
    assert len(parameters) == 1
