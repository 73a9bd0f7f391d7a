"""The analytical section of an amount: its shop, or the category of the goods, as the firm set."""

from collections.abc import Sequence

from inventory.models import Product
from invoicing.models import Invoice, InvoiceLine
from sphinx.core.services import company

SHOP, CATEGORY = "shop", "category"
_LENGTH = 30


class Sections:
    """The sections of some documents, read once; blank where the firm wants none."""

    def __init__(self, invoices: Sequence[Invoice]) -> None:
        self.firm = company()
        self._categories: dict[str, str] = {}
        if self.firm.analytics == CATEGORY:
            lines = InvoiceLine.objects.filter(invoice__in=invoices).exclude(sku="")
            # Credit notes name no delivery line: the same reference has the same category.
            self._categories = dict(
                Product.objects.filter(
                    sku__in=lines.values("sku"), category__isnull=False
                ).values_list("sku", "category__name")
            )

    def of_line(self, invoice: Invoice, line: InvoiceLine) -> str:
        """The section of a line; shipping and fees have none by category."""
        if self.firm.analytics == SHOP:
            return str(invoice.shop.code)[:_LENGTH]
        return self._categories.get(line.sku, "")[:_LENGTH]
