"""What a period earns: every method of domain §4, windows, stops and part payments (D2–D8)."""

from __future__ import annotations

import datetime

import pytest

from settlement.engine.exact import half_up_int
from tests.unit.engine.build import DAY, YUAN, Case, scheme, variant

EQUIPMENT, MANUFACTURING = "central-equipment-2026", "jiangsu-manufacturing-2026"
SPORTS = "jiangsu-sports-2026"
MILLION = 1_000_000 * YUAN
MARCH, JUNE = DAY(2026, 3, 21), DAY(2026, 6, 21)


def _case(code: str = EQUIPMENT, **values: object) -> Case:
    case = Case([scheme(code)])
    case.note(**values)
    return case


def _earned(case: Case) -> list[tuple[int, int, int]]:
    return [(r["days"], r["product"], sum(_raws(r))) for r in case.rows()]


def _raws(row: dict[str, int]) -> tuple[int, int, int]:
    return row["raw_central_fen"], row["raw_provincial_fen"], row["raw_municipal_fen"]


def test_points_times_principal_times_days() -> None:
    case = _case()
    case.collect(MARCH, JUNE)
    assert _earned(case) == [(92, 92 * 10 * MILLION, 3_833_333)]


def test_the_365_day_basis() -> None:
    case = _case(SPORTS, purpose_field="体育产业", loan_type="project")
    case.collect(MARCH, JUNE)
    assert _earned(case) == [(92, 92 * 10 * MILLION, half_up_int(10 * MILLION * 12 * 92, 365_000))]


@pytest.mark.parametrize(
    ("start", "end", "days"),
    [
        (DAY(2026, 1, 1), DAY(2026, 1, 21), 11),
        (DAY(2027, 12, 21), DAY(2028, 1, 21), 20),
        (DAY(2028, 1, 9), DAY(2028, 1, 10), 1),
    ],
)
def test_days_outside_the_term_do_not_count(
    start: datetime.date, end: datetime.date, days: int
) -> None:
    case = _case()
    case.collect(start, end)
    assert [r["days"] for r in case.rows()] == [days]


def test_a_period_wholly_outside_gives_no_row() -> None:
    case = _case()
    case.collect(DAY(2025, 12, 21), DAY(2026, 1, 10))
    case.collect(DAY(2028, 1, 10), DAY(2028, 1, 21))
    assert case.rows() == []


def test_maturity_by_itself_stops_nothing() -> None:
    case = _case(matures_on=DAY(2026, 4, 1))
    case.collect(MARCH, JUNE)
    assert [r["days"] for r in case.rows()] == [92]


def test_manufacturing_counts_the_days_of_2026_whenever_drawn() -> None:
    case = _case(MANUFACTURING, drawn_on=DAY(2024, 2, 1), equipment_fen=MILLION)
    case.collect(DAY(2025, 12, 21), DAY(2026, 1, 21))
    case.collect(DAY(2026, 12, 21), DAY(2027, 1, 21))
    assert [r["days"] for r in case.rows()] == [20, 11]


def test_the_base_is_the_equipment_share_of_each_days_balance() -> None:
    case = _case(MANUFACTURING, equipment_fen=3_333_333 * YUAN)
    case.repayments = [{"note_id": 1, "repaid_on": DAY(2026, 5, 1), "amount_fen": 1_234_567_89}]
    case.collect(MARCH, JUNE)
    before, after = 3_333_333 * YUAN, half_up_int(
        (10 * MILLION - 123_456_789) * 3_333_333 * YUAN, 10 * MILLION
    )  # fmt: skip
    product = before * 41 + after * 51
    (row,) = case.rows()
    assert (row["days"], row["product"]) == (92, product)
    assert _raws(row) == (0, half_up_int(product, 36_000), half_up_int(product, 36_000))


def test_days_with_no_base_are_not_counted() -> None:
    case = _case()
    case.repayments = [{"note_id": 1, "repaid_on": DAY(2026, 4, 1), "amount_fen": 10 * MILLION}]
    case.collect(MARCH, JUNE)
    case.collect(JUNE, DAY(2026, 9, 21))
    assert [r["days"] for r in case.rows()] == [11]


@pytest.mark.parametrize("status", ["overdue", "extended", "non_performing"])
def test_stopped_days_earn_nothing_and_are_not_revived(status: str) -> None:
    case = _case()
    case.stops = [
        {"note_id": 1, "status": status, "starts_on": DAY(2026, 4, 1), "ends_on": DAY(2026, 5, 1)}
    ]
    case.collect(MARCH, JUNE)
    case.collect(JUNE, DAY(2026, 7, 21))
    assert [r["days"] for r in case.rows()] == [62, 30]


def test_foreign_currency_balances_keep_their_ratio() -> None:
    case = _case(MANUFACTURING, principal_fen=3_000_000, equipment_fen=1_000_000,
                 exchange_rate_e8=700_000_000, currency="USD")  # fmt: skip
    case.repayments = [{"note_id": 1, "repaid_on": DAY(2026, 5, 1), "amount_fen": 1_500_000}]
    case.collect(MARCH, JUNE)
    assert [r["product"] for r in case.rows()] == [7_000_000 * 41 + 3_500_000 * 51]


def test_a_part_payment_earns_its_share_and_parts_add_up_to_the_whole() -> None:
    case = _case()
    for paid in (100, 100, 100):
        case.collect(MARCH, JUNE, due=300, paid=paid)
    earned = [sum(_raws(r)) for r in case.rows()]
    assert earned == [1_277_778, 1_277_778, 1_277_777]
    assert sum(earned) == 3_833_333
    assert [r["product"] for r in case.rows()] == [92 * 10 * MILLION] * 3


def test_parts_are_served_by_day_then_reference() -> None:
    case = _case()
    case.collect(MARCH, JUNE, due=3, paid=1, reference="S2")
    case.collect(MARCH, JUNE, due=3, paid=1, reference="S1")
    case.collect(MARCH, JUNE, due=3, paid=1, on=DAY(2026, 6, 1))
    assert [sum(_raws(r)) for r in case.rows()] == [1_277_777, 1_277_778, 1_277_778]
    case.collections[1]["interest_paid_fen"] = 0
    assert [sum(_raws(r)) for r in case.rows()] == [1_277_778, 0, 1_277_778]


def test_nothing_due_or_paid_earns_nothing_but_shows() -> None:
    case = _case()
    case.collect(MARCH, JUNE, due=0)
    case.collect(JUNE, DAY(2026, 7, 21), due=100, paid=0)
    assert [(r["days"], sum(_raws(r))) for r in case.rows()] == [(92, 0), (30, 0)]


def test_paid_above_due_earns_the_whole_once() -> None:
    case = _case()
    case.collect(MARCH, JUNE, due=300, paid=200)
    case.collect(MARCH, JUNE, due=300, paid=200)
    case.collect(MARCH, JUNE, due=300, paid=50)
    assert [sum(_raws(r)) for r in case.rows()] == [2_555_556, 1_277_777, 0]


def test_a_lowering_row_takes_back_what_its_payment_gave() -> None:
    due = 300_000 * YUAN
    case = _case()
    case.collect(MARCH, JUNE, due=due, paid=due * 2 // 3)
    case.collect(MARCH, JUNE, due=due, paid=-due // 3, on=DAY(2026, 7, 1))
    case.collect(MARCH, JUNE, due=due, paid=due * 2 // 3, on=DAY(2026, 7, 2))
    assert [(sum(_raws(r)), r["central_fen"]) for r in case.rows()] == [
        (2_555_556, 2_555_556),
        (-1_277_778, -1_277_778),
        (2_555_555, 2_555_555),
    ]


def test_days_before_an_opening_position_was_paid_through_do_not_count() -> None:
    case = _case()
    case.opening = [
        {
            "note_id": 1,
            "scheme_code": EQUIPMENT,
            "tier": "central",
            "year": 2026,
            "amount_fen": 1,
            "interest_paid_fen": 10**9,
            "paid_through": DAY(2026, 5, 1),
        }
    ]
    case.collect(DAY(2026, 1, 21), MARCH)
    case.collect(MARCH, JUNE)
    assert [(r["collection_id"], r["days"]) for r in case.rows()] == [(2, 51)]


def test_percent_of_interest_paid() -> None:
    case = _case("shanghang-2022", drawn_on=DAY(2022, 1, 10))
    case.collect(DAY(2022, 1, 21), DAY(2022, 4, 21), due=28_160_055)
    case.collect(DAY(2022, 4, 21), DAY(2022, 7, 21), due=1000, paid=255)
    assert [_raws(r)[2] for r in case.rows()] == [25_344_050, 230]


def test_percent_of_interest_counts_only_the_subsidised_share_of_the_period() -> None:
    case = _case("shanghang-2022", drawn_on=DAY(2022, 1, 10))
    case.stops = [
        {"note_id": 1, "status": "overdue", "starts_on": DAY(2022, 4, 1), "ends_on": None}
    ]
    case.repayments = [{"note_id": 1, "repaid_on": DAY(2022, 3, 1), "amount_fen": 4 * MILLION}]
    case.collect(DAY(2022, 2, 1), DAY(2022, 5, 1), due=1_000_000)
    counted, whole = 28 * 10 + 31 * 6, 28 * 10 + 61 * 6
    assert [_raws(r)[2] for r in case.rows()] == [half_up_int(900_000 * counted, whole)]


def test_interest_up_to_lpr_plus_n() -> None:
    case = _case("lpr-plus", rate_ppm=36_000)
    case.note(rate_ppm=34_000)
    case.collect(MARCH, JUNE)
    case.collect(MARCH, JUNE, note=2)
    whole = [10 * MILLION * 92 * ppm for ppm in (35_000, 34_000)]
    assert [_raws(row) for row in case.rows()] == [
        (0, half_up_int(amount * 8, 3600 * 10**6), half_up_int(amount * 2, 3600 * 10**6))
        for amount in whole
    ]


def test_whole_months_ignore_odd_days() -> None:
    case = _case("fuzhou-2022")
    case.collect(MARCH, DAY(2026, 7, 20))
    case.collect(DAY(2026, 7, 20), DAY(2026, 8, 10))
    (row,) = case.rows()
    assert (row["days"], _raws(row)[2]) == (90, 7_500_000)


def test_whole_months_and_odd_days_of_360() -> None:
    case = _case("songyang-2022", drawn_on=DAY(2021, 5, 27))
    case.collect(DAY(2021, 5, 27), DAY(2022, 1, 1))
    (row,) = case.rows()
    assert (row["days"], _raws(row)[2]) == (215, half_up_int(10 * MILLION * 215, 36_000))


def test_one_amount_is_split_90_to_10() -> None:
    case = _case("central-services-2026", principal_fen=MILLION)
    case.collect(MARCH, JUNE)
    assert [_raws(r) for r in case.rows()] == [(230_000, 25_556, 0)]


def test_rates_change_by_accrual_day_and_by_drawdown_day() -> None:
    case = Case([variant("dated", {"50000": "9000000", "80000": "9000000"})])  # fmt: skip
    case.note(drawn_on=DAY(2026, 2, 28))
    case.note(drawn_on=DAY(2026, 3, 1))
    for note in (1, 2):
        case.collect(JUNE, DAY(2026, 7, 21), note=note)
    provincial = half_up_int(10 * MILLION * (10 * 2 + 20 * 1), 36_000)
    assert [_raws(r) for r in case.rows()] == [
        (0, provincial, half_up_int(10 * MILLION * 30 * 5, 360_000)),
        (0, provincial, half_up_int(10 * MILLION * 30 * 3, 360_000)),
    ]


def test_the_largest_amounts_stay_exact() -> None:
    case = _case(principal_fen=10**13)
    case.collect(DAY(2026, 1, 10), DAY(2028, 1, 10), due=10**13, paid=10**13 - 1)
    (row,) = case.rows()
    assert row["product"] == 730 * 10**13
    assert _raws(row)[0] == half_up_int(730 * 10**13 * 15 * (10**13 - 1), 360_000 * 10**13)
