"""What claims lapse by: never more is owed for a note than was paid, whatever comes in what order."""

from __future__ import annotations

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlement.engine import entries
from settlement.engine.entries import Line
from settlement.engine.lapse import Lapsed, Standing


@pytest.mark.parametrize(
    ("claimed", "settled", "paid", "lapsed"),
    [
        (300, 0, 1_000, Lapsed(0, 0)),
        (300, 0, 300, Lapsed(0, 0)),
        (300, 0, 200, Lapsed(100, 0)),
        (300, 0, 0, Lapsed(300, 0)),
        (300, 300, 0, Lapsed(300, 300)),
        (500, 300, 100, Lapsed(400, 300)),
        (500, 300, 350, Lapsed(150, 150)),
        (300, 0, -400, Lapsed(300, 0)),
        (0, 0, 0, Lapsed(0, 0)),
    ],
)
def test_what_is_claimed_beyond_what_is_paid_lapses_the_latest_claims_first(
    claimed: int, settled: int, paid: int, lapsed: Lapsed
) -> None:
    assert Standing(claimed, settled, paid).target == lapsed


def test_a_change_lapses_the_difference_of_targets_and_its_undoing_as_much_again() -> None:
    before = Standing(300, 100, 1_000)
    assert before.lapsing(-800) == Lapsed(100, 100)
    after = before.after(-800)
    assert after == Standing(300, 100, 200, Lapsed(100, 100))
    assert after.lapsing(-200) == Lapsed(200, 0)
    assert after.after(-200).lapsing(1_000) == Lapsed(-300, -100)
    assert after.after(-200).after(1_000) == before


@given(
    paid=st.integers(0, 900),
    share=st.integers(0, 100),
    changes=st.lists(st.integers(-900, 900), max_size=8),
)
def test_claims_and_differences_together_never_ask_for_more_than_was_paid(
    paid: int, share: int, changes: list[int]
) -> None:
    claimed = paid * share // 100
    standing, owed, lowered = Standing(claimed, 0, paid), claimed, 0
    gross = paid
    for level in accumulate(changes, lambda now, change: max(0, now + change), initial=paid):
        change = level - standing.paid_fen
        owed += max(0, -change) - standing.lapsing(change).amount_fen
        lowered += max(0, -change)
        gross += max(0, change)
        standing = standing.after(change)
        assert claimed <= owed <= gross
        assert gross - owed == level - min(claimed, level)
        assert owed == claimed + lowered - standing.lapsed.amount_fen


def test_the_entry_undoes_the_decisions_and_its_negative_brings_them_back() -> None:
    assert entries.clawback_lapsed(400, settled_fen=300) == (
        Line("subsidy_applied", debit_fen=100),
        Line("treasury_advance", debit_fen=300),
        Line("clawback_receivable", credit_fen=400),
    )
    assert entries.clawback_lapsed(-400, settled_fen=-300) == (
        Line("clawback_receivable", debit_fen=400),
        Line("subsidy_applied", credit_fen=100),
        Line("treasury_advance", credit_fen=300),
    )
    assert entries.clawback_lapsed(5, settled_fen=5) == (
        Line("treasury_advance", debit_fen=5),
        Line("clawback_receivable", credit_fen=5),
    )
