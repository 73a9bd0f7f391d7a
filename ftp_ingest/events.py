"""What the gateway announces."""

from django.dispatch import Signal

# shop_id: int, code: str (why its orders waited). A question about the shop's files was answered.
shop_answered = Signal()
