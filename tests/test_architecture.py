"""The house's floors, where import-linter can't see: a foreign key given as a string."""

from django.apps import apps

FLOORS = {
    "core": 0,
    "customers": 1,
    "inventory": 1,
    "sales": 2,
    "suppliers": 2,
    "invoicing": 3,
    "purchasing": 3,
    "accounting_export": 4,
    "ftp_ingest": 4,
    "dashboard": 5,
    "demo": 6,
}


def test_every_relation_points_to_a_lower_floor() -> None:
    wrong = []
    for model in apps.get_models():
        source = model._meta.app_label
        for field in model._meta.get_fields():
            if source not in FLOORS or not field.is_relation or field.auto_created:
                continue
            target = field.related_model._meta.app_label
            if target not in FLOORS or target == source:
                continue
            if FLOORS[target] >= FLOORS[source]:
                wrong.append(f"{model._meta.label}.{field.name} → {target}")

    assert wrong == []


def test_no_relation_deletes_in_cascade() -> None:
    from django.db.models import DO_NOTHING, PROTECT, SET_NULL

    allowed = {PROTECT, SET_NULL, DO_NOTHING}
    wrong = [
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        if model._meta.app_label in FLOORS
        for field in model._meta.concrete_fields
        if field.is_relation and field.remote_field.on_delete not in allowed
    ]

    assert wrong == []


def test_constraints_are_named_after_their_app() -> None:
    prefixes = {"accounting_export": ("accounting_",)}
    wrong = [
        constraint.name
        for model in apps.get_models()
        if model._meta.app_label in FLOORS
        for constraint in model._meta.constraints
        if not constraint.name.startswith(
            prefixes.get(model._meta.app_label, (f"{model._meta.app_label}_",))
        )
    ]

    assert wrong == []
