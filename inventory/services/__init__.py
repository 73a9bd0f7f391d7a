"""Writes to stock: reservations, moves, counts, transfers. Each is set-based and twice-safe.

The position of a product is always the sum of its moves and of its reservations; while stock
is available nobody waits for it. Locks: positions by product, then documents.
"""

from inventory.services.adjustments import adjust_stock, correct_stock, moves_of, write_off
from inventory.services.bundles import set_components
from inventory.services.counts import (
    cancel_count,
    open_count,
    post_count,
    record_counted,
)
from inventory.services.direct import (
    forget_direct_deliveries,
    open_direct_deliveries,
    pass_through,
    readdress_direct_deliveries,
)
from inventory.services.expired import expire_lots
from inventory.services.ledger import (
    Issue,
    Issued,
    expect_incoming,
    issue_stock,
    open_stock,
    receive_stock,
    take_stock,
)
from inventory.services.pictures import remove_picture, set_picture
from inventory.services.products import (
    ProductFacts,
    allow_negative_stock,
    classify_products,
    ensure_products,
    known_skus,
    map_sku,
    product_rates,
    set_category_rates,
    set_tax_rate,
    set_tax_rates,
)
from inventory.services.reservations import (
    Demand,
    Reserved,
    Resize,
    change_reservations,
    places_asked,
    prioritise,
    resize_reservations,
)
from inventory.services.returns import Returned, lock_places_of_return, return_stock
from inventory.services.revaluations import revalue_stock, take_back_revaluation
from inventory.services.shop_articles import ShopArticles, articles_of_shop, merge_articles
from inventory.services.styles import (
    MOST_ARTICLES,
    StyleDraft,
    change_style,
    make_styles,
    undo_style,
)
from inventory.services.transfers import (
    Proposed,
    cancel_transfer,
    create_transfer,
    propose_transfers,
    receive_transfer,
    send_transfer,
)
from inventory.services.walk import Placed, put_away, set_walk
from inventory.services.warehouses import default_warehouse, direct_warehouse, warehouse_of
from inventory.services.writer import Entry, Taking

__all__ = [
    "MOST_ARTICLES",
    "Demand",
    "Entry",
    "Issue",
    "Issued",
    "Placed",
    "ProductFacts",
    "Proposed",
    "Reserved",
    "Resize",
    "Returned",
    "ShopArticles",
    "StyleDraft",
    "Taking",
    "adjust_stock",
    "allow_negative_stock",
    "articles_of_shop",
    "cancel_count",
    "cancel_transfer",
    "change_reservations",
    "change_style",
    "classify_products",
    "correct_stock",
    "create_transfer",
    "default_warehouse",
    "direct_warehouse",
    "ensure_products",
    "expect_incoming",
    "expire_lots",
    "forget_direct_deliveries",
    "issue_stock",
    "known_skus",
    "lock_places_of_return",
    "make_styles",
    "map_sku",
    "merge_articles",
    "moves_of",
    "open_count",
    "open_direct_deliveries",
    "open_stock",
    "pass_through",
    "places_asked",
    "post_count",
    "prioritise",
    "product_rates",
    "propose_transfers",
    "put_away",
    "readdress_direct_deliveries",
    "receive_stock",
    "receive_transfer",
    "record_counted",
    "remove_picture",
    "resize_reservations",
    "return_stock",
    "revalue_stock",
    "send_transfer",
    "set_category_rates",
    "set_components",
    "set_picture",
    "set_tax_rate",
    "set_tax_rates",
    "set_walk",
    "take_back_revaluation",
    "take_stock",
    "undo_style",
    "warehouse_of",
    "write_off",
]
