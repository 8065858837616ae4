"""How fast money goes and until when it lasts: whole months, whole days, exact fen."""

from __future__ import annotations

from datetime import date

import pytest

from settlement.engine.runway import HORIZON_DAYS, Burn, burn, window

TODAY = date(2026, 6, 15)
SPRING = (date(2026, 3, 1), date(2026, 6, 1))  # 92 days


@pytest.mark.parametrize(
    ("today", "since", "until"),
    [
        (TODAY, *SPRING),
        (date(2026, 6, 1), *SPRING),
        (date(2026, 1, 31), date(2025, 10, 1), date(2026, 1, 1)),
        (date(2026, 3, 31), date(2025, 12, 1), date(2026, 3, 1)),
    ],
)
def test_the_window_is_the_last_three_full_months(today: date, since: date, until: date) -> None:
    assert window(today) == (since, until)


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        (date(2025, 1, 1), Burn(*SPRING, 900)),
        (date(2026, 3, 1), Burn(*SPRING, 900)),
        (date(2026, 4, 1), Burn(date(2026, 4, 1), SPRING[1], 900)),
        (date(2026, 5, 1), Burn(date(2026, 5, 1), SPRING[1], 900)),
        (date(2026, 6, 1), None),
        (None, None),
    ],
)
def test_a_use_that_began_lately_is_not_spread_over_months_without(
    first: date | None, expected: Burn | None
) -> None:
    assert burn(first=first, paid_fen=900, today=TODAY) == expected


@pytest.mark.parametrize(("paid", "monthly"), [(900, 300), (100, 33), (101, 34), (0, 0)])
def test_an_average_month_is_rounded_half_up(paid: int, monthly: int) -> None:
    assert Burn(*SPRING, paid).monthly_fen == monthly


@pytest.mark.parametrize(("paid", "monthly"), [(1, 1), (3, 2), (5, 3)])
def test_halves_go_up(paid: int, monthly: int) -> None:
    assert Burn(date(2026, 4, 1), SPRING[1], paid).monthly_fen == monthly


@pytest.mark.parametrize(
    ("balance", "day"),
    [
        (0, TODAY),
        (-5, TODAY),
        (9, TODAY),  # a day takes 9.78
        (10, date(2026, 6, 16)),
        (900, date(2026, 9, 15)),
        (899, date(2026, 9, 14)),
        (900 * HORIZON_DAYS // 92, date(2036, 6, 11)),
        (900 * HORIZON_DAYS // 92 + 10, None),
    ],
)
def test_the_day_on_which_the_balance_no_longer_covers_the_use(
    balance: int, day: date | None
) -> None:
    assert Burn(*SPRING, 900).short_on(balance, today=TODAY) == day


@pytest.mark.parametrize("paid", [0, -1])
def test_what_is_not_used_does_not_end(paid: int) -> None:
    assert Burn(*SPRING, paid).short_on(0, today=TODAY) is None
