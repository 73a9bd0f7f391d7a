"""What exchange rates and currencies announce."""

from django.dispatch import Signal

# No payload: the firm wants the ECB's rates from now on.
rates_wanted = Signal()
# currencies: list[str], of which there are new rates.
rates_changed = Signal()
# shop_id: int, whose currency was said.
shop_currency_said = Signal()
