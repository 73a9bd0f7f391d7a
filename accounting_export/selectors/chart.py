"""What the chart holds."""

from accounting_export.models import Account


def expense_accounts() -> list[tuple[str, str]]:
    """Accounts of class 6, as (number, label)."""
    return list(
        Account.objects.filter(number__startswith="6")
        .order_by("number")
        .values_list("number", "label")
    )
