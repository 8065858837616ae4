"""What lending to come would earn: exact amounts from a base year's notes."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest

from settlement.engine import lending
from settlement.engine.lending import BASE, Growth
from settlement.engine.terms import Terms
from tests.unit.engine.build import DAY, YUAN, scheme, variant

SME, MAKING, SPORTS = "central-sme-2026", "jiangsu-manufacturing-2026", "jiangsu-sports-2026"
YEAR = {"start": DAY(2026, 1, 1), "end": DAY(2027, 1, 1)}


def drawn(code: str, on: date, **fields: Any) -> dict[str, Any]:
    """7,200,000 yuan at branch 1: one point is 200.00 a day on 360."""
    return {
        "note_id": 1, "scheme_code": code, "institution_id": 1, "drawn_on": on,
        "matures_on": on.replace(year=on.year + 3), "eligible_fen": 7_200_000 * YUAN,
        "rate_ppm": 36_000, "lpr_ppm": None, "tiers_off": [], **fields,
    }  # fmt: skip


def expected(
    terms: list[Terms],
    *base: dict[str, Any],
    ppm: int = 0,
    after: date | None = None,
    **options: Any,
) -> lending.Lending:
    return lending.expected(
        terms=terms,
        base=pl.DataFrame(list(base), schema=BASE),
        growth=Growth(2026, 2025, ppm),
        after=after,
        **{**YEAR, **options},
    )


def open_sme() -> Terms:
    """The SME scheme if it took notes of any day."""
    return variant(SME, {"from = 2026-01-01, until = 2027-01-01": "from = 2020-01-01"})


def test_a_note_like_last_years_earns_from_its_day_to_the_years_last_interest_day() -> None:
    found = expected([open_sme()], drawn(SME, DAY(2025, 10, 7)))
    # 300.00 a day
    assert found.subsidies.rows() == [
        (SME, 1, DAY(2026, 10, 20), 14 * 300_00, 0, 0),
        (SME, 1, DAY(2026, 11, 20), 31 * 300_00, 0, 0),
        (SME, 1, DAY(2026, 12, 20), 30 * 300_00, 0, 0),
    ]
    assert found.drawdowns.rows() == [
        (SME, 1, DAY(2026, 10, 1), 1, 7_200_000 * YUAN, 7_200_000 * YUAN)
    ]
    quarter = expected([open_sme()], drawn(SME, DAY(2025, 10, 7)), rhythm="quarterly")
    assert quarter.subsidies.rows() == [(SME, 1, DAY(2026, 12, 20), 75 * 300_00, 0, 0)]


@pytest.mark.parametrize(
    ("ppm", "earned", "lent"),
    [(0, 1_458, 35_000_00), (500_000, 2_188, 52_500_00), (-1_000_000, 0, 0), (1, 1_458, 35_000_04)],
)
def test_growth_multiplies_before_the_one_rounding(ppm: int, earned: int, lent: int) -> None:
    """35,000.00 × 1.5 % × 10 ÷ 360 is 14.5833…, half as much again 21.875: half up."""
    base = drawn(SME, DAY(2025, 12, 11), eligible_fen=35_000_00)
    found = expected([open_sme()], base, ppm=ppm)
    assert found.subsidies["central_fen"].to_list() == [earned]
    assert found.drawdowns["expected_fen"].to_list() == [lent]


def test_a_branchs_notes_are_added_up_before_they_are_rounded() -> None:
    """Thrice 0.004166… is 0.0125: a fen, where each alone rounds to none."""
    rows = [
        drawn(SME, DAY(2025, 12, 11), note_id=n, eligible_fen=10_00, institution_id=1 + n // 4)
        for n in (1, 2, 3, 4)
    ]
    found = expected([open_sme()], *rows)
    assert found.subsidies.select("institution_id", "central_fen").rows() == [(1, 1), (2, 0)]


def test_what_is_known_of_the_year_already_is_not_expected_again() -> None:
    rows = [drawn(SME, DAY(2025, 3, 9)), drawn(SME, DAY(2025, 3, 10), note_id=2)]
    found = expected([open_sme()], *rows, after=DAY(2026, 3, 9), end=DAY(2026, 4, 1))
    assert found.drawdowns["notes"].to_list() == [1]
    assert found.subsidies.rows() == [(SME, 1, DAY(2026, 3, 20), 11 * 300_00, 0, 0)]


def test_a_month_asks_for_its_own_days_alone() -> None:
    row = drawn(SME, DAY(2025, 1, 9))
    found = expected([open_sme()], row, start=DAY(2026, 6, 1), end=DAY(2026, 7, 1))
    assert found.subsidies.rows() == [(SME, 1, DAY(2026, 6, 20), 31 * 300_00, 0, 0)]


def test_a_scheme_whose_window_has_closed_or_is_not_open_yet_expects_nothing() -> None:
    for growth, code in ((Growth(2027, 2026), SME), (Growth(2025, 2024), SME),
                         (Growth(2027, 2026), MAKING)):  # fmt: skip
        found = lending.expected(
            terms=[scheme(code)],
            base=pl.DataFrame([drawn(code, DAY(growth.base_year, 3, 9))], schema=BASE),
            growth=growth,
            after=None,
            start=DAY(growth.year, 1, 1),
            end=DAY(growth.year + 1, 1, 1),
        )
        assert found.subsidies.is_empty()
        assert found.drawdowns.is_empty()


def test_accrual_days_term_and_maturity_end_it_and_tiers_are_told_apart() -> None:
    terms = [scheme(MAKING), variant(SPORTS, {"months = 12": "months = 1"})]
    found = expected(
        terms,
        drawn(MAKING, DAY(2025, 11, 21), matures_on=DAY(2026, 1, 21)),  # two months
        drawn(MAKING, DAY(2025, 12, 11), note_id=2, institution_id=2, tiers_off=["municipal"]),
        drawn(SPORTS, DAY(2025, 11, 11), note_id=3, eligible_fen=7_300_000 * YUAN),
    )
    assert found.subsidies.rows() == [
        (MAKING, 1, DAY(2026, 12, 20), 0, 30 * 200_00, 30 * 200_00),
        (MAKING, 2, DAY(2026, 12, 20), 0, 10 * 200_00, 0),
        (SPORTS, 1, DAY(2026, 11, 20), 0, 10 * 240_00, 0),  # 1.2 % ÷ 365
        (SPORTS, 1, DAY(2026, 12, 20), 0, 20 * 240_00, 0),  # to 2026-12-11
    ]


def test_rates_change_by_accrual_day_and_the_last_accrual_day_cuts_a_period() -> None:
    found = expected([scheme("dated")], drawn("dated", DAY(2025, 6, 11)), end=DAY(2026, 8, 1))
    # provincial 2 % before July and 1 % from then on, municipal 0.3 % of drawdowns from March on
    assert found.subsidies.rows() == [
        ("dated", 1, DAY(2026, 6, 20), 0, 10 * 400_00, 10 * 60_00),
        ("dated", 1, DAY(2026, 7, 20), 0, 10 * 400_00 + 20 * 200_00, 30 * 60_00),
    ]
    short = variant(MAKING, {"accrued = { from = 2026-01-01, until = 2027-01-01": "accrued = { from = 2026-03-11, until = 2026-04-01"})  # fmt: skip
    found = expected([short], drawn(MAKING, DAY(2025, 3, 1)))
    assert found.subsidies.select("collected_on", "provincial_fen").rows() == [
        (DAY(2026, 3, 20), 10 * 200_00),
        (DAY(2026, 4, 20), 11 * 200_00),
    ]


def test_a_percentage_of_interest_counts_the_notes_own_rate() -> None:
    terms = variant(
        SME,
        {
            "from = 2026-01-01, until = 2027-01-01": "from = 2020-01-01",
            'method = { value = "points"': 'method = { value = "percent_of_interest"',
            'day_count = { value = "actual_360", assumed_because = "D1: 人民币利息按360天计 / banks count RMB interest on 360 days" }': "",
            'points = "1.5"': 'percent = "50"',
        },
    )
    found = expected([terms], drawn(SME, DAY(2025, 12, 11)))
    # 7,200,000 × 3.6 % is 720.00 a day; half of it
    assert found.subsidies["central_fen"].to_list() == [10 * 360_00]
