"""What is sold and where it lies: products, warehouses, the ledger of moves, reservations."""

from inventory.models.bins import Bin, BinStock
from inventory.models.documents import (
    ReorderRule,
    StockCount,
    StockCountLine,
    StockTransfer,
    StockTransferLine,
)
from inventory.models.pictures import ProductPicture
from inventory.models.products import (
    BundleComponent,
    Lot,
    Product,
    ProductAlias,
    ProductCategory,
    ShopArticle,
)
from inventory.models.stock import (
    WORTH,
    DirectDelivery,
    DirectDemand,
    LotPosition,
    Reservation,
    StockMove,
    StockPosition,
    Warehouse,
)
from inventory.models.styles import MOST_OPTIONS, Style

__all__ = [
    "MOST_OPTIONS",
    "WORTH",
    "Bin",
    "BinStock",
    "BundleComponent",
    "DirectDelivery",
    "DirectDemand",
    "Lot",
    "LotPosition",
    "Product",
    "ProductAlias",
    "ProductCategory",
    "ProductPicture",
    "ReorderRule",
    "Reservation",
    "ShopArticle",
    "StockCount",
    "StockCountLine",
    "StockMove",
    "StockPosition",
    "StockTransfer",
    "StockTransferLine",
    "Style",
    "Warehouse",
]
