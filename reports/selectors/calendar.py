"""Working days as they are published."""

from __future__ import annotations

from datetime import date, timedelta

from reports.definitions.due_dates import Calendar
from reports.models import WorkingDayException

HORIZON = timedelta(days=92)  # obligations are listed a quarter ahead


def calendar() -> Calendar:
    """Every notice there is."""
    return Calendar(dict(WorkingDayException.objects.values_list("day", "is_working")))


def unpublished_years(*, today: date) -> list[int]:
    """Which years within the horizon has nobody brought the holidays in of?"""
    known = calendar().years
    return [year for year in sorted({today.year, (today + HORIZON).year}) if year not in known]
