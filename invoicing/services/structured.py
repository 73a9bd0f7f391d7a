"""Issued documents as e-invoices: checked before their number is final, given on request."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from invoicing.einvoices import can_be_structured, cii, faults_of, terms_of, ubl
from invoicing.errors import StructureRefused
from invoicing.models import Invoice, InvoiceLine, TaxBreakdown
from sphinx.core.services import company
from sphinx.core.vat import TaxRegime

# Of many broken rules the first ones say enough.
_SHOWN = 3


def check_structured(
    invoices: Sequence[Invoice],
    lines: Mapping[int, Sequence[InvoiceLine]],
    taxes: Mapping[int, Sequence[TaxBreakdown]],
) -> None:
    """Check professionals' documents, inside the transaction that numbers them.

    A firm without a SIREN issues no e-invoice yet: nothing is checked.

    Raises:
        StructureRefused: one breaks a rule of EN 16931 or of the French controls.
    """
    for n, invoice in enumerate(invoices):
        if not invoice.is_business or not can_be_structured(invoice):
            continue
        faults = _faults(invoice, terms_of(invoice, lines[n], taxes[n]))
        if faults:
            raise StructureRefused(
                _(
                    "Commande %(order)s : la facture électronique ne serait pas valide, rien "
                    "n'est émis. %(faults)s"
                )
                % {"order": invoice.order_number, "faults": " ".join(faults[:_SHOWN])},
                order=invoice.order_number,
            )


def _faults(invoice: Invoice, terms: dict[str, Any]) -> list[str]:
    try:
        xml = cii(terms)
    except ValueError as error:
        return [str(error)]
    return faults_of(xml, french=is_french(invoice))


def is_french(invoice: Invoice) -> bool:
    """Whether the rules of the French controls apply: not to a sale at another state's rate."""
    return invoice.tax_regime != TaxRegime.OSS


def is_structured(invoice: Invoice) -> bool:
    """Whether the document's PDF carries its XML: a professional's always, a consumer's unless
    the firm switched it off; never when what was frozen doesn't suffice."""
    wanted = invoice.is_business or company().structures_consumer_invoices
    return wanted and can_be_structured(invoice)


def structured_xml(invoice: Invoice, *, syntax: str = "cii") -> bytes:
    """The document in CII, the XML of its Factur-X, or in UBL.

    Raises:
        StructureRefused: what was frozen at issue doesn't suffice.
    """
    if not can_be_structured(invoice):
        raise StructureRefused(
            _("%s a été émise sans SIREN du vendeur : elle n'a pas de forme structurée.") % invoice
        )
    terms = terms_of(invoice, list(invoice.lines.all()), list(invoice.taxes.all()))
    return ubl(terms) if syntax == "ubl" else cii(terms)
