"""Months and days, checked against QuantLib's calendar arithmetic."""

from __future__ import annotations

import datetime

import polars as pl
import pytest
import QuantLib as ql  # noqa: N813 (its own documentation's name)
from hypothesis import given
from hypothesis import strategies as st

from settlement.engine import months
from settlement.engine.exact import half_up_int
from tests.unit.engine.build import DAY, Case, variant

DAYS = st.dates(min_value=DAY(2020, 1, 1), max_value=DAY(2035, 12, 31))


def _ql(day: datetime.date) -> ql.Date:
    return ql.Date(day.day, day.month, day.year)


def _one(expr: pl.Expr, start: datetime.date, end: datetime.date) -> object:
    return pl.DataFrame({"s": [start], "e": [end]}).select(expr).item()


@given(DAYS, st.integers(min_value=0, max_value=120))
def test_adding_months_lands_where_quantlib_does(start: datetime.date, count: int) -> None:
    later = _ql(start) + ql.Period(count, ql.Months)
    expected = DAY(later.year(), later.month(), later.dayOfMonth())
    assert _one(months.add_months(pl.col("s"), count), start, start) == expected


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (DAY(2026, 1, 31), DAY(2026, 2, 28), (1, 0)),
        (DAY(2026, 1, 31), DAY(2026, 3, 30), (1, 30)),
        (DAY(2024, 2, 29), DAY(2025, 2, 28), (12, 0)),
        (DAY(2021, 5, 27), DAY(2022, 1, 1), (7, 5)),
        (DAY(2021, 7, 16), DAY(2022, 1, 1), (5, 16)),
        (DAY(2026, 3, 21), DAY(2026, 3, 21), (0, 0)),
        (DAY(2026, 3, 21), DAY(2026, 4, 20), (0, 30)),
    ],
)
def test_whole_months_and_odd_days(
    start: datetime.date, end: datetime.date, expected: tuple[int, int]
) -> None:
    whole, odd = months.months_and_odd_days(pl.col("s"), pl.col("e"))
    assert (_one(whole, start, end), _one(odd, start, end)) == expected


@given(DAYS, DAYS)
def test_whole_months_is_the_most_that_fit(one: datetime.date, two: datetime.date) -> None:
    start, end = min(one, two), max(one, two)
    count = _one(months.whole_months(pl.col("s"), pl.col("e")), start, end)
    assert isinstance(count, int)
    assert _ql(start) + ql.Period(count, ql.Months) <= _ql(end)
    assert _ql(start) + ql.Period(count + 1, ql.Months) > _ql(end)


@pytest.mark.parametrize(
    ("basis", "counter"), [("360", ql.Actual360()), ("365", ql.Actual365Fixed())]
)
def test_actual_day_counts_agree_with_quantlib(basis: str, counter: ql.DayCounter) -> None:
    case = Case([variant("putian-2025", {'"actual_360"': f'"actual_{basis}"', "= 12": "= 48"})])
    case.note()
    periods = []
    for offset in range(0, 900, 7):
        start = DAY(2026, 1, 10) + datetime.timedelta(days=offset)
        periods.append((start, start + datetime.timedelta(days=1 + offset % 401)))
        case.collect(*periods[-1])
    for row, (start, end) in zip(case.rows(), periods, strict=True):
        assert row["days"] == counter.dayCount(_ql(start), _ql(end))
        assert row["raw_municipal_fen"] == half_up_int(10**7 * row["days"], int(basis))
        year_part = counter.yearFraction(_ql(start), _ql(end))
        assert round(year_part * int(basis)) == row["days"]
