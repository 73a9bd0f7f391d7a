"""Positions know their value, and the ledger what was lost between two warehouses."""

from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal

from django.db import migrations, models
from django.utils import timezone

_WORTH = models.Sum(
    models.F("quantity") * models.F("unit_cost") + models.F("value_change"),
    output_field=models.DecimalField(max_digits=24, decimal_places=9),
)


def note_what_was_lost(apps, schema_editor):
    """A closed transfer's rest left without a word: in and out at the cost it had."""
    line_model = apps.get_model("inventory", "StockTransferLine")
    move_model = apps.get_model("inventory", "StockMove")
    short = {
        line.pk: line.transfer
        for line in line_model.objects.filter(
            transfer__status="received", quantity_received__lt=models.F("quantity")
        ).select_related("transfer")
    }
    sums = defaultdict(lambda: [Decimal(0), Decimal(0)])
    moves = move_model.objects.filter(
        origin_kind="transfer", kind="transfer", origin_line__in=list(short)
    )
    for move in moves.order_by("pk").iterator():
        found = sums[move.origin_line, move.product_id, move.lot_id]
        found[0] -= move.quantity
        found[1] -= move.quantity * move.unit_cost
    lost = []
    for (line, product, lot), (pieces, worth) in sums.items():
        transfer = short[line]
        if pieces <= 0:
            continue
        cost = (worth / pieces).quantize(Decimal("0.000001"), rounding=ROUND_HALF_UP)
        for kind, sign, end in (("transfer", 1, "/R"), ("loss", -1, "/R/P")):
            lost.append(
                move_model(
                    product_id=product,
                    warehouse_id=transfer.destination_id,
                    lot_id=lot,
                    kind=kind,
                    quantity=sign * pieces,
                    unit_cost=cost,
                    at=transfer.received_at,
                    origin_kind="transfer_loss",
                    origin_number=f"{transfer.number}{end}",
                    origin_line=line,
                    note="Perdu en route",
                )
            )
    move_model.objects.bulk_create(lost, batch_size=1000)


def keep_values(apps, schema_editor):
    """The sum of the moves, and of that only what the pieces are worth at the average cost."""
    position_model = apps.get_model("inventory", "StockPosition")
    move_model = apps.get_model("inventory", "StockMove")
    rows = move_model.objects.order_by().values_list("product_id", "warehouse_id")
    worth = {(product, place): total for product, place, total in rows.annotate(total=_WORTH)}
    now, positions, righted = timezone.now(), [], []
    for position in position_model.objects.order_by("pk").iterator():
        place = (position.product_id, position.warehouse_id)
        position.value = worth.get(place, Decimal(0))
        gap = position.value - position.on_hand * position.average_cost
        if abs(gap) > max(Decimal("0.005"), abs(position.on_hand) * Decimal("0.000001")):
            change = -gap.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
            position.value += change
            righted.append(
                move_model(
                    product_id=position.product_id,
                    warehouse_id=position.warehouse_id,
                    kind="revaluation",
                    quantity=Decimal(0),
                    unit_cost=position.average_cost,
                    value_change=change,
                    at=now,
                    origin_kind="correction",
                    origin_number="VALEUR",
                    note="Valeur du stock remise d'accord avec le CUMP",
                )
            )
        positions.append(position)
    move_model.objects.bulk_create(righted, batch_size=1000)
    position_model.objects.bulk_update(positions, ["value"], batch_size=1000)


class Migration(migrations.Migration):
    dependencies = [
        ("inventory", "0007_product_released_on"),
    ]

    operations = [
        migrations.AddField(
            model_name="stockposition",
            name="value",
            field=models.DecimalField(
                db_default=Decimal(0),
                decimal_places=9,
                default=Decimal(0),
                max_digits=24,
                verbose_name="valeur HT (€)",
            ),
        ),
        migrations.RunPython(note_what_was_lost, migrations.RunPython.noop),
        migrations.RunPython(keep_values, migrations.RunPython.noop),
    ]
