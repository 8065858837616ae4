"""Working days as they are published."""

from __future__ import annotations

from reports.definitions.due_dates import Calendar
from reports.models import WorkingDayException


def calendar() -> Calendar:
    """Every notice there is."""
    return Calendar(dict(WorkingDayException.objects.values_list("day", "is_working")))
