"""Issued documents as structured data: Factur-X (EN 16931 in a PDF/A-3) and UBL."""

from invoicing.einvoices.checks import faults_of
from invoicing.einvoices.documents import cii, ubl
from invoicing.einvoices.terms import can_be_structured, terms_of

__all__ = ["can_be_structured", "cii", "faults_of", "terms_of", "ubl"]
