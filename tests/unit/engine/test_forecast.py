"""What existing notes will earn: exact amounts from known facts, through windows, caps and tiers."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from settlement.engine import assess, deduct, forecast
from settlement.engine.prorata import GRANTED
from tests.reference.facts import Portfolio
from tests.reference.portfolios import COVERING_SEEDS, portfolios, random_portfolio
from tests.unit.engine.build import DAY, YUAN, Case, scheme
from tests.unit.engine.interest_to_come import interest_to_come
from tests.unit.engine.portfolio import facts_of, shipped_terms

SME, MAKING = "central-sme-2026", "jiangsu-manufacturing-2026"
TERMS = shipped_terms()


def needed(case: Case, year: int, **options: Any) -> list[tuple[Any, ...]]:
    """A year's (note, scheme, central, provincial, municipal)."""
    rows = forecast.expected(
        terms=case.terms, facts=case.deduct_facts(),
        start=DAY(year, 1, 1), end=DAY(year + 1, 1, 1), **options,
    )  # fmt: skip
    sums = rows.group_by("note_id", "scheme_code").agg(pl.col(GRANTED).sum())
    return sums.sort("note_id", "scheme_code").rows()


def by_day(case: Case, start: date, end: date, **options: Any) -> dict[tuple[int, str], int]:
    """All tiers together by note and day."""
    rows = forecast.expected(
        terms=case.terms, facts=case.deduct_facts(), start=start, end=end, **options
    )
    return {(note, day.isoformat()): sum(fen) for note, _, day, *fen in rows.iter_rows()}


def case(*codes: str) -> Case:
    return Case([scheme(code) for code in codes])


def test_each_interest_day_collects_up_to_the_21st() -> None:
    one = case(SME)
    one.note()  # 10,000,000 from 2026-01-10; a day earns 416.6…
    assert by_day(one, DAY(2026, 1, 1), DAY(2026, 4, 1)) == {
        (1, "2026-01-20"): 4_583_33,  # 11 days
        (1, "2026-02-20"): 12_916_67,  # 31
        (1, "2026-03-20"): 11_666_67,  # 28
    }
    assert by_day(one, DAY(2026, 1, 1), DAY(2026, 7, 1), rhythm="quarterly") == {
        (1, "2026-03-20"): 29_166_67,  # 70
        (1, "2026-06-20"): 38_333_33,  # 92
    }


def test_a_whole_year_of_todays_balance() -> None:
    one = case(SME)
    one.note()
    one.repayments.append(
        {"note_id": 1, "repaid_on": DAY(2026, 8, 1), "amount_fen": 4_000_000 * YUAN}
    )
    # 6,000,000 × 1.5 % ÷ 360 is 250.00 a day, from 2026-12-21 to 2027-12-21
    assert needed(one, 2027) == [(1, SME, 365 * 250_00, 0, 0)]


def test_a_repayment_that_is_known_lowers_the_days_after_it() -> None:
    one = case(SME)
    one.note(principal_fen=7_200_000 * YUAN)  # 300.00 a day
    repaid = {"note_id": 1, "repaid_on": DAY(2027, 3, 1), "amount_fen": 2_400_000 * YUAN}
    one.repayments.append(repaid)
    days = by_day(one, DAY(2027, 2, 1), DAY(2027, 5, 1))
    assert list(days.values()) == [31 * 300_00, 8 * 300_00 + 20 * 200_00, 31 * 200_00]


def test_the_recorded_rhythm_goes_on_from_what_is_collected() -> None:
    one = case(SME)
    for number in ("A", "B", "C"):
        one.note(principal_fen=7_200_000 * YUAN, note_number=number)
    one.collect(DAY(2026, 1, 10), DAY(2026, 3, 21), note=1)  # a quarter's
    one.collect(DAY(2026, 2, 21), DAY(2026, 3, 21), note=2)  # a month's
    one.collect(DAY(2026, 1, 21), DAY(2026, 3, 21), note=3)  # a stub after it tells nothing
    one.collect(DAY(2026, 3, 21), DAY(2026, 4, 3), note=3)
    one.note(principal_fen=7_200_000 * YUAN, note_number="D", drawn_on=DAY(2026, 3, 10))
    one.collect(DAY(2026, 3, 10), DAY(2026, 3, 21), note=4)  # nor does one alone
    start, end = DAY(2026, 6, 1), DAY(2026, 7, 1)
    assert by_day(one, start, end) == {
        (1, "2026-06-20"): 92 * 300_00,
        (2, "2026-06-20"): 31 * 300_00,
        (3, "2026-06-20"): 79 * 300_00,
        (4, "2026-06-20"): 31 * 300_00,
    }
    assert by_day(one, start, end, rhythm="quarterly")[4, "2026-06-20"] == 92 * 300_00


def test_the_term_ends_the_need_and_so_does_maturity() -> None:
    one = case(SME)
    one.note(drawn_on=DAY(2026, 2, 1), note_number="A", principal_fen=7_200_000 * YUAN)
    one.note(
        drawn_on=DAY(2026, 2, 1), matures_on=DAY(2027, 3, 3), note_number="B",
        principal_fen=7_200_000 * YUAN,
    )  # fmt: skip
    whole, matured = needed(one, 2027)
    assert (whole[2], matured[2]) == (365 * 300_00, 72 * 300_00)
    # to 2028-02-01, of which 11 days are interest of 2027 collected in January
    assert needed(one, 2028) == [(1, SME, 42 * 300_00, 0, 0)]


def test_a_last_interest_is_collected_on_maturity() -> None:
    one = case(SME)
    one.note(principal_fen=7_200_000 * YUAN, matures_on=DAY(2027, 3, 3))
    assert by_day(one, DAY(2027, 2, 1), DAY(2027, 4, 1)) == {
        (1, "2027-02-20"): 31 * 300_00,
        (1, "2027-03-03"): 10 * 300_00,
    }


def test_a_lifetime_cap_has_used_up_what_is_collected_and_what_is_yet_to_be_before() -> None:
    one = case(SME)
    one.note(principal_fen=60_000_000 * YUAN)
    one.collect(DAY(2026, 1, 10), DAY(2026, 7, 1), on=DAY(2026, 7, 1))
    # 50,000,000 × 1.5 % × days ÷ 360 is 2,083.3… a day, 1,500,000.00 in all: 172 days are recorded,
    # 82 and 91 to come in 2026, then 90, 92, 92 and 91
    rest_of_2026 = by_day(one, DAY(2026, 7, 2), DAY(2027, 1, 1))
    assert list(rest_of_2026.values()) == [170_833_33, 189_583_33]
    assert needed(one, 2027) == [(1, SME, 187_500_00 + 2 * 191_666_67 + 189_583_33, 0, 0)]
    left = 1_500_000_00 - 358_333_33 - 170_833_33 - 189_583_33 - 760_416_67
    assert needed(one, 2028) == [(1, SME, left, 0, 0)]


def test_collections_of_the_year_itself_give_way() -> None:
    one = case(SME)
    one.note()
    before = needed(one, 2027)
    one.collect(DAY(2027, 1, 1), DAY(2027, 2, 1))
    assert needed(one, 2027) == before == [(1, SME, 152_083_36, 0, 0)]


def test_the_interest_ceiling_counts_interest_as_forecast() -> None:
    one = case(SME)
    one.note(rate_ppm=10_000, principal_fen=7_200_000 * YUAN)
    # 1 % a year is all the interest there is: 200.00 a day
    assert needed(one, 2027) == [(1, SME, 365 * 200_00, 0, 0)]


def test_interest_of_days_before_the_first_accrual_day_counts_for_the_ceiling() -> None:
    one = case(MAKING)
    one.note(
        equipment_fen=3_600_000 * YUAN, principal_fen=3_600_000 * YUAN, rate_ppm=10_000,
        drawn_on=DAY(2020, 7, 1),
    )  # fmt: skip
    # 2 % of 20 days would be 4,000.00; the interest of 31 days is 3,100.00
    assert by_day(one, DAY(2026, 1, 1), DAY(2026, 2, 1)) == {(1, "2026-01-20"): 3_100_00}


def test_what_is_stopped_repaid_or_not_yet_drawn_needs_nothing() -> None:
    one = case(SME)
    stop = {"note_id": 1, "status": "overdue", "starts_on": DAY(2026, 9, 1), "ends_on": None}
    one.note()
    one.stops.append(stop)
    one.note()
    one.repayments.append(
        {"note_id": 2, "repaid_on": DAY(2026, 8, 1), "amount_fen": 10_000_000 * YUAN}
    )
    assert needed(one, 2027) == []
    assert needed(case(SME), 2027) == []


def test_tiers_are_told_apart_and_the_last_accrual_day_counts() -> None:
    one = case(MAKING)
    one.note(equipment_fen=3_600_000 * YUAN, drawn_on=DAY(2025, 7, 1))
    # 100.00 a day from 2026-01-01, province and city; nothing accrues after 2026
    assert needed(one, 2026) == [(1, MAKING, 0, 354 * 100_00, 354 * 100_00)]
    assert needed(one, 2027) == [(1, MAKING, 0, 11 * 100_00, 11 * 100_00)]


def test_planned_collections_stand_for_their_periods() -> None:
    one = case(SME)
    one.note(principal_fen=7_200_000 * YUAN)  # 300.00 a day
    one.collect(DAY(2026, 1, 10), DAY(2026, 2, 21))
    one.collect(DAY(2026, 2, 25), DAY(2026, 3, 21), on=DAY(2026, 3, 22))
    one.collect(DAY(2026, 4, 21), DAY(2026, 6, 21), on=DAY(2026, 6, 22))
    facts = one.deduct_facts()
    planned = facts.collections.filter(pl.col("collection_id") > 1)
    rows = forecast.expected(
        terms=one.terms,
        facts=replace(facts, collections=facts.collections.head(1)),
        start=DAY(2026, 3, 1),
        end=DAY(2026, 7, 1),
        planned=planned.with_columns(interest_paid_fen=pl.lit(0, dtype=pl.Int64)),
        rhythm="monthly",
    )
    assert dict(rows.select("collected_on", "central_fen").iter_rows()) == {
        DAY(2026, 3, 20): 4 * 300_00,  # the days before the plan
        DAY(2026, 3, 22): 24 * 300_00,
        DAY(2026, 6, 20): 31 * 300_00,  # 03-21 to 04-21, on the quarter's day
        DAY(2026, 6, 22): 61 * 300_00,
    }


def test_a_plan_collected_in_part_brings_the_rest() -> None:
    one = case(SME)
    one.note(principal_fen=7_200_000 * YUAN)
    due = 1_000_000
    one.collect(DAY(2026, 2, 21), DAY(2026, 3, 21), due=due, paid=due // 4, on=DAY(2026, 3, 20))
    planned = one.deduct_facts().collections.with_columns(
        collection_id=pl.lit(7, dtype=pl.Int64), collected_on=pl.lit(DAY(2026, 4, 2))
    )
    days = by_day(one, DAY(2026, 4, 1), DAY(2026, 5, 1), planned=planned)
    assert days == {(1, "2026-04-02"): 28 * 300_00 * 3 // 4, (1, "2026-04-20"): 31 * 300_00}


def _agree(rows: Portfolio, start: date, end: date) -> None:
    known, build = facts_of(rows)
    facts = build(assess(terms=TERMS, facts=known))
    found = forecast.expected(terms=TERMS, facts=facts, start=start, end=end)
    before = facts.collections.filter(pl.col("collected_on") < start)
    paid = pl.DataFrame(interest_to_come(facts, start, end), schema=before.schema, orient="row")
    really = replace(facts, collections=pl.concat([before, paid]))
    posted = (
        deduct(terms=TERMS, facts=really)
        .rows.join(really.collections.select("collection_id", "collected_on"), on="collection_id")
        .filter((pl.col("collected_on") >= start) & (pl.sum_horizontal(GRANTED) > 0))
        .select("note_id", "scheme_code", "collected_on", *GRANTED)
        .sort("note_id", "scheme_code", "collected_on")
    )
    assert found.rows() == posted.rows()


CUTS = [
    (DAY(2026, 1, 1), DAY(2027, 1, 1)),
    (DAY(2026, 6, 1), DAY(2026, 7, 1)),
    (DAY(2026, 10, 1), DAY(2027, 1, 1)),
    (DAY(2027, 1, 1), DAY(2028, 1, 1)),
]


@pytest.mark.parametrize(("seed", "notes"), COVERING_SEEDS)
def test_covering_portfolios_come_out_as_forecast(seed: int, notes: int) -> None:
    for start, end in CUTS[::2]:
        _agree(random_portfolio(seed, notes=notes), start, end)


@settings(max_examples=40, deadline=None)
@given(portfolios(), st.sampled_from(CUTS))
def test_if_interest_is_paid_as_forecast_a_run_posts_the_forecast(
    rows: Portfolio, cut: tuple[date, date]
) -> None:
    _agree(rows, *cut)
