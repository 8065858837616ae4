"""Statement lines and ledger movements: what matches, what does not, and why."""

from __future__ import annotations

import random
from datetime import date

from settlement.engine.reconciliation import Difference, Movement, StatementLine, reconcile

D1, D2, D3 = date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 20)


def line(day: date, reference: str, amount: int, balance: int, summary: str = "") -> StatementLine:
    return StatementLine(day, reference, amount, balance, summary)


def move(
    day: date, entry: int, amount: int, event: str = "deduction", source: str = ""
) -> Movement:
    return Movement(day, entry, event, amount, source)


def hows(
    lines: list[StatementLine], movements: list[Movement]
) -> list[tuple[str, list[str], list[int]]]:
    found = reconcile(lines, movements)
    assert found.differences == ()
    return [
        (m.how, [one.reference for one in m.lines], [one.entry_id for one in m.movements])
        for m in found.matches
    ]


def differences(lines: list[StatementLine], movements: list[Movement]) -> list[Difference]:
    found = list(reconcile(lines, movements).differences)
    shuffled = random.Random(1)
    for _ in range(5):
        shuffled.shuffle(lines)
        shuffled.shuffle(movements)
        assert list(reconcile(lines, movements).differences) == found
    return found


def test_a_document_number_decides_between_equal_amounts() -> None:
    lines = [line(D1, "A", 100, 100), line(D1, "B", 100, 200, "财金2号 拨款")]
    movements = [
        move(D1, 1, 100, "pre_allocation", "财金2号"),
        move(D1, 2, 100, "pre_allocation", "财金1号"),
    ]
    assert hows(lines, movements) == [("amount", ["A"], [2]), ("reference", ["B"], [1])]


def test_equal_amounts_of_one_day_are_paired_in_order() -> None:
    lines = [line(D1, "B", 100, 200), line(D1, "A", 100, 100)]
    assert hows(lines, [move(D1, 8, 100), move(D1, 7, 100)]) == [
        ("amount", ["A"], [7]), ("amount", ["B"], [8]),
    ]  # fmt: skip


def test_a_line_may_be_the_sum_of_a_days_deductions() -> None:
    lines = [line(D1, "A", 1000, 1000), line(D1, "B", -300, 700)]
    movements = [move(D1, 1, 1000, "pre_allocation"), move(D1, 2, -100), move(D1, 3, -200)]
    assert hows(lines, movements) == [("amount", ["A"], [1]), ("sum", ["B"], [2, 3])]


def test_a_movement_may_be_paid_in_parts() -> None:
    lines = [line(D1, "A", 60, 60), line(D1, "B", 40, 100)]
    assert hows(lines, [move(D1, 1, 100)]) == [("sum", ["A", "B"], [1])]


def test_a_few_days_may_lie_between() -> None:
    assert hows([line(D2, "A", 100, 100)], [move(D1, 1, 100)]) == [("amount", ["A"], [1])]
    late = differences([line(D3, "A", 100, 100)], [move(D1, 1, 100)])
    assert late == [
        Difference("not_on_statement", D1, "1", 100), Difference("not_in_ledger", D3, "A", 100),
    ]  # fmt: skip


def test_a_missing_line() -> None:
    found = differences([line(D1, "A", 100, 100)], [move(D1, 1, 100), move(D1, 2, -30)])
    assert found == [
        Difference("final_balance", D1, "", 30), Difference("not_on_statement", D1, "2", -30),
    ]  # fmt: skip


def test_a_double_line() -> None:
    lines = [line(D1, "A", 100, 100), line(D1, "B", 100, 200)]
    assert differences(lines, [move(D1, 1, 100)]) == [
        Difference("double_line", D1, "B", 100), Difference("final_balance", D1, "", 100),
    ]  # fmt: skip


def test_a_wrong_balance() -> None:
    lines = [line(D1, "A", 100, 100), line(D2, "B", -30, 71), line(D3, "C", 29, 100)]
    found = differences(lines, [move(D1, 1, 100), move(D2, 2, -30), move(D3, 3, 29)])
    assert found == [
        Difference("running_balance", D2, "B", 71), Difference("final_balance", D3, "", 1),
    ]  # fmt: skip
