"""What every document of the firm says of itself: letterhead, language, terms of payment."""

from typing import Any

from django.utils.translation import gettext as _
from django_countries import countries

from sphinx.core.models import Company
from sphinx.core.templatetags.numbers import bare

FRENCH, ENGLISH = "fr", "en"
# Where documents are read in French; elsewhere they are written in English.
_FRENCH_SPEAKING = frozenset("FR MC BE LU CH GP MQ GF RE YT PM BL MF WF PF NC".split())


def language_for(country: str) -> str:
    """The language of documents sent to `country` (ISO 3166-1 alpha-2; blank is France)."""
    return FRENCH if (country or "FR") in _FRENCH_SPEAKING else ENGLISH


def seller_of(firm: Company) -> dict[str, Any]:
    """The firm as printed: name, legal form, capital, register, SIREN, VAT number."""
    legal = " ".join(
        part
        for part in (
            firm.legal_form,
            _("au capital de %s") % firm.share_capital if firm.share_capital else "",
        )
        if part
    )
    return {
        "name": firm.name,
        "legal": legal,
        "lines": [
            line
            for line in (
                firm.address1,
                firm.address2,
                f"{firm.postcode} {firm.city}".strip(),
                country_name(firm.country) if firm.country != "FR" else "",
            )
            if line
        ],
        "siren": firm.siren,
        "trade_register": firm.trade_register,
        "vat_number": firm.vat_number,
        "email": firm.email,
        "phone": firm.phone,
        "iban": firm.iban,
    }


def payment_sentences(firm: Company) -> list[str]:
    """Sentences between professionals, in the active language: penalties, indemnity, discount."""
    discount = firm.discount_terms
    return [
        _("Pénalités de retard : %s %% l'an, exigibles le jour suivant l'échéance.")
        % bare(firm.late_penalty_rate),
        _("Indemnité forfaitaire pour frais de recouvrement : 40 €."),
        # The firm's own words; those by default are known in English too.
        f"{_(discount) if discount else ''}.",
    ]


def country_name(code: str) -> str:
    """The country's name in the active language, the code itself when it is unknown."""
    return str(countries.name(code)) or code


def address_lines(document: Any, prefix: str) -> list[str]:
    """The lines of an address that a document keeps in fields of that prefix, as printed."""

    def part(name: str) -> str:
        return str(getattr(document, f"{prefix}_{name}"))

    country = part("country")
    lines = [
        part("company"),
        part("name"),
        part("address1"),
        part("address2"),
        f"{part('postcode')} {part('city')}".strip(),
        country_name(country) if country not in ("", "FR") else "",
    ]
    return [line for line in lines if line]
