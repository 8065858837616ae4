"""The periods people ask reports for."""

from __future__ import annotations

from datetime import date

import pytest

from reports.definitions.period import month_of, parse


@pytest.mark.parametrize(
    ("text", "start", "end", "title"),
    [
        ("2026-03", date(2026, 3, 1), date(2026, 4, 1), "2026年3月"),
        ("2026-12", date(2026, 12, 1), date(2027, 1, 1), "2026年12月"),
        ("2026-Q1", date(2026, 1, 1), date(2026, 4, 1), "2026年第一季度"),
        ("2026-Q4", date(2026, 10, 1), date(2027, 1, 1), "2026年第四季度"),
        (" 2027 ", date(2027, 1, 1), date(2028, 1, 1), "2027年"),
    ],
)
def test_periods_are_half_open(text: str, start: date, end: date, title: str) -> None:
    found = parse(text)
    assert found is not None
    assert (found.start, found.end, found.title_zh, found.code) == (start, end, title, text.strip())


@pytest.mark.parametrize(
    "text",
    ["", "26", "2026-13", "2026-00", "2026-3", "2026-Q5", "2026-q1", "２０２６", "2026-03-01"],
)
def test_what_is_no_period(text: str) -> None:
    assert parse(text) is None


def test_the_year_a_period_lies_in_and_the_year_to_date() -> None:
    march = month_of(date(2026, 3, 21))
    assert march == parse("2026-03")
    assert march.year == parse("2026")
    assert (march.to_date.start, march.to_date.end) == (date(2026, 1, 1), date(2026, 4, 1))
    assert march.year.is_year and not march.is_year
