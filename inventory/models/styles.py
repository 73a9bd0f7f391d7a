"""A model (style) of which several articles are the variants: a shirt in its sizes and colours."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

# Size, colour and one more: as many options as a shop's programs know.
MOST_OPTIONS = 3
_OPTION_NAMES = (_("critère 1"), _("critère 2"), _("critère 3"))


def _option_name(number: int) -> "models.CharField[Any, Any]":
    return models.CharField(_OPTION_NAMES[number - 1], max_length=40, blank=number > 1)


class Style(models.Model):
    """What its variants have in common, and the names of the options that tell them apart."""

    code = models.CharField(_("code du modèle"), max_length=80)
    # Case and spaces don't tell models apart; see sphinx.core.texts.sku_key.
    code_key = models.CharField(max_length=80, unique=True, editable=False)
    label = models.CharField(_("désignation"), max_length=200)
    option1_name = _option_name(1)
    option2_name = _option_name(2)
    option3_name = _option_name(3)

    class Meta:
        verbose_name = _("modèle")
        verbose_name_plural = _("modèles")
        ordering = ["label", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(option1_name="")
                & (models.Q(option3_name="") | ~models.Q(option2_name="")),
                name="inventory_style_options_in_order",
            ),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def option_names(self) -> list[str]:
        """The options that tell its variants apart, one to three."""
        names = (self.option1_name, self.option2_name, self.option3_name)
        return [name for name in names if name]
