"""From terms to XML: the CII of Factur-X 1.0, profile EN 16931 (FNFE-MPE, FeRD), and UBL 2.1."""

from typing import Any

PROFILE = "en16931"


def cii(terms: dict[str, Any]) -> bytes:
    """The document in UN/CEFACT CII, valid against its XSD; the XML of a Factur-X."""
    from facturx import generate_cii_xml  # here: importing it takes half a second

    return bytes(generate_cii_xml(terms, level=PROFILE, check_schematron=False))


def ubl(terms: dict[str, Any]) -> bytes:
    """The same document in UBL 2.1, valid against its XSD."""
    from facturx import generate_ubl_xml

    return bytes(generate_ubl_xml(terms, level=PROFILE, check_schematron=False))
