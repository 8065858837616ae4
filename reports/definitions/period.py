"""The periods reports are about: a month, a quarter or a year, half-open."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

_FORM = re.compile(
    r"(?P<year>20\d\d)(?:-(?:(?P<month>0[1-9]|1[0-2])|Q(?P<quarter>[1-4])))?", re.ASCII
)
FORMS = "2026-03 | 2026-Q1 | 2026"


@dataclass(frozen=True, order=True)
class Period:
    """Days from `start` until before `end`; `code` is how people write it: 2026-03, 2026-Q1, 2026."""

    start: date
    end: date
    code: str

    @property
    def title_zh(self) -> str:
        """As a report's heading says it."""
        year = f"{self.start.year}年"
        if self.is_year:
            return year
        if "Q" in self.code:
            return f"{year}第{'一二三四'[int(self.code[-1]) - 1]}季度"
        return f"{year}{self.start.month}月"

    @property
    def is_year(self) -> bool:
        """Is it a calendar year?"""
        return len(self.code) == 4

    @property
    def year(self) -> Period:
        """The calendar year it lies in."""
        return _from_months(self.start.year, 1, 12, str(self.start.year))

    @property
    def to_date(self) -> Period:
        """From 1 January of its year to its end (累计)."""
        return Period(date(self.start.year, 1, 1), self.end, self.code)


def parse(text: str) -> Period | None:
    """Which period does a person mean? None for what is no period."""
    found = _FORM.fullmatch(text.strip())
    if found is None:
        return None
    year = int(found["year"])
    if found["month"]:
        return _from_months(year, int(found["month"]), 1, found[0])
    if found["quarter"]:
        return _from_months(year, 3 * int(found["quarter"]) - 2, 3, found[0])
    return _from_months(year, 1, 12, found[0])


def month_of(day: date) -> Period:
    """The month a day lies in."""
    return _from_months(day.year, day.month, 1, f"{day:%Y-%m}")


def _from_months(year: int, month: int, count: int, code: str) -> Period:
    after = month - 1 + count
    return Period(date(year, month, 1), date(year + after // 12, after % 12 + 1, 1), code)
