"""What the gateway announces."""

from django.dispatch import Signal

# shop_id: int, code: str (why its orders waited). A question about the shop's files was answered.
shop_answered = Signal()
# dialect_id, sha256, name: files that a mapping reads wait, too large to be read at once.
files_waiting = Signal()
