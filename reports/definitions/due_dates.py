"""Which day is a report due, and which is the last working day to hand it in? Pure: days in, days out.

A day is a working day as its weekday says, unless public notice says otherwise; a year without the
days off for every public holiday is one whose notice nobody knows yet, or not all of, and is refused. A deadline on a rest day is never moved
later: it is shown with the last working day before it (D21).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TypeAlias

from loans.values.errors import DomainError, bilingual
from reports.definitions.period import Period

DAY = timedelta(days=1)
SATURDAY = 5
AHEAD_WORKING_DAYS = 5  # a draft is made, and people are reminded, so many before the last one
# 全国年节及纪念日放假办法: each of these is a day off every year, whichever day of the moon it falls on.
HOLIDAYS = {
    "元旦": ((1, 1), (1, 1)),
    "春节": ((1, 21), (2, 21)),
    "清明节": ((4, 4), (4, 6)),
    "劳动节": ((5, 1), (5, 1)),
    "端午节": ((5, 28), (6, 26)),
    "中秋节": ((9, 7), (10, 8)),
    "国庆节": ((10, 1), (10, 1)),
}
SINCE = {"清明节": 2008, "端午节": 2008, "中秋节": 2008}


@dataclass(frozen=True)
class Calendar:
    """Working days. `notices`: day → is it worked, for every day a notice speaks of.

    `missing`: year → public holidays that no notice gives a day off for; years not in it are unknown.
    """

    notices: Mapping[date, bool]
    missing: Mapping[int, tuple[str, ...]] = field(init=False)

    def __post_init__(self) -> None:
        off = frozenset(day for day, is_working in self.notices.items() if not is_working)
        years = sorted({day.year for day in self.notices})
        object.__setattr__(self, "missing", {year: _missing(year, off) for year in years})

    @property
    def years(self) -> frozenset[int]:
        """The years whose days are all known."""
        return frozenset(year for year, holidays in self.missing.items() if not holidays)

    def is_working(self, day: date) -> bool:
        """Is it worked? DomainError `holidays_unpublished` for a year without its whole notice."""
        if self.missing.get(day.year, HOLIDAYS):
            raise DomainError("holidays_unpublished", self._unknown(day.year))
        return self.notices.get(day, day.weekday() < SATURDAY)

    def _unknown(self, year: int) -> str:
        lacking = "、".join(self.missing.get(year, ()))
        return bilingual(
            (
                f"{year} 年节假日安排不全（缺{lacking}）"
                if lacking
                else f"{year} 年节假日安排尚未导入"
            )
            + "，无法计算截止日。请在国务院办公厅公布后用 import_holidays 导入该年的放假与调休日期",
            f"the holidays of {year} are not {'all ' if lacking else ''}known: once they are published, "
            "bring its days off and make-up working days in with import_holidays",
        )

    def last_working_day(self, day: date) -> date:
        """The day itself, or the last working day before it."""
        while not self.is_working(day):
            day -= DAY
        return day

    def after(self, day: date, count: int) -> date:
        """The count-th working day after a day."""
        while count:
            day += DAY
            count -= self.is_working(day)
        return day

    def before(self, day: date, count: int) -> date:
        """The count-th working day before a day."""
        while count:
            day -= DAY
            count -= self.is_working(day)
        return day


def _missing(year: int, off: frozenset[date]) -> tuple[str, ...]:
    """Which public holidays of a year have no day off?"""
    return tuple(
        name
        for name, (first, last) in HOLIDAYS.items()
        if year >= SINCE.get(name, year)
        and not any(date(year, *first) <= day <= date(year, *last) for day in off)
    )


@dataclass(frozen=True)
class DayOfNextMonth:
    """By that day of the month after the period."""

    day: int


@dataclass(frozen=True)
class WorkingDays:
    """Within so many working days after the period."""

    count: int


@dataclass(frozen=True)
class PeriodEnd:
    """By the period's last day."""


@dataclass(frozen=True)
class DayOfYear:
    """By a day of the period's year, or so many years later."""

    month: int
    day: int
    years_later: int = 0


Rule: TypeAlias = DayOfNextMonth | WorkingDays | PeriodEnd | DayOfYear


def earliest(rule: Rule, period: Period) -> date:
    """A day that the deadline is certainly not before, whatever the calendar says."""
    match rule:
        case DayOfNextMonth(day):
            return period.end.replace(day=day)
        case WorkingDays():
            return period.end
        case PeriodEnd():
            return period.end - DAY
        case DayOfYear(month, day, later):
            return date(period.start.year + later, month, day)


def due_on(rule: Rule, period: Period, calendar: Calendar) -> date:
    """The deadline, as the document says it."""
    if isinstance(rule, WorkingDays):
        return calendar.after(period.end - DAY, rule.count)
    return earliest(rule, period)


def draft_from(last_working_day: date, due: date, period: Period, calendar: Calendar) -> date:
    """From when on is a draft made by itself?

    Some working days ahead; but of a period that ends before the deadline not before it has ended.
    """
    ahead = calendar.before(last_working_day, AHEAD_WORKING_DAYS)
    return ahead if due < period.end else max(ahead, period.end)
