"""What articles look like."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from inventory.models.products import Product


class ProductPicture(models.Model):
    """An article's picture: a JPEG made anew from what was brought, of bounded size."""

    product = models.OneToOneField(
        Product, verbose_name=_("article"), on_delete=models.PROTECT, related_name="picture"
    )
    data = models.BinaryField(_("image"))
    sha256 = models.CharField(_("SHA-256"), max_length=64)

    class Meta:
        verbose_name = _("image d'article")
        verbose_name_plural = _("images d'articles")
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.product)
