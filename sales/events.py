"""What sales announces upward."""

from django.dispatch import Signal

# delivery_note_ids: list[int]
notes_shipped = Signal()
# order_ids: list[int]
shops_shipped = Signal()
# quote_id: int
quote_to_mail = Signal()
