"""What the books hold of a person."""

from django.utils.translation import gettext_lazy as _

from sphinx.core.privacy import Holding, holds

holds(Holding(
    "journal", _("Écritures, envois à l'expert-comptable, FEC"), _("tenir les comptes"),
    _("obligation légale (C. com., art. L123-22 ; LPF, art. L102 B)"), _("dix ans"),
))  # fmt: skip
