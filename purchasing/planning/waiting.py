"""What a supplier's calendar adds to the time that stock must cover.

An order of today's run leaves on the next order day. Whoever doesn't order with it orders with the
next run: until those goods are here, what lies on the shelf must last. So the protection time
grows by how much later than usual the next run's order comes, and, for a week before the last day
on which an order still comes ahead of a closure, by the closure, so that nobody must decide on
that very day. What is ordered covers the usual days until its next order; where that one would
run into a closure, so many days more.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

from suppliers.calendars import Calendar, Closure

# So many days before the last possible one, a closure is ordered for.
AHEAD_DAYS = 7


@dataclass(frozen=True)
class Waiting:
    """One supplier's calendar, looked at on a day, for goods that usually take `lead_days`."""

    calendar: Calendar
    on: date
    lead_days: int

    @cached_property
    def order_on(self) -> date:
        """The day on which an order of today leaves."""
        return self.calendar.next_order(self.on)

    @cached_property
    def arrives_on(self) -> date:
        """The day on which its goods are here."""
        return self.calendar.arrival(self.order_on, self.lead_days)

    @cached_property
    def next_order_on(self) -> date:
        """The day on which an order of the next run leaves."""
        return self.calendar.next_order(self._in(1))

    @cached_property
    def days(self) -> int:
        """Days by which the protection time is longer."""
        return max(self._late(self.calendar, 1), self.closed_days)

    @cached_property
    def closed_days(self) -> int:
        """Of a closure alone: the longest wait that it causes to an order of this week."""
        return max(self._closed(later) for later in range(1, AHEAD_DAYS + 1))

    def beyond(self, cover_days: int) -> int:
        """Days that an order covers beyond `cover_days`: its next one would run into a closure that
        the protection time doesn't count yet."""
        return max(self._closed(1 + cover_days) - self.closed_days, 0)

    def closure(self, cover_days: int) -> Closure | None:
        """The closure that is counted, if one is."""
        if not self.closed_days and not self.beyond(cover_days):
            return None
        last = self._in(1 + max(cover_days, AHEAD_DAYS) + self.lead_days)
        return self.calendar.closure_between(self.on, last)

    def _in(self, days: int) -> date:
        return self.on + timedelta(days=days)

    def _late(self, calendar: Calendar, later: int) -> int:
        """Days by which goods wanted so many days later come late."""
        wanted = self._in(later)
        return (calendar.arrives(wanted, self.lead_days) - wanted).days - self.lead_days

    def _closed(self, later: int) -> int:
        return self._late(self.calendar, later) - self._late(self.calendar.always_open, later)
