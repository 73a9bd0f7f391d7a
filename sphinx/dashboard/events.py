"""What the dashboard's pages ask of a worker."""

from django.dispatch import Signal

# Nothing: the stock's health as of today.
measure_wanted = Signal()
# Nothing: who comes back, as of today.
cohorts_wanted = Signal()
