"""A shop's own dialects: saved by version, the last one in force."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from ftp_ingest.dialects.mapped import Definition, MappedDialect
from ftp_ingest.models import ShopDialect
from sphinx.core.models import Shop
from sphinx.core.services import record

OWN = "boutique"


def own_dialects(shop: Shop) -> list[MappedDialect]:
    """The dialects in force of a shop, one a kind of file at most."""
    kept = ShopDialect.objects.select_related("shop").filter(shop=shop, is_current=True)
    return [as_dialect(dialect) for dialect in kept]


def as_dialect(kept: ShopDialect) -> MappedDialect:
    """The reader of a saved definition."""
    code = f"{OWN}-v{kept.version}"
    return MappedDialect(code, str(kept), Definition(kept.definition), kept.shop.name)


@transaction.atomic
def save_mapping(
    *, shop: Shop, data: Mapping[str, Any], at: datetime, actor: Any = None
) -> ShopDialect:
    """Make `data` the shop's dialect for its kind of file; the same again makes no version.

    Raises:
        InputError: the definition lacks something, names what isn't ours or a column twice.
    """
    definition = Definition(data)
    definition.check_choices()
    # The shop's row is the lock: two who save at once make two versions.
    Shop.objects.select_for_update(no_key=True).get(pk=shop.pk)
    kept = ShopDialect.objects.filter(shop=shop, kind=definition.kind)
    current = kept.filter(is_current=True).first()
    if current is not None and current.definition == definition.as_json():
        return current
    version = (kept.order_by("-version").values_list("version", flat=True).first() or 0) + 1
    kept.filter(is_current=True).update(is_current=False)
    saved = ShopDialect.objects.create(
        shop=shop,
        kind=definition.kind,
        version=version,
        definition=definition.as_json(),
        created_at=at,
        created_by=actor,
    )
    record("dialect.saved", [saved], actor=actor, shop=shop.code, version=version)
    return saved


@transaction.atomic
def bring_back(*, dialect_id: int, at: datetime, actor: Any = None) -> ShopDialect:
    """Put an earlier version in force again, as a new one."""
    earlier = ShopDialect.objects.select_related("shop").get(pk=dialect_id)
    return save_mapping(shop=earlier.shop, data=earlier.definition, at=at, actor=actor)
