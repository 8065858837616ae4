"""Net-off, higher-of and pro-rata funds: what others paid, and what there is to share (§4)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlement.engine.codes import cut_reasons
from settlement.engine.prorata import allot
from tests.unit.engine.build import DAY, YUAN, Case, Fact, scheme, variant

START, END = DAY(2026, 1, 10), DAY(2027, 1, 5)
HALF = DAY(2026, 7, 9)


def _case(code: str, yuan: int) -> Case:
    """A note that earns `yuan` over 360 days at 1 %."""
    case = Case([scheme(code)])
    case.note(principal_fen=yuan * 100 * YUAN)
    return case


def _elsewhere(yuan: int, note: int = 1, year: int = 2027) -> Fact:
    return {"note_id": note, "year": year, "amount_fen": yuan * YUAN}


def _out(case: Case) -> list[tuple[int, list[str]]]:
    return [(r["municipal_fen"], cut_reasons(r["cut_reasons"])) for r in case.rows()]


@pytest.mark.parametrize(
    ("code", "own", "others", "expected"),
    [
        ("net-off", 100, 30, 7_000),
        ("net-off", 20, 30, 0),
        ("net-off", 100, 0, 10_000),
        ("higher-of", 100, 30, 10_000),
        ("higher-of", 20, 30, 0),
        ("higher-of", 30, 30, 0),
    ],
)
def test_against_what_was_received_elsewhere(
    code: str, own: int, others: int, expected: int
) -> None:
    case = _case(code, own)
    case.collect(START, END)
    case.external = [_elsewhere(others)]
    reason = code.replace("-", "_")
    assert _out(case) == [(expected, [reason] if expected < own * YUAN else [])]


def test_another_year_or_note_is_no_other() -> None:
    case = _case("net-off", 100)
    case.note(principal_fen=10_000 * YUAN)
    case.collect(START, END)
    case.external = [_elsewhere(30, year=2026), _elsewhere(30, note=2)]
    assert _out(case) == [(10_000, [])]


def test_net_off_is_to_date_within_the_year() -> None:
    case = _case("net-off", 100)
    case.collect(START, HALF, on=DAY(2026, 7, 9))
    case.collect(HALF, END, on=DAY(2026, 12, 31))
    case.external = [_elsewhere(60, year=2026)]
    assert _out(case) == [(0, ["net_off"]), (4_000, ["net_off"])]


def test_higher_of_catches_up_once_own_is_above() -> None:
    case = _case("higher-of", 100)
    case.collect(START, HALF, on=DAY(2026, 7, 9))
    case.collect(HALF, END, on=DAY(2026, 12, 31))
    case.external = [_elsewhere(60, year=2026)]
    assert _out(case) == [(0, ["higher_of"]), (10_000, [])]


def test_schemes_of_higher_priority_are_others() -> None:
    case = Case([scheme("net-off"), scheme("central-equipment-2026")])
    case.note(principal_fen=10_000 * YUAN)
    case.note("net-off", principal_fen=10_000 * YUAN)
    case.collect(START, DAY(2026, 12, 31), due=10**8)
    case.collect(START, DAY(2026, 12, 31), due=10**8, note=2)
    rows = {(r["note_id"], r["scheme_code"]): r for r in case.rows()}
    assert rows[1, "central-equipment-2026"]["central_fen"] == 14_792
    assert rows[1, "net-off"]["municipal_fen"] == 0
    assert rows[2, "net-off"]["municipal_fen"] == 9_861


def test_own_opening_amounts_are_not_others() -> None:
    case = _case("net-off", 100)
    case.opening = [
        {
            "note_id": 1,
            "scheme_code": "net-off",
            "tier": "municipal",
            "year": 2027,
            "amount_fen": 5_000,
            "interest_paid_fen": 0,
            "paid_through": START,
        }
    ]
    case.collect(START, END)
    assert _out(case) == [(10_000, [])]


def test_a_reversal_lowers_what_net_off_counts() -> None:
    case = _case("net-off", 100)
    case.external = [_elsewhere(30)]
    case.collect(START, END, due=1_000)
    case.collect(START, END, due=1_000, paid=-1_000, on=DAY(2027, 2, 1))
    case.collect(START, END, due=1_000, on=DAY(2027, 3, 1))
    assert [amount for amount, _ in _out(case)] == [7_000, -7_000, 7_000]


@pytest.mark.parametrize(
    ("amounts", "fund", "expected"),
    [
        ([100, 50, 50], 100, [50, 25, 25]),
        ([100, 50, 50], 200, [100, 50, 50]),
        ([100, 50, 50], 0, [0, 0, 0]),
        ([1, 1, 1], 2, [2, 0, 0]),
        ([2, 3, 3], 7, [1, 4, 2]),
        ([0, 0], 5, [0, 0]),
        ([100, -100, 100], 50, [50, -50, 50]),
        ([100, 100, -100, 33], 66, [50, 49, -49, 16]),
    ],
)
def test_a_fund_is_shared_in_proportion(amounts: list[int], fund: int, expected: list[int]) -> None:
    assert allot(amounts, fund) == expected


@given(
    st.lists(st.integers(min_value=0, max_value=10**12), min_size=1, max_size=30),
    st.integers(min_value=0, max_value=10**13),
)
def test_shares_use_the_fund_to_the_fen_and_never_more(amounts: list[int], fund: int) -> None:
    parts = allot(amounts, fund)
    assert sum(parts) == min(sum(amounts), fund)
    assert all(part >= 0 for part in parts)
    spare = max(fund - sum(a * fund // max(sum(amounts), 1) for a in amounts), 0)
    assert spare <= len(amounts) or sum(amounts) <= fund


def _three(fund: int) -> Case:
    case = Case([scheme("pro-rata")])
    for note, yuan in enumerate((50, 100, 50), 1):
        case.note(principal_fen=yuan * 100 * YUAN, enterprise_id=note)
        case.collect(START, END, note=note)
    case.funds = [{"scheme_code": "pro-rata", "year": 2027, "amount_fen": fund}]
    return case


def test_a_years_rows_share_its_fund() -> None:
    assert _out(_three(10_000)) == [
        (2_500, ["fund_pro_rata"]),
        (5_000, ["fund_pro_rata"]),
        (2_500, ["fund_pro_rata"]),
    ]
    assert _out(_three(10_003)) == [
        (2_500, ["fund_pro_rata"]),
        (5_003, ["fund_pro_rata"]),
        (2_500, ["fund_pro_rata"]),
    ]
    assert _out(_three(20_000)) == [(5_000, []), (10_000, []), (5_000, [])]


def test_each_year_has_its_own_fund_and_none_recorded_is_no_limit() -> None:
    case = _three(10_000)
    case.collections[0]["collected_on"] = DAY(2026, 12, 31)
    assert [amount for amount, _ in _out(case)] == [5_000, 6_667, 3_333]
    case.funds = []
    assert [amount for amount, _ in _out(case)] == [5_000, 10_000, 5_000]


def test_a_share_of_the_fund_goes_through_the_tiers() -> None:
    tier = 'tiers.municipal = { points = "1", assumed_because = "test / 试验" }'
    two = tier + "\n" + tier.replace("municipal", "provincial")
    case = Case([variant("pro-rata", {tier: two})])
    case.note(principal_fen=10_000 * YUAN)
    case.collect(START, END)
    case.funds = [{"scheme_code": "pro-rata", "year": 2027, "amount_fen": 10_001}]
    assert case.amounts() == [(0, 5_001, 5_000)]
