"""Generic CSV: for any software with an import wizard, and for spreadsheets."""

import csv
import io
from collections import Counter
from collections.abc import Iterable
from typing import BinaryIO

from accounting_export.formats.base import register
from accounting_export.formats.texts import comma, text
from accounting_export.selectors import ExportLine
from sphinx.core.money import plain
from sphinx.core.texts import safe_cell

COLUMNS = (
    "Journal",
    "Date",
    "N° écriture",
    "Pièce",
    "Compte",
    "Libellé compte",
    "Auxiliaire",
    "Libellé auxiliaire",
    "Libellé",
    "Débit",
    "Crédit",
    "Échéance",
    "Taux TVA",
    "Régime TVA",
    "Pays",
    "Commande",
    "Bon de livraison",
    "Lettrage",
    "Section",
)


def cells(line: ExportLine) -> list[str]:
    """The texts of a line, amounts and dates aside."""
    return [
        safe_cell(text(value or ""))
        for value in (
            line.number,
            line.piece_ref,
            line.account,
            line.account_label,
            line.auxiliary,
            line.auxiliary_label,
            line.label,
        )
    ]


@register
class GenericCsv:
    code = "csv"
    label = "CSV (point-virgule, UTF-8)"
    extension = "csv"
    is_confirmed = True

    def write(self, lines: Iterable[ExportLine], stream: BinaryIO) -> Counter[str]:
        # A BOM: without it Excel reads accents wrong.
        out = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="", write_through=True)
        writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
        writer.writerow(COLUMNS)
        writer.writerows(self._row(line) for line in lines)
        out.detach()
        return Counter()

    @staticmethod
    def _row(line: ExportLine) -> list[str]:
        number, *texts = cells(line)
        rate = "" if line.tax_rate is None else plain(line.tax_rate).replace(".", ",")
        return [
            line.journal,
            f"{line.entry_date:%d/%m/%Y}",
            number,
            *texts,
            comma(line.debit),
            comma(line.credit),
            f"{line.due_on:%d/%m/%Y}" if line.due_on else "",
            rate,
            line.regime,
            line.country or "",
            safe_cell(text(line.order_number or "")),
            line.delivery_note or "",
            line.lettering or "",
            safe_cell(text(line.section)),
        ]
