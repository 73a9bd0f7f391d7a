"""Shopware 6: the default profile of orders, which can't be imported.

It is recognised to be refused with its reason: articles stand in one cell as quantity and
internal id ("2x 0189…|1x 0190…"), without reference or price, states and countries as internal
ids. No other profile can put an order's lines on rows.
"""

from django.utils.translation import gettext as _

from ftp_ingest.dialects.base import (
    ORDERS,
    CustomerReader,
    Dialect,
    Header,
    OrderReader,
    no_lines,
    register,
)
from ftp_ingest.dialects.readers import no_customers
from ftp_ingest.errors import FileRefused
from sphinx.core.texts import fold

_SIGNATURE = tuple(
    map(fold, ("order_number", "sales_channel_id", "amount_total", "order_state_id", "line_items"))
)


@register
class Shopware(Dialect):
    code = "shopware"
    label = "Shopware"

    def recognise(self, header: Header) -> tuple[str, int]:
        return (ORDERS, len(header.names)) if header.has(*_SIGNATURE) else ("", 0)

    def check_header(self, header: Header, kind: str) -> None:
        raise self._refusal()

    def orders(self, header: Header) -> OrderReader:
        raise self._refusal()

    def customers(self, header: Header) -> CustomerReader:
        raise no_customers(self.label)

    def _refusal(self) -> FileRefused:
        return no_lines(
            self.label,
            _(
                "le profil « Commandes par défaut » donne les articles sans référence ni prix. "
                "Utilisez un module d'export qui écrit une ligne par article, puis l'assistant "
                "(Passerelle › Assistant)"
            ),
        )
