"""Next year's need: exact amounts from today's balance, through windows, caps and tiers."""

from __future__ import annotations

from typing import Any

from settlement.engine import forecast
from tests.unit.engine.build import DAY, YUAN, Case, scheme

SME, MAKING = "central-sme-2026", "jiangsu-manufacturing-2026"


def needed(case: Case, year: int) -> list[tuple[Any, ...]]:
    rows = forecast.need(terms=case.terms, facts=case.deduct_facts(), year=year)
    return rows.sort("note_id", "scheme_code").rows()


def case(*codes: str) -> Case:
    return Case([scheme(code) for code in codes])


def test_a_whole_year_of_todays_balance() -> None:
    one = case(SME)
    one.note()
    one.repayments.append(
        {"note_id": 1, "repaid_on": DAY(2026, 8, 1), "amount_fen": 4_000_000 * YUAN}
    )
    # 6,000,000 × 1.5 % × (90 + 91 + 92 + 92) ÷ 360
    assert needed(one, 2027) == [(1, SME, 22_500_00 + 22_750_00 + 2 * 23_000_00, 0, 0)]


def test_the_term_ends_the_need_and_so_does_maturity() -> None:
    one = case(SME)
    one.note(drawn_on=DAY(2026, 2, 1), note_number="A")
    one.note(drawn_on=DAY(2026, 2, 1), matures_on=DAY(2027, 3, 3), note_number="B")
    whole, matured = needed(one, 2027)
    assert (whole[2], matured[2]) == (152_083_33, 25_416_67)
    # 10,000,000 × 1.5 % × 31 ÷ 360, to 2028-02-01
    assert needed(one, 2028) == [(1, SME, 12_916_67, 0, 0)]


def test_a_lifetime_cap_has_what_was_collected_before_used_up() -> None:
    one = case(SME)
    one.note(principal_fen=60_000_000 * YUAN)
    for start, end in ((DAY(2026, 1, 10), DAY(2026, 7, 1)), (DAY(2026, 7, 1), DAY(2026, 12, 31))):
        one.collect(start, end)
    # 50,000,000 × 1.5 % × (172 + 183) ÷ 360 is granted; 1,500,000 is the most there is
    assert needed(one, 2027) == [(1, SME, 1_500_000_00 - 739_583_33, 0, 0)]


def test_collections_of_the_year_itself_give_way() -> None:
    one = case(SME)
    one.note()
    before = needed(one, 2027)
    one.collect(DAY(2027, 1, 1), DAY(2027, 2, 1))
    assert needed(one, 2027) == before == [(1, SME, 152_083_33, 0, 0)]


def test_the_interest_ceiling_counts_interest_as_forecast() -> None:
    one = case(SME)
    one.note(rate_ppm=10_000)
    # 1 % a year is all the interest there is: 25,000.00 + 25,277.78 + 2 × 25,555.56
    assert needed(one, 2027) == [(1, SME, 25_000_00 + 25_277_78 + 2 * 25_555_56, 0, 0)]


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
    # 3,600,000 × 1 % × 365 ÷ 360, province and city; nothing accrues after 2026
    assert needed(one, 2026) == [(1, MAKING, 0, 36_500_00, 36_500_00)]
    assert needed(one, 2027) == []
