"""Balances and stops as stretches of days (D5, D6)."""

from __future__ import annotations

import datetime

import polars as pl

from settlement.engine import timeline
from tests.unit.engine.build import DAY, Case, scheme

Cut = tuple[datetime.date, datetime.date, int, bool]


def _segments(case: Case, start: datetime.date, end: datetime.date) -> list[Cut]:
    facts = case.deduct_facts()
    numbers = facts.notes.select("note_id", note=pl.col("note_id") - 1)
    line = timeline.build(
        facts.notes.join(numbers, on="note_id").sort("note"),
        facts.repayments.join(numbers, on="note_id"),
        facts.stops.join(numbers, on="note_id"),
    )
    days = pl.DataFrame({"note": [0], "start": [start], "end": [end]}).select(
        "note", start_day=timeline.dayno("start"), end_day=timeline.dayno("end")
    )
    return (
        timeline.segments(days, line)
        .sort("from_day")
        .select(
            timeline.as_date("from_day"), timeline.as_date("until_day"), "balance_fen", "stopped"
        )
        .rows()
    )


def _case() -> Case:
    case = Case([scheme("central-equipment-2026")])
    case.note(principal_fen=1000)
    case.note(principal_fen=777)
    return case


def _repay(day: datetime.date, amount: int, note: int = 1) -> dict[str, object]:
    return {"note_id": note, "repaid_on": day, "amount_fen": amount}


def _stop(start: datetime.date, end: datetime.date | None, note: int = 1) -> dict[str, object]:
    return {"note_id": note, "status": "overdue", "starts_on": start, "ends_on": end}


MARCH, JUNE = DAY(2026, 3, 21), DAY(2026, 6, 21)


def test_a_note_without_events_is_one_stretch() -> None:
    assert _segments(_case(), MARCH, JUNE) == [(MARCH, JUNE, 1000, False)]


def test_a_repayment_lowers_the_balance_from_its_own_day_on() -> None:
    case = _case()
    case.repayments = [_repay(DAY(2026, 5, 1), 300), _repay(DAY(2026, 5, 1), 5, note=2)]
    assert _segments(case, MARCH, JUNE) == [
        (MARCH, DAY(2026, 5, 1), 1000, False),
        (DAY(2026, 5, 1), JUNE, 700, False),
    ]


def test_repayments_on_the_edges_do_not_cut() -> None:
    case = _case()
    case.repayments = [_repay(MARCH, 100), _repay(JUNE, 100), _repay(DAY(2026, 1, 15), 200)]
    assert _segments(case, MARCH, JUNE) == [(MARCH, JUNE, 700, False)]


def test_a_repayment_and_its_reversal_on_one_day_change_nothing() -> None:
    case = _case()
    case.repayments = [_repay(DAY(2026, 5, 1), 300), _repay(DAY(2026, 5, 1), -300)]
    assert _segments(case, MARCH, JUNE) == [(MARCH, JUNE, 1000, False)]


def test_a_later_reversal_raises_the_balance_again_and_never_above_principal() -> None:
    case = _case()
    case.repayments = [
        _repay(DAY(2026, 4, 1), 1000),
        _repay(DAY(2026, 5, 1), -400),
        _repay(DAY(2026, 6, 1), -900),
    ]
    assert _segments(case, MARCH, JUNE) == [
        (MARCH, DAY(2026, 4, 1), 1000, False),
        (DAY(2026, 4, 1), DAY(2026, 5, 1), 0, False),
        (DAY(2026, 5, 1), DAY(2026, 6, 1), 400, False),
        (DAY(2026, 6, 1), JUNE, 1000, False),
    ]


def test_a_balance_never_falls_below_zero() -> None:
    case = _case()
    case.repayments = [_repay(DAY(2026, 4, 1), 900), _repay(DAY(2026, 5, 1), 900)]
    assert [balance for *_, balance, _ in _segments(case, MARCH, JUNE)] == [1000, 100, 0]


def test_overlapping_stops_are_one_and_an_open_one_never_ends() -> None:
    case = _case()
    case.stops = [
        _stop(DAY(2026, 4, 1), DAY(2026, 4, 20)),
        _stop(DAY(2026, 4, 10), DAY(2026, 5, 1)),
        _stop(DAY(2026, 5, 1), DAY(2026, 5, 5)),
        _stop(DAY(2026, 6, 1), None),
        _stop(DAY(2026, 3, 25), DAY(2026, 3, 25)),
    ]
    assert _segments(case, MARCH, JUNE) == [
        (MARCH, DAY(2026, 4, 1), 1000, False),
        (DAY(2026, 4, 1), DAY(2026, 5, 5), 1000, True),
        (DAY(2026, 5, 5), DAY(2026, 6, 1), 1000, False),
        (DAY(2026, 6, 1), JUNE, 1000, True),
    ]


def test_day_numbers_go_there_and_back() -> None:
    days = [DAY(1, 1, 1), DAY(1969, 12, 31), DAY(2026, 3, 21), DAY(9999, 12, 31)]
    frame = pl.DataFrame({"day": days}).with_columns(number=timeline.dayno("day"))
    assert frame["number"].to_list() == [day.toordinal() for day in days]
    assert frame.select(timeline.as_date("number")).to_series().to_list() == days
