"""What the gateway keeps: shops' files as they came, and rows set aside."""

from django.utils.translation import gettext_lazy as _

from sphinx.core.privacy import Holding, holds

holds(Holding(
    "received_files", _("Fichiers reçus des boutiques, lignes en quarantaine"),
    _("prouver d'où vient chaque commande"),
    _("obligation légale : piste d'audit fiable (CGI, art. 289, VII)"),
    _("ce que dit chaque flux, dix ans sinon ; puis les octets sont effacés"),
))  # fmt: skip
