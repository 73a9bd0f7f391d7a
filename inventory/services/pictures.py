"""Pictures of articles."""

import hashlib
from typing import Any

from django.db import transaction

from inventory.models import Product, ProductPicture
from sphinx.core.services import record


@transaction.atomic
def set_picture(*, product_id: int, data: bytes, actor: Any = None) -> ProductPicture:
    """Give an article its picture (a JPEG of `bounded_jpeg`) in place of the one before."""
    product = Product.objects.select_for_update(of=("self",), no_key=True).get(pk=product_id)
    digest = hashlib.sha256(data).hexdigest()
    picture, _is_new = ProductPicture.objects.update_or_create(
        product=product, defaults={"data": data, "sha256": digest}
    )
    record("product.pictured", [product], actor=actor, sha256=digest)
    return picture


@transaction.atomic
def remove_picture(*, product_id: int, actor: Any = None) -> None:
    """Take an article's picture away; without one nothing happens."""
    product = Product.objects.select_for_update(of=("self",), no_key=True).get(pk=product_id)
    if ProductPicture.objects.filter(product=product).delete()[0]:
        record("product.pictured", [product], actor=actor, sha256="")
