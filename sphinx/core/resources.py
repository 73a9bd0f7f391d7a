"""Master files by hand: CSV as spreadsheets here write it, workbooks, and what cells may say.

Built on django-import-export: its preview, its errors a row, its history.
"""

import csv
import io
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import tablib
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import translation
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from import_export import resources, widgets
from import_export.formats import base_formats

from sphinx.core import cells
from sphinx.core.errors import InputError
from sphinx.core.texts import fold, safe_cell

_YES, _NO = {"oui", "o", "vrai", "1", "x", "true", "yes"}, {"non", "n", "faux", "0", "false", "no"}
_SEPARATORS = ";,\t|"


class FrenchCsv(base_formats.CSV):
    """CSV with whatever separator and encoding it comes in; written with semicolons and commas."""

    def is_binary(self) -> bool:
        return True

    def get_read_mode(self) -> str:
        return "rb"

    def create_dataset(self, in_stream: Any, **kwargs: Any) -> tablib.Dataset:
        """Rows of another width than the header are noted in `crooked`, for the preview to say."""
        text = _decoded(in_stream) if isinstance(in_stream, bytes) else in_stream
        header = text.partition("\n")[0]
        separator = max(_SEPARATORS, key=header.count)
        rows = [row for row in csv.reader(io.StringIO(text), delimiter=separator) if any(row)]
        dataset = tablib.Dataset(headers=rows[0] if rows else [])
        dataset.crooked = None
        for number, row in enumerate(rows[1:], start=2):
            if len(row) == len(rows[0]):
                dataset.append(row)
            elif dataset.crooked is None:
                dataset.crooked = (number, len(row), len(rows[0]))
        return dataset

    def export_data(self, dataset: tablib.Dataset, **kwargs: Any) -> bytes:
        stream = io.StringIO()
        writer = csv.writer(stream, delimiter=";", lineterminator="\r\n")
        writer.writerow(dataset.headers)
        writer.writerows([_shown(cell) for cell in row] for row in dataset)
        return stream.getvalue().encode("utf-8-sig")


class SafeXlsx(base_formats.XLSX):
    """A workbook whose texts can't be formulas and whose numbers are numbers."""

    def export_data(self, dataset: tablib.Dataset, **kwargs: Any) -> Any:
        safe = tablib.Dataset(headers=dataset.headers)
        for row in dataset:
            safe.append([safe_cell(cell) if isinstance(cell, str) else cell for cell in row])
        return safe.export("xlsx")


FORMATS = [FrenchCsv, SafeXlsx]


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _shown(cell: Any) -> str:
    if isinstance(cell, Decimal):
        return f"{cell.normalize():f}".replace(".", ",")
    return safe_cell(str(cell)) if cell is not None else ""


# --- What cells say ------------------------------------------------------------------------------


class Number(widgets.DecimalWidget):
    """12,50 or 12.50, thousands apart or not; a number in workbooks."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Decimal | None:
        """Raises ValueError: it is no number."""
        if self.is_empty(value):
            return None
        text = str(value).translate(str.maketrans("", "", " \u00a0\u202f€%")).replace(",", ".")
        try:
            number = Decimal(text)
        except InvalidOperation as error:
            raise ValueError(_("« %s » n'est pas un nombre.") % value) from error
        if not number.is_finite():
            raise ValueError(_("« %s » n'est pas un nombre.") % value)
        return number

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> Any:
        return value


class Day(widgets.DateWidget):
    """A day as spreadsheets here write it, or as ISO does."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> date | None:
        """Raises ValueError: it is no day."""
        if isinstance(value, datetime):
            return value.date()
        if isinstance(value, date):
            return value
        text = str(value or "").strip()
        if not text:
            return None
        try:
            return cells.moment(text, 0, "").date()
        except InputError as error:
            raise ValueError(
                _("« %s » n'est pas une date : écrivez 31/12/2026.") % value
            ) from error

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> Any:
        return value.isoformat() if value else ""


class YesNo(widgets.BooleanWidget):
    """oui or non."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> bool | None:
        """Raises ValueError: it is neither."""
        if value is None or str(value).strip() == "":
            return None
        said = fold(str(value))
        if said not in _YES | _NO:
            raise ValueError(_("« %s » : écrivez oui ou non.") % value)
        return said in _YES

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> Any:
        return _("oui") if value else _("non")


class Choice(widgets.CharWidget):
    """One of a list, as the screen writes it or by its code."""

    def __init__(self, choices: Any) -> None:
        super().__init__()
        self.choices = choices

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        """Raises ValueError: it isn't of the list."""
        said = fold(str(value or ""))
        for code, label in self.choices:
            if said in (fold(str(code)), fold(str(label))):
                return code
        known = ", ".join(str(label) for _code, label in self.choices if str(label))
        raise ValueError(_("« %(value)s » : écrivez %(known)s.") % {"value": value, "known": known})

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> Any:
        return str(dict(self.choices).get(value, value or ""))


class Named(widgets.ForeignKeyWidget):
    """Another row, by the field that people know it by."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        """Raises ValueError: there is no such row."""
        text = str(value or "").strip()
        if not text:
            return None
        found = self.get_queryset(value, row).filter(**{f"{self.field}__iexact": text}).first()
        if found is None:
            raise ValueError(
                _("%(what)s « %(value)s » inconnu : créez d'abord cette fiche.")
                % {"what": capfirst(self.model._meta.verbose_name), "value": text}
            )
        return found


# --- Master files --------------------------------------------------------------------------------


def _title(field: Any) -> str:
    """What a column is called in the language in force; declared ones are named in French."""
    if not hasattr(field, "title"):
        field.title = gettext_lazy(field.column_name)
    return capfirst(str(field.title))


class MasterResource(resources.ModelResource):
    """A master file: columns by their names on the screen or in the program, blanks leave what is
    there, a row that is the same is skipped."""

    # Rows that the file may only change: (message for one that nobody knows).
    unknown_row: Any = ""

    class Meta:
        abstract = True
        skip_unchanged = True
        report_skipped = True
        clean_model_instances = True

    @classmethod
    def field_from_django_field(cls, field_name: str, django_field: Any, readonly: bool) -> Any:
        field = super().field_from_django_field(field_name, django_field, readonly)
        if isinstance(django_field, models.DecimalField):
            field.widget = Number()
        elif type(django_field) is models.DateField:
            field.widget = Day()
        elif isinstance(django_field, models.BooleanField):
            field.widget = YesNo()
        elif getattr(django_field, "choices", None):
            field.widget = Choice(django_field.choices)
        field.title = django_field.verbose_name
        return field

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for field in self.fields.values():
            field.column_name = _title(field)

    def before_import(self, dataset: Any, **kwargs: Any) -> None:
        """Columns take their names here.

        Raises:
            ValidationError: the column that tells rows apart is missing, or a row is crooked.
        """
        if getattr(dataset, "crooked", None):
            line, found, wanted = dataset.crooked
            raise ValidationError(
                _("Ligne %(line)s : %(found)s cellules au lieu de %(wanted)s. Vérifiez le "
                  "séparateur et les guillemets.")
                % {"line": line, "found": found, "wanted": wanted}
            )  # fmt: skip
        known = {}
        with translation.override(settings.LANGUAGE_CODE):
            french = {name: _title(field) for name, field in self.fields.items()}
        for name, field in self.fields.items():
            for told in (name, french[name], field.column_name):
                known[fold(told)] = field.column_name
        dataset.headers = [
            known.get(fold(str(h or "")), str(h or "")) for h in dataset.headers or []
        ]
        for name in self.key_fields():
            column = self.fields[name].column_name
            if column not in dataset.headers:
                raise ValidationError(
                    _("La colonne « %(column)s » manque. Colonnes connues : %(known)s.")
                    % {
                        "column": column,
                        "known": ", ".join(f.column_name for f in self.get_user_visible_fields()),
                    }
                )

    def key_fields(self) -> list[str]:
        """What tells rows apart, by their names in the program."""
        return list(self._meta.import_id_fields)

    def get_or_init_instance(self, instance_loader: Any, row: Any) -> Any:
        """Raises ValidationError: nobody knows the row, and a file may not make one."""
        instance, is_new = super().get_or_init_instance(instance_loader, row)
        if is_new and self.unknown_row:
            raise ValidationError(str(self.unknown_row))
        return instance, is_new

    def import_row(self, row: Any, instance_loader: Any, **kwargs: Any) -> Any:
        """What a row is refused for names its columns as the file does."""
        found = super().import_row(row, instance_loader, **kwargs)
        by_field = getattr(found.validation_error, "error_dict", None)
        if by_field:
            found.validation_error = ValidationError(
                {self._column_of(name): errors for name, errors in by_field.items()}
            )
        return found

    def _column_of(self, name: str) -> str:
        return self.fields[name].column_name if name in self.fields else name

    def import_field(self, field: Any, instance: Any, row: Any, *args: Any, **kwargs: Any) -> None:
        """A blank cell leaves what is there."""
        if field.column_name in row and str(row[field.column_name] or "").strip() == "":
            return
        super().import_field(field, instance, row, *args, **kwargs)
