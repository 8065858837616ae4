"""Bringing the list of obligations up to date: from filings, institutions and published days."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from django.db import transaction

from loans.values.errors import DomainError
from reports.definitions.deadlines import DEADLINES, Deadline
from reports.definitions.due_dates import Calendar, draft_from, due_on, earliest
from reports.definitions.period import Period
from reports.models import Obligation
from reports.selectors.calendar import HORIZON, calendar
from reports.selectors.filing_institutions import filing_institutions

KEY = ("institution_id", "scheme_code", "code", "period")
TOLD = ("due_on", "last_working_day", "draft_from", "addressee", "article", "assumed")


@dataclass(frozen=True)
class Refreshed:
    """What came new, what changed, and why some could not be dated."""

    inserted: int
    updated: int
    problems: tuple[str, ...]


@transaction.atomic
def refresh(*, today: date) -> Refreshed:
    """Add obligations due up to a quarter ahead, and correct those whose days changed.

    What cannot be dated, because a year's holidays are not published, is told and stops no other.
    """
    known = {tuple(getattr(o, name) for name in KEY): o for o in Obligation.objects.all()}
    problems: dict[str, None] = {}
    wanted = list(_wanted(today, calendar(), problems))
    new, changed = [], []
    for one in wanted:
        old = known.get(tuple(getattr(one, name) for name in KEY))
        if old is None:
            new.append(one)
        elif any(getattr(old, name) != getattr(one, name) for name in TOLD):
            changed.append(one)
    Obligation.objects.bulk_create(
        [*new, *changed],
        update_conflicts=True,
        unique_fields=["institution", "scheme_code", "code", "period"],
        update_fields=TOLD,
    )
    return Refreshed(len(new), len(changed), tuple(problems))


def _wanted(today: date, days: Calendar, problems: dict[str, None]) -> Iterator[Obligation]:
    found = filing_institutions()
    for filing in DEADLINES:
        active = found.get((filing.scheme_code, filing.level), {})
        for period in filing.periods() if active else ():
            if earliest(filing.rule, period) > today + HORIZON:
                continue
            try:
                dates = _dates(filing, period, days)
            except DomainError as unpublished:
                problems.setdefault(str(unpublished))
                continue
            for institution_id, since in sorted(active.items()):
                if since < period.end:
                    yield _obligation(filing, period, institution_id, dates)


def _dates(filing: Deadline, period: Period, days: Calendar) -> dict[str, date]:
    due = due_on(filing.rule, period, days)
    last = days.last_working_day(due)
    start = draft_from(last, due, period, days)
    return {"due_on": due, "last_working_day": last, "draft_from": start}


def _obligation(
    filing: Deadline, period: Period, institution_id: int, dates: dict[str, date]
) -> Obligation:
    return Obligation(
        institution_id=institution_id,
        scheme_code=filing.scheme_code,
        code=filing.code,
        period=period.code,
        addressee=filing.addressee,
        article=filing.article,
        assumed=filing.assumed,
        **dates,
    )
