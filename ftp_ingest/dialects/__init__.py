"""How each kind of shop writes its files: one module a dialect, found by its header.

The core loops over the registry and never names one. A new dialect is a module here, a folder
of fixtures in tests/data, a page in docs/gateway.
"""

from ftp_ingest.dialects import (
    magento,
    pivot,
    prestashop,
    shopify,
    squarespace,
    wix,
    woocommerce,
)
from ftp_ingest.dialects.base import Dialect, Header, dialects, find_dialect

__all__ = [
    "Dialect",
    "Header",
    "dialects",
    "find_dialect",
    "magento",
    "pivot",
    "prestashop",
    "shopify",
    "squarespace",
    "wix",
    "woocommerce",
]
