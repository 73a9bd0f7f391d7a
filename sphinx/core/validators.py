"""Numbers that identify firms, checked by their check digits (python-stdnum)."""

import re
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django_countries import countries
from stdnum import bic, ean, iban
from stdnum.eu import vat
from stdnum.fr import siren, siret

# Characters kept of a number that doesn't check.
STATED_LENGTH = 60


def validate_siren(value: str) -> None:
    """Raises ValidationError unless `value` is a SIREN (9 digits, Luhn)."""
    if not siren.is_valid(value):
        raise ValidationError(_("Ce n'est pas un SIREN valide (9 chiffres)."))


def validate_siret(value: str) -> None:
    """Raises ValidationError unless `value` is a SIRET (14 digits)."""
    if not siret.is_valid(value):
        raise ValidationError(_("Ce n'est pas un SIRET valide (14 chiffres)."))


def validate_vat_number(value: str) -> None:
    """Raises ValidationError unless `value` has the form of a VAT number of the Union."""
    if not vat.is_valid(value):
        raise ValidationError(_("Ce n'est pas un numéro de TVA valide (ex. FR83404833048)."))


def validate_barcode(value: str) -> None:
    """Raises ValidationError unless `value` is an EAN-8, EAN-13 or UPC."""
    if not ean.is_valid(value):
        raise ValidationError(_("Ce n'est pas un code-barres EAN valide."))


def is_siren(value: str) -> bool:
    """True for 9 digits with the right check digit."""
    return bool(value) and siren.is_valid(value)


def is_siret(value: str) -> bool:
    """True for 14 digits with the right check digits."""
    return bool(value) and siret.is_valid(value)


def is_vat_number(value: str) -> bool:
    """True when `value` has the form and check digits of a VAT number of the Union."""
    return bool(value) and vat.is_valid(value)


def compact_vat_number(value: str) -> str:
    """The number without spaces, dots and dashes, upper case."""
    return "".join(c for c in value.upper() if c.isalnum())


def unproven_vat_number(value: str) -> str:
    """What somebody wrote as a VAT number of the Union and is none, as written; else blank."""
    return "" if is_vat_number(compact_vat_number(value)) else value.strip()[:STATED_LENGTH]


def is_currency(value: str) -> bool:
    """True when `value` has the form of an ISO 4217 code, in capitals."""
    return re.fullmatch(r"[A-Z]{3}", value) is not None


def validate_currency(value: str) -> None:
    """Raises ValidationError unless `value` has the form of an ISO 4217 code, in capitals."""
    if not is_currency(value):
        raise ValidationError(_("Ce n'est pas un code de devise : trois capitales, par ex. USD."))


# Of migrations before suppliers had another currency.
validate_euro = validate_currency


def validate_country(value: str) -> None:
    """Raises ValidationError unless `value` is a country's code of ISO 3166-1, in capitals."""
    if value not in countries:
        raise ValidationError(_("Ce n'est pas un code de pays : deux capitales, par ex. FR."))


_CUSTOMS_CODE = re.compile(r"[0-9]{8}")


def validate_customs_code(value: str) -> None:
    """Raises ValidationError unless `value` is eight digits (combined nomenclature)."""
    if not _CUSTOMS_CODE.fullmatch(value):
        raise ValidationError(_("Un code douanier a huit chiffres, par ex. 34060000."))


def validate_days(value: str) -> None:
    """Raises ValidationError unless `value` is three rising numbers of days, as in 7,21,45."""
    parts = [part.strip() for part in value.split(",")]
    days = [int(part) for part in parts if part.isdigit()]
    if len(parts) != 3 or len(days) != 3 or days != sorted(set(days)):  # noqa: PLR2004
        raise ValidationError(_("Donnez trois nombres croissants, par exemple 7,21,45."))


_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


def validate_colour(value: str) -> None:
    """Raises ValidationError unless `value` is a colour as #rrggbb."""
    if not _COLOUR.fullmatch(value):
        raise ValidationError(_("Donnez une couleur comme #0e3a5c."))


MAX_UPLOAD = 20 * 1024 * 1024


def validate_upload_size(file: Any) -> None:
    """Raises ValidationError when a file brought by hand is over 20 MB."""
    if file.size > MAX_UPLOAD:
        raise ValidationError(_("Ce fichier dépasse 20 Mo."))


def validate_iban(value: str) -> None:
    """Raises ValidationError unless `value` is an IBAN."""
    if not iban.is_valid(value):
        raise ValidationError(_("Ce n'est pas un IBAN valide : relisez-le sur le RIB."))


def validate_bic(value: str) -> None:
    """Raises ValidationError unless `value` has the form of a BIC."""
    if not bic.is_valid(value):
        raise ValidationError(_("Ce n'est pas un BIC valide (8 ou 11 caractères)."))
