from django.db import migrations, models
from django.db.models import Min, OuterRef, Subquery

from sphinx.core.migration_checks import AddCheckNotValid, AddIndexInUse


def note_next_dates(apps, schema_editor):
    """Say of each position when its next lot expires; whoever locks it then counts the expired."""
    dates = (
        apps.get_model("inventory", "LotPosition")
        .objects.filter(
            lot__product=OuterRef("product"),
            lot__product__tracks_lots=True,
            warehouse=OuterRef("warehouse"),
            on_hand__gt=0,
        )
        .order_by()
        .values("lot__product")
        .annotate(first=Min("lot__best_before"))
        .values("first")
    )
    apps.get_model("inventory", "StockPosition").objects.filter(product__tracks_lots=True).update(
        expires_next_on=Subquery(dates)
    )


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("inventory", "0009_expired_lots"),
    ]

    operations = [
        migrations.RunPython(note_next_dates, migrations.RunPython.noop),
        AddCheckNotValid(
            model_name="stockposition",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("expired__gte", 0),
                    models.Q(
                        ("reserved__lte", models.F("on_hand") - models.F("expired")),
                        ("allows_negative", True),
                        _connector="OR",
                    ),
                ),
                name="inventory_position_reserved_can_be_sold",
            ),
        ),
        AddIndexInUse(
            model_name="stockposition",
            index=models.Index(
                condition=models.Q(("expires_next_on__isnull", False)),
                fields=["expires_next_on"],
                name="inventory_expires_next",
            ),
        ),
    ]
