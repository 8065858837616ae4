"""Deadlines of 2026 as domain §6 lists them, and no guesses about years nobody has published."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import chinese_calendar
import pytest
from QuantLib import China, Date

from loans.values.errors import DomainError
from reports.definitions.deadlines import DEADLINES
from reports.definitions.due_dates import (
    Calendar,
    DayOfNextMonth,
    DayOfYear,
    PeriodEnd,
    WorkingDays,
    draft_from,
    due_on,
    earliest,
)
from reports.definitions.period import parse

PUBLISHED = Path(__file__).resolve().parents[3] / "reports" / "holidays"


@pytest.fixture(scope="module")
def calendar() -> Calendar:
    notices = {}
    for path in PUBLISHED.glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as source:
            for row in csv.DictReader(source):
                notices[date.fromisoformat(row["day"])] = row["kind"] == "workday"
    return Calendar(notices)


def period(code: str):
    found = parse(code)
    assert found is not None
    return found


def test_the_fifth_working_days_of_2026(calendar: Calendar) -> None:
    months = ["2025-12", *(f"2026-{month:02d}" for month in range(1, 12))]
    assert [f"{due_on(WorkingDays(5), period(m), calendar):%m-%d}" for m in months] == [
        "01-08", "02-06", "03-06", "04-08", "05-11", "06-05",
        "07-07", "08-07", "09-07", "10-13", "11-06", "12-07",
    ]  # fmt: skip


def test_a_working_saturday_and_a_long_week_off(calendar: Calendar) -> None:
    assert calendar.is_working(date(2026, 2, 28))
    assert date(2026, 2, 28).weekday() == 5
    assert not calendar.is_working(date(2026, 2, 18))
    assert calendar.last_working_day(date(2026, 10, 5)) == date(2026, 9, 30)
    assert calendar.last_working_day(date(2026, 3, 5)) == date(2026, 3, 5)
    assert calendar.before(date(2026, 2, 24), 2) == date(2026, 2, 13)
    assert calendar.after(date(2026, 2, 27), 1) == date(2026, 2, 28)


def test_every_day_agrees_with_two_other_calendars(calendar: Calendar) -> None:
    """`chinesecalendar` from 2004, QuantLib's interbank calendar from 2008."""
    interbank = China(China.IB)
    day, differing = date(2004, 1, 1), []
    while day <= date(2026, 12, 31):
        told = {calendar.is_working(day), chinese_calendar.is_workday(day)}
        if day.year >= 2008:
            told.add(interbank.isBusinessDay(Date(day.day, day.month, day.year)))
        if len(told) > 1:
            differing.append(day)
        day += timedelta(days=1)
    assert differing == []


@pytest.mark.parametrize(
    ("act", "year"),
    [
        (lambda c: due_on(WorkingDays(5), period("2026-12"), c), 2027),
        (lambda c: c.last_working_day(date(2027, 1, 31)), 2027),
        (lambda c: c.is_working(date(2003, 12, 31)), 2003),
    ],
)
def test_a_year_that_is_not_published_is_refused(calendar: Calendar, act, year: int) -> None:
    with pytest.raises(
        DomainError, match=rf"{year} 年节假日安排尚未导入.*import_holidays"
    ) as refusal:
        act(calendar)
    assert refusal.value.code == "holidays_unpublished"


def test_a_year_known_in_part_is_refused_naming_what_is_missing(calendar: Calendar) -> None:
    notices = dict(calendar.notices) | {date(2027, 1, 1): False, date(2027, 2, 6): False}
    with pytest.raises(
        DomainError, match="2027 年节假日安排不全（缺清明节、劳动节、端午节、中秋节、国庆节）"
    ) as refusal:
        due_on(WorkingDays(5), period("2027-02"), Calendar(notices))
    assert refusal.value.code == "holidays_unpublished"
    assert 2027 not in Calendar(notices).years

    whole = notices | dict.fromkeys(
        (date(2027, 4, 5), date(2027, 5, 1), date(2027, 6, 9), date(2027, 10, 1)), False
    )
    assert due_on(WorkingDays(5), period("2027-02"), Calendar(whole)) == date(2027, 3, 5)
    worked = whole | {date(2027, 5, 1): True}
    assert Calendar(worked).missing[2027] == ("劳动节",)


def test_every_published_year_is_whole(calendar: Calendar) -> None:
    assert calendar.years == frozenset(range(2004, 2027))


@pytest.mark.parametrize(
    ("rule", "code", "due", "last", "draft"),
    [
        (DayOfNextMonth(5), "2026-01", date(2026, 2, 5), date(2026, 2, 5), date(2026, 2, 1)),
        (DayOfNextMonth(5), "2026-09", date(2026, 10, 5), date(2026, 9, 30), date(2026, 10, 1)),
        (WorkingDays(5), "2026-09", date(2026, 10, 13), date(2026, 10, 13), date(2026, 10, 1)),
        (PeriodEnd(), "2026-Q2", date(2026, 6, 30), date(2026, 6, 30), date(2026, 6, 23)),
        (PeriodEnd(), "2026-Q1", date(2026, 3, 31), date(2026, 3, 31), date(2026, 3, 24)),
        (DayOfYear(2, 5), "2026", date(2026, 2, 5), date(2026, 2, 5), date(2026, 1, 29)),
        (DayOfYear(1, 31), "2026", date(2026, 1, 31), date(2026, 1, 30), date(2026, 1, 23)),
    ],
)
def test_each_rule_its_last_working_day_and_when_a_draft_is_made(
    calendar: Calendar, rule, code: str, due: date, last: date, draft: date
) -> None:
    assert due_on(rule, period(code), calendar) == due
    assert calendar.last_working_day(due) == last
    assert draft_from(last, due, period(code), calendar) == draft
    assert earliest(rule, period(code)) <= due


def test_a_year_later_needs_no_calendar_to_be_told_from_now() -> None:
    assert earliest(DayOfYear(1, 31, years_later=1), period("2028")) == date(2029, 1, 31)
    assert earliest(WorkingDays(5), period("2026-12")) == date(2027, 1, 1)


def test_filings_cover_what_the_documents_ask_for() -> None:
    asked = [
        (f.scheme_code[:11], f.code, f.level[:4], f.article.partition(" ")[2]) for f in DEADLINES
    ]
    assert asked == [
        ("central-sme", "new-loans", "head", "二(三)"),
        ("central-sme", "monthly-execution", "head", "三(一)"),
        ("central-sme", "annual-demand", "head", "二(二)"),
        ("central-sme", "annual-demand", "head", "二(四)"),
        ("central-sme", "annual-settlement", "head", "二(四)"),
        ("central-sme", "liquidation", "head", "二(五)"),
        ("central-equ", "monthly-execution", "head", "九"),
        ("central-equ", "monthly-application", "prov", "四"),
        ("central-equ", "annual-demand", "prov", "四"),
        ("central-equ", "annual-demand", "prov", "四"),
        ("central-equ", "annual-settlement", "prov", "五"),
        ("central-equ", "liquidation", "prov", "六"),
        ("jiangsu-man", "quarterly-payout", "prov", "(九)"),
    ]
    keys = [(f.scheme_code, f.code, p.code) for f in DEADLINES for p in f.periods()]
    assert len(keys) == len(set(keys)) == 12 + 36 + 3 + 3 + 1 + 36 + 36 + 3 + 3 + 1 + 4
    for filing in DEADLINES:
        assert all(one.end == two.start for one, two in pairwise(filing.periods()))
