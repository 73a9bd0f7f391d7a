"""What the gateway announces to itself: long reading is a worker's."""

from django.dispatch import Signal

# dialect_id, sha256, name: files that a mapping reads wait, too large to be read at once.
files_waiting = Signal()
