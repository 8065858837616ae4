"""Settlements of random ledgers: parts are the year, and all of them the liquidation."""

from __future__ import annotations

from dataclasses import asdict
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlement.engine import entries, settling
from settlement.engine.entries import Lines
from settlement.engine.settling import Covered, Entry, Figures, fault_of_decision

YEARS = (2026, 2027)
SUMS = [
    "received_fen", "used_fen", "adjusted_fen", "clawback_decided_fen", "clawback_settled_fen",
    "clawed_back_fen", "written_off_fen", "made_good_fen", "returned_fen", "claimed_fen",
]  # fmt: skip
EVENTS = (
    "pre_allocation", "advance_repaid", "deduction", "negative_difference", "clawback_decided",
    "clawback_settled", "clawback_lapsed", "clawback_received", "clawback_written_off", "made_good", "use_approved",
    "use_disallowed", "surplus_returned",
)  # fmt: skip


class Book:
    """A fund whose balances stay possible whatever is asked of it."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def balance(self, account: str) -> int:
        return sum(getattr(entry, account) for entry in self.entries)

    def lines(self, event: str, fen: int, part: int) -> Lines:
        """The event's lines, bounded by what there is; none where there is nothing to move."""
        available, owed = self.balance("special_account"), self.balance("clawback_receivable")
        advanced, borne = -self.balance("bank_advance"), self.balance("disallowed")
        used = max(self.balance("subsidy_applied"), 0)
        match event:
            case "pre_allocation":
                return entries.pre_allocation(fen - 300, available_fen=available)
            case "advance_repaid":
                return entries.advance_repaid(owed_fen=advanced, available_fen=available)
            case "deduction":
                offset = min(part, fen, owed)
                return entries.deduction(fen, offset_fen=offset, available_fen=available)
            case "negative_difference":
                return entries.negative_difference(fen)
            case "clawback_decided" | "clawback_settled":
                settled = event == "clawback_settled"
                return entries.clawback_decided(fen, year_is_settled=settled)
            case "clawback_lapsed":
                lapsed = min(fen, owed)
                return entries.clawback_lapsed(lapsed, settled_fen=min(part, lapsed))
            case "clawback_received":
                return entries.clawback_received(min(fen, owed))
            case "clawback_written_off":
                return entries.clawback_written_off(min(fen, owed))
            case "made_good":
                return entries.made_good(min(fen, borne))
            case "use_approved":
                return entries.use_approved(min(fen, used))
            case "use_disallowed":
                return entries.use_disallowed(min(fen, used))
        return entries.surplus_returned(min(fen, available))

    def add(self, event: str, fen: int, part: int, year: int) -> None:
        moved = dict.fromkeys(
            ("special_account", "treasury_advance", "subsidy_applied", "bank_advance",
             "clawback_receivable", "disallowed"), 0,
        )  # fmt: skip
        for line in self.lines(event, fen, part):
            moved[line.account] += line.debit_fen - line.credit_fen
        name = "clawback_decided" if event == "clawback_settled" else event
        self.entries.append(Entry(len(self.entries) + 1, name, year, **moved))


@st.composite
def books(draw: st.DrawFn) -> list[Entry]:
    """Entries of two years mixed, as late differences of the first come among those of the next."""
    book = Book()
    amount = st.integers(1, 1_000)
    for _ in range(draw(st.integers(0, 25))):
        event, year = draw(st.sampled_from(EVENTS)), draw(st.sampled_from(YEARS))
        book.add(event, draw(amount), draw(amount), year)
    return book.entries


def ties(one: Figures) -> bool:
    """What the database checks of every item."""
    position = one.opening_fen + one.received_fen - one.used_fen + one.clawed_back_fen
    position += one.made_good_fen - one.returned_fen
    owed = one.receivable_opening_fen - one.adjusted_fen + one.clawback_decided_fen
    owed += one.clawback_settled_fen - one.clawed_back_fen - one.written_off_fen
    return (
        position == one.surplus_fen - one.gap_fen
        and min(one.surplus_fen, one.gap_fen) == 0
        and owed == one.receivable_fen
        and one.claimed_fen == one.used_fen + one.adjusted_fen - one.clawback_decided_fen
    )


def in_parts(
    book: list[Entry], covered: Covered, year: int, cuts: list[int]
) -> tuple[list[Figures], Covered]:
    """Settle a year up to each of these numbers, one after the other."""
    found = []
    for through in cuts:
        found.append(settling.figures(book, covered, year=year, through=through))
        covered = covered.and_(year=year, through=through)
    return found, covered


def added(parts: list[Figures]) -> dict[str, int]:
    return {name: sum(asdict(part)[name] for part in parts) for name in SUMS}


@given(books(), st.lists(st.integers(0, 25), max_size=4))
def test_all_parts_of_a_year_are_the_year(book: list[Entry], cuts: list[int]) -> None:
    last = len(book)
    cuts = [*sorted(min(cut, last) for cut in cuts), last]
    parts, after = in_parts(book, Covered(), 2026, cuts)
    (whole,), same = in_parts(book, Covered(), 2026, [last])
    assert all(ties(part) for part in (*parts, whole))
    assert added(parts) == added([whole])
    assert (parts[0].opening_fen, parts[0].receivable_opening_fen) == (0, 0)
    assert parts[-1].surplus_fen - parts[-1].gap_fen == whole.surplus_fen - whole.gap_fen
    assert parts[-1].receivable_fen == whole.receivable_fen
    assert all(
        later.opening_fen == earlier.surplus_fen - earlier.gap_fen
        for earlier, later in pairwise(parts)
    )
    assert after == same
    assert settling.uncovered(book, after, year=2026) == []


@given(books(), st.lists(st.integers(0, 25), max_size=3), st.lists(st.integers(0, 25), max_size=3))
def test_settlements_and_what_is_open_are_the_liquidation(
    book: list[Entry], first: list[int], second: list[int]
) -> None:
    last = len(book)
    covered, parts = Covered(), []
    for year, cuts in zip(YEARS, (first, second), strict=True):
        made, covered = in_parts(book, covered, year, list(accumulate(sorted(cuts), max)))
        parts += made
    end = settling.figures(book, covered, year=None, through=last)
    whole = settling.figures(book, Covered(), year=None, through=last)
    assert ties(end) and ties(whole)
    assert added([*parts, end]) == added([whole])
    assert end.surplus_fen - end.gap_fen == sum(entry.position for entry in book)
    assert end.receivable_fen == whole.receivable_fen
    assert added([whole])["claimed_fen"] == sum(
        entry.subsidy_applied for entry in book if entry.event not in settling.SETTLING
    )
    after = covered.and_(year=None, through=last)
    assert settling.uncovered(book, after, year=None) == []


@pytest.mark.parametrize(
    ("claimed", "approved", "stands"),
    [
        (100, 100, True), (100, 0, True), (0, 0, True), (100, 101, False), (100, -1, False), (0, 1, False),
        (-5, -5, True), (-5, 0, False), (-5, -6, False),
    ],
)  # fmt: skip
def test_what_finance_can_approve(claimed: int, approved: int, stands: bool) -> None:
    assert (fault_of_decision(claimed, approved) is None) == stands
