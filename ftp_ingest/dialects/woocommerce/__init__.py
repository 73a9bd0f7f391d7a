"""WooCommerce: what its three usual export modules write, and its customers.

The core exports no orders with lines. Names and cells were checked against the sources of the
modules: WebToffee's Order Export & Order Import (one row an order, or one an item), SkyVerge's
Customer/Order/Coupon Export (the same two), AlgolPlus' Advanced Order Export (labels). See
docs/guide/fr/shops/woocommerce.md.
"""

from django.utils.translation import gettext as _

from ftp_ingest.dialects.base import (
    CUSTOMERS,
    ORDERS,
    CustomerReader,
    Dialect,
    Header,
    OrderReader,
    StockFormat,
    no_lines,
    register,
    require,
)
from ftp_ingest.dialects.woocommerce import customers, labels, orders, shipments
from sphinx.core.texts import fold

# WooCommerce's own report: one row an order, articles as a sentence.
_REPORTS = (
    frozenset(map(fold, ("Order #", "N. Revenue", "Net Sales", "Items sold", "Product(s)"))),
    frozenset(map(fold, ("Commande n°", "Ventes nettes", "Articles vendus", "Produit(s)"))),
)
_ENOUGH_REPORT_COLUMNS = 3


@register
class WooCommerce(Dialect):
    code = "woocommerce"
    label = "WooCommerce"
    stock_format = StockFormat(",", "SKU", "Stock", "In stock?")
    shipment_format = shipments.FORMAT

    def recognise(self, header: Header) -> tuple[str, int]:
        if orders.is_ours(header):
            return ORDERS, header.count(orders.NAMES)
        if labels.is_ours(header):
            return ORDERS, header.count(labels.NAMES)
        if any(header.count(report) >= _ENOUGH_REPORT_COLUMNS for report in _REPORTS):
            return ORDERS, _ENOUGH_REPORT_COLUMNS
        return (CUSTOMERS, strength) if (strength := customers.strength(header)) else ("", 0)

    def check_header(self, header: Header, kind: str) -> None:
        if kind != ORDERS:
            return
        if any(header.count(report) >= _ENOUGH_REPORT_COLUMNS for report in _REPORTS):
            raise no_lines(
                self.label,
                _(
                    "le rapport « Analyses › Commandes » ne détaille pas les articles. Utilisez un "
                    "module d'export de commandes (WebToffee, AlgolPlus ou SkyVerge)"
                ),
            )
        if labels.is_ours(header):
            labels.check(header, self.label)
            return
        if not orders.has_lines(header):
            raise no_lines(
                self.label,
                _("dans le module d'export, ne cochez pas « exclure les articles de commande »"),
            )
        require(header, self.label, ("order_date",), ("order_total",))

    def orders(self, header: Header) -> OrderReader:
        if labels.is_ours(header):
            return labels.LabelledOrders(header)
        return orders.Orders(header)

    def customers(self, header: Header) -> CustomerReader:
        return customers.Customers(header)
