"""Valid rows by default, one factory a master; documents are made by the services themselves."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import factory

from customers.drafts import AddressDraft, CustomerDraft
from customers.models import Customer
from customers.services import Source
from ftp_ingest.models import Feed
from inventory.models import Product, ReorderRule
from inventory.services import default_warehouse, open_stock
from sales.drafts import LineDraft, OrderDraft
from sales.models import DeliveryNote, Order
from sales.services import OrderResult, prepare_delivery, ship_delivery_note, upsert_orders
from sphinx.core.models import Shop
from sphinx.core.texts import sku_key
from suppliers.models import Supplier, SupplierPrice, SupplierProduct

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SOURCE = Source("orders.csv", "f" * 64)
PARIS_ADDRESS = AddressDraft("Léa Martin", "", "1 rue du Port", "", "75011", "Paris", "FR")


class ShopFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Shop
        django_get_or_create = ["code"]

    code = "essai"
    name = "Boutique d'essai"


class ProductFactory(factory.django.DjangoModelFactory):
    """`on_hand` opens its stock (pieces)."""

    class Meta:
        model = Product
        skip_postgeneration_save = True

    sku = factory.Sequence(lambda n: f"SKU-{n:04d}")
    sku_key = factory.LazyAttribute(lambda product: sku_key(product.sku))
    label = factory.LazyAttribute(lambda product: f"Article {product.sku}")
    tax_rate = Decimal("20.00")
    unit_cost = Decimal("4.000000")

    @factory.post_generation
    def on_hand(self: Any, create: bool, extracted: Any, **_: Any) -> None:
        if extracted:
            open_stock(
                opening={self.pk: (Decimal(extracted), self.unit_cost)},
                warehouse=default_warehouse(),
                at=NOON,
            )


class CustomerFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Customer

    code = factory.Sequence(lambda n: f"C{n + 900000:06d}")
    first_name = "Léa"
    last_name = "Martin"
    email = factory.LazyAttribute(lambda customer: f"{customer.code.lower()}@exemple.test")
    created_at = NOON


class SupplierFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Supplier

    code = factory.Sequence(lambda n: f"F{n + 90000:05d}")
    name = factory.LazyAttribute(lambda supplier: f"Fournisseur {supplier.code}")


class SupplierProductFactory(factory.django.DjangoModelFactory):
    """`price` is the purchase price from one piece on (EUR excl. tax)."""

    class Meta:
        model = SupplierProduct
        skip_postgeneration_save = True

    supplier = factory.SubFactory(SupplierFactory)
    product = factory.SubFactory(ProductFactory)

    @factory.post_generation
    def price(self: Any, create: bool, extracted: Any, **_: Any) -> None:
        SupplierPrice.objects.create(item=self, unit_price_excl_tax=Decimal(extracted or "3.00"))


class ReorderRuleFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = ReorderRule

    product = factory.SubFactory(ProductFactory)
    warehouse = factory.LazyFunction(default_warehouse)
    minimum = Decimal(5)
    maximum = Decimal(20)


class FeedFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Feed

    code = factory.Sequence(lambda n: f"flux-{n}")
    shop = factory.SubFactory(ShopFactory)
    protocol = Feed.Protocol.FOLDER


def line(sku: str, price: str = "10.00", quantity: str = "1", **values: Any) -> LineDraft:
    """A line of an order, 20 % VAT unless said otherwise."""
    values.setdefault("tax_rate", Decimal("20.00"))
    values.setdefault("label", f"Article {sku}")
    return LineDraft(sku=sku, quantity=Decimal(quantity), unit_price=Decimal(price), **values)


def draft(number: str = "1001", *lines: LineDraft, **values: Any) -> OrderDraft:
    """A paid order that adds up, of one piece of SKU-A unless said otherwise."""
    lines = lines or (line("SKU-A"),)
    shipping = values.get("shipping_amount", Decimal(0))
    discount = values.get("discount", Decimal(0))
    total = sum((d.quantity * d.unit_price - d.discount for d in lines), shipping - discount)
    values.setdefault("customer", CustomerDraft(ref="C1", email="lea@exemple.test"))
    values.setdefault("total_incl_tax", total)
    return OrderDraft(
        **{
            "external_id": number,
            "number": number,
            "placed_at": NOON,
            "state": "confirmed",
            "payment_status": "paid",
            "lines": lines,
            "billing": PARIS_ADDRESS,
            "shipping": PARIS_ADDRESS,
            "line": 2,
            **values,
        }
    )


def put(*drafts: OrderDraft, at: datetime = NOON) -> OrderResult:
    """Bring orders in by the one door there is."""
    return upsert_orders(shop=ShopFactory(), drafts=drafts, source=SOURCE, at=at)


def placed(number: str = "1001", *lines: LineDraft, **values: Any) -> Order:
    """An order in the books."""
    result = put(draft(number, *lines, **values))
    assert not result.rejections, result.rejections
    return Order.objects.get(number=number)


def shipped(number: str = "1001", *lines: LineDraft, **values: Any) -> DeliveryNote:
    """A shipped delivery note of an order for which there is stock."""
    lines = lines or (line("SKU-A"),)
    for item in lines:
        if item.sku and not Product.objects.filter(sku_key=sku_key(item.sku)).exists():
            ProductFactory(sku=item.sku, on_hand=1000)
    order = placed(number, *lines, **values)
    note = prepare_delivery(order_id=order.pk, at=NOON)
    assert note is not None
    return ship_delivery_note(note_id=note.pk, at=NOON)
