"""Statement lines and ledger movements: what matches, what does not, and why."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

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


def test_the_nearest_day_comes_first() -> None:
    lines = [line(D1, "A", 100, 100), line(D2, "B", 100, 200)]
    movements = [move(D2, 1, 100), move(D2, 2, 100)]
    assert hows(lines, movements) == [("amount", ["A"], [2]), ("amount", ["B"], [1])]


def test_one_document_paid_twice_is_matched_in_the_order_of_days() -> None:
    lines = [line(D1, "A", 100, 100, "财金1号"), line(D3, "B", 100, 200, "财金1号")]
    movements = [
        move(D2, 7, 100, "pre_allocation", "财金1号"), move(D3, 8, 100, "pre_allocation", "财金1号"),
    ]  # fmt: skip
    assert hows(lines, movements) == [("reference", ["A"], [7]), ("reference", ["B"], [8])]


def test_a_missing_line() -> None:
    found = differences([line(D1, "A", 100, 100)], [move(D1, 1, 100), move(D1, 2, -30)])
    assert found == [Difference("not_on_statement", D1, "2", -30)]


def test_a_double_line() -> None:
    lines = [line(D1, "A", 100, 100), line(D1, "B", 100, 200)]
    assert differences(lines, [move(D1, 1, 100)]) == [Difference("double_line", D1, "B", 100)]


def test_a_wrong_balance() -> None:
    lines = [line(D1, "A", 100, 100), line(D2, "B", -30, 71), line(D3, "C", 29, 100)]
    movements = [move(D1, 1, 100), move(D2, 2, -30), move(D3, 3, 29)]
    assert differences(lines, movements) == [Difference("running_balance", D2, "B", 1)]


def test_a_wrong_balance_within_a_day() -> None:
    lines = [line(D1, "A", 100, 100), line(D1, "B", -30, 71), line(D1, "C", 29, 100)]
    movements = [move(D1, 1, 100), move(D1, 2, -30), move(D1, 3, 29)]
    assert differences(lines, movements) == [Difference("running_balance", D1, "B", 1)]


def test_a_balance_the_ledger_never_saw() -> None:
    lines = [line(D1, "A", 100, 600), line(D2, "B", -30, 570)]
    assert differences(lines, [move(D1, 1, 100), move(D2, 2, -30)]) == [
        Difference("opening_balance", D1, "", 500)
    ]


def test_what_came_after_the_statement_waits() -> None:
    lines, movements = [line(D1, "A", 100, 100)], [move(D1, 1, 100), move(D3, 2, -30)]
    found = reconcile(lines, movements)
    assert (found.differences, found.waiting) == ((), (movements[1],))
    assert (found.bank_fen, found.ledger_fen) == (100, 100)
    whole = reconcile(lines, movements, through=D3)
    assert whole.differences == (Difference("not_on_statement", D3, "2", -30),)
    assert (whole.waiting, whole.bank_fen, whole.ledger_fen) == ((), 100, 70)


def test_no_statement_yet() -> None:
    movement = move(D1, 1, 100)
    assert reconcile([], [movement]).waiting == (movement,)
    assert reconcile([], [movement]).differences == ()
    assert reconcile([], [movement], through=D1).differences == (
        Difference("not_on_statement", D1, "1", 100),
    )


_days = st.integers(0, 6).map(lambda after: D1 + timedelta(days=after))
_amounts = st.sampled_from([-300, -200, -100, 100, 200, 300])
_names = st.sampled_from(["", "", "甲1号", "甲12号"])


@st.composite
def _statements(draw: st.DrawFn) -> list[StatementLine]:
    rows = sorted(draw(st.lists(st.tuples(_days, _amounts, _names), max_size=12)))
    balance, made = draw(st.sampled_from([0, 0, 700])), []
    for number, (day, amount, summary) in enumerate(rows):
        balance += amount + draw(st.sampled_from([0, 0, 0, 0, 0, 1, -50]))
        made.append(line(day, f"R{number:02d}", amount, balance, summary and f"付{summary}款"))
    return made


_movements = st.lists(
    st.tuples(_days, _amounts, st.sampled_from(["deduction", "pre_allocation"]), _names),
    max_size=12,
).map(lambda rows: [move(d, n, a, e, s) for n, (d, a, e, s) in enumerate(rows, start=1)])
_ends = st.one_of(st.none(), _days)


@given(_statements(), _movements, _ends, st.randoms())
def test_everything_is_matched_once_or_told_and_the_differences_add_up(
    lines: list[StatementLine], movements: list[Movement], end: date | None, shuffled: random.Random
) -> None:
    found = reconcile(lines, movements, through=end)
    reported = {
        reason: [d.key for d in found.differences if d.reason == reason]
        for reason in ("not_in_ledger", "double_line", "not_on_statement")
    }
    of_lines = [one.reference for match in found.matches for one in match.lines]
    assert Counter(of_lines + reported["not_in_ledger"] + reported["double_line"]) == Counter(
        one.reference for one in lines
    )
    of_movements = [one.entry_id for match in found.matches for one in match.movements]
    waiting = [one.entry_id for one in found.waiting]
    assert Counter(
        of_movements + [int(k) for k in reported["not_on_statement"]] + waiting
    ) == Counter(one.entry_id for one in movements)
    for match in found.matches:
        assert sum(o.amount_fen for o in match.lines) == sum(o.amount_fen for o in match.movements)
    assert found.bank_fen - found.ledger_fen == sum(d.effect_fen for d in found.differences)
    shuffled.shuffle(lines)
    shuffled.shuffle(movements)
    assert reconcile(lines, movements, through=end) == found


@given(_statements(), _movements)
def test_by_amount_the_nearest_pair_of_all_is_taken_first(
    lines: list[StatementLine], movements: list[Movement]
) -> None:
    plain = [Movement(m.posted_on, m.entry_id, m.event, m.amount_fen) for m in movements]
    used: set[str | int] = set()
    pairs = []
    near = sorted(
        (abs((one.moved_on - other.posted_on).days), one, other)
        for one in lines
        for other in plain
        if one.amount_fen == other.amount_fen
    )
    for gap, one, other in near:
        if gap <= 3 and not {one.reference, other.entry_id} & used:
            used |= {one.reference, other.entry_id}
            pairs.append((one.reference, other.entry_id))
    found = reconcile(lines, plain)
    assert sorted(pairs) == sorted(
        (match.lines[0].reference, match.movements[0].entry_id)
        for match in found.matches
        if match.how == "amount"
    )
