"""What long work announces."""

from django.dispatch import Signal

# job_id: int
job_waiting = Signal()
# letter_id: int
letter_to_send = Signal()
