"""What customers send back: announced, examined, taken into stock or scrapped."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from sales.models.deliveries import DeliveryNote, DeliveryNoteLine
from sphinx.core.fields import QuantityField
from sphinx.core.money import plain


class GoodsReturn(models.Model):
    """Goods of a delivery note that came back: to the shelf, or to scrap."""

    number = models.CharField(_("n° de retour"), max_length=20, unique=True)
    delivery_note = models.ForeignKey(
        DeliveryNote, verbose_name=_("BL"), on_delete=models.PROTECT, related_name="returns"
    )
    returned_at = models.DateTimeField(_("revenu le"))
    reason = models.CharField(_("motif"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("retour client")
        verbose_name_plural = _("retours clients")
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.number


class GoodsReturnLine(models.Model):
    """Pieces of one delivery note line that came back."""

    goods_return = models.ForeignKey(
        GoodsReturn, verbose_name=_("retour"), on_delete=models.PROTECT, related_name="lines"
    )
    note_line = models.ForeignKey(
        DeliveryNoteLine,
        verbose_name=_("ligne de BL"),
        on_delete=models.PROTECT,
        related_name="return_lines",
    )
    quantity = QuantityField(_("quantité"))
    is_scrap = models.BooleanField(_("au rebut"), default=False)

    class Meta:
        verbose_name = _("ligne de retour")
        verbose_name_plural = _("lignes de retour")
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(quantity__gt=0), name="sales_return_line_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.note_line_id} × {plain(self.quantity)}"


class ReturnRequest(models.Model):
    """A return that a customer announced (RMA): its parcel is expected, counted, then examined.

    What the examination accepts is a `GoodsReturn`; the rest stays the customer's.
    """

    class Status(models.TextChoices):
        ANNOUNCED = "announced", _("Annoncé")
        RECEIVED = "received", _("À examiner")
        EXAMINED = "examined", _("Examiné")
        CANCELLED = "cancelled", _("Abandonné")

    number = models.CharField(_("n° de retour"), max_length=20, unique=True)
    delivery_note = models.ForeignKey(
        DeliveryNote,
        verbose_name=_("BL"),
        on_delete=models.PROTECT,
        related_name="return_requests",
    )
    status = models.CharField(
        _("état"), max_length=10, choices=Status, default=Status.ANNOUNCED, db_index=True
    )
    reason = models.CharField(_("motif"), max_length=200, blank=True)
    announced_at = models.DateTimeField(_("annoncé le"))
    received_at = models.DateTimeField(_("reçu le"), null=True, blank=True)
    examined_at = models.DateTimeField(_("examiné le"), null=True, blank=True)
    verdict = models.CharField(_("constat"), max_length=200, blank=True)
    goods_return = models.OneToOneField(
        GoodsReturn,
        verbose_name=_("retour en stock"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="request",
    )

    class Meta:
        verbose_name = _("demande de retour")
        verbose_name_plural = _("demandes de retour")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=["announced", "cancelled"])
                | models.Q(received_at__isnull=False),
                name="sales_request_received_has_date",
            ),
            models.CheckConstraint(
                condition=models.Q(status="examined", examined_at__isnull=False)
                | (
                    ~models.Q(status="examined")
                    & models.Q(examined_at__isnull=True, goods_return__isnull=True)
                ),
                name="sales_request_examined_has_date",
            ),
        ]

    def __str__(self) -> str:
        return self.number


class ReturnRequestLine(models.Model):
    """Pieces of one delivery note line that a customer sends back."""

    request = models.ForeignKey(
        ReturnRequest, verbose_name=_("demande"), on_delete=models.PROTECT, related_name="lines"
    )
    note_line = models.ForeignKey(
        DeliveryNoteLine,
        verbose_name=_("ligne de BL"),
        on_delete=models.PROTECT,
        related_name="request_lines",
    )
    quantity = QuantityField(_("annoncé"))
    quantity_received = QuantityField(_("reçu"), null=True, blank=True)

    class Meta:
        verbose_name = _("ligne de demande de retour")
        verbose_name_plural = _("lignes de demande de retour")
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(quantity__gt=0), name="sales_request_line_positive"
            ),
            models.CheckConstraint(
                condition=models.Q(quantity_received__isnull=True)
                | models.Q(quantity_received__gte=0),
                name="sales_request_line_received_positive",
            ),
            models.UniqueConstraint(
                fields=["request", "note_line"], name="sales_request_line_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.note_line_id} × {plain(self.quantity)}"
