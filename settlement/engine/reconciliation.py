"""Which line of the special account's bank statement is which ledger movement (domain §5)?

Amounts are fen, money into the account positive. The order of the rows given never matters.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from itertools import groupby


@dataclass(frozen=True, order=True)
class StatementLine:
    """A line of the bank's statement, with the balance it left; `reference` is unique."""

    moved_on: date
    reference: str
    amount_fen: int
    balance_fen: int
    summary: str = ""


@dataclass(frozen=True, order=True)
class Movement:
    """What one ledger entry did to the special account; `entry_id` is unique."""

    posted_on: date
    entry_id: int
    event: str
    amount_fen: int
    source: str = ""


@dataclass(frozen=True)
class Match:
    """Lines and movements of one amount, and how they were found: reference, amount or sum."""

    how: str
    lines: tuple[StatementLine, ...]
    movements: tuple[Movement, ...]


@dataclass(frozen=True)
class Difference:
    """What does not agree: the reason, where, and by how much.

    Reasons: `not_in_ledger`, `double_line` (its like on the same day is matched), `not_on_statement`,
    `running_balance` (the line's balance does not follow), `final_balance` (bank − ledger).
    """

    reason: str
    on: date
    key: str
    amount_fen: int


@dataclass(frozen=True)
class Reconciled:
    """Everything matched, and every difference, in the order of days."""

    matches: tuple[Match, ...]
    differences: tuple[Difference, ...]


class _Open:
    """What is not matched yet."""

    def __init__(self, lines: Iterable[StatementLine], movements: Iterable[Movement]) -> None:
        self.lines = sorted(lines)
        self.movements = sorted(movements)
        self.matches: list[Match] = []

    def take(self, how: str, lines: list[StatementLine], movements: list[Movement]) -> None:
        """Match these."""
        self.matches.append(Match(how, tuple(lines), tuple(movements)))
        self.lines = [line for line in self.lines if line not in lines]
        self.movements = [movement for movement in self.movements if movement not in movements]

    def pair(self, how: str, fits: Callable[[StatementLine, Movement], bool]) -> None:
        """One to one by amount where it fits, the nearest days first."""
        by_amount = defaultdict(list)
        for movement in self.movements:
            by_amount[movement.amount_fen].append(movement)
        found = sorted(
            (abs((line.moved_on - movement.posted_on).days), line, movement)
            for line in self.lines
            for movement in by_amount[line.amount_fen]
            if fits(line, movement)
        )
        used: set[StatementLine | Movement] = set()
        for _days, line, movement in found:
            if line not in used and movement not in used:
                used |= {line, movement}
                self.take(how, [line], [movement])


def reconcile(
    lines: Iterable[StatementLine], movements: Iterable[Movement], *, days: int = 3
) -> Reconciled:
    """Match a statement with the ledger of the same account.

    One to one by amount and reference, then by amount within so many days; then one line for the sum
    of a day's movements (of one event, or all), then one movement for the sum of a day's lines.
    """
    everything, whole = sorted(lines), sorted(movements)
    state = _Open(everything, whole)
    state.pair("reference", _named)
    state.pair(
        "amount", lambda line, movement: abs((line.moved_on - movement.posted_on).days) <= days
    )
    _sums_of_movements(state)
    _sums_of_lines(state)
    differences = [
        *_unmatched(state),
        *_running(everything),
        *_final(everything, whole),
    ]
    differences.sort(key=lambda found: (found.on, found.reason, found.key))
    state.matches.sort(key=lambda match: (match.lines, match.movements))
    return Reconciled(tuple(state.matches), tuple(differences))


def _named(line: StatementLine, movement: Movement) -> bool:
    source = movement.source
    return bool(source) and (source == line.reference or source in line.summary)


def _sums_of_movements(state: _Open) -> None:
    for line in list(state.lines):
        of_day = [found for found in state.movements if found.posted_on == line.moved_on]
        events = sorted({movement.event for movement in of_day})
        groups = [[found for found in of_day if found.event == event] for event in events]
        for group in [*groups, of_day]:
            if group and sum(found.amount_fen for found in group) == line.amount_fen:
                state.take("sum", [line], group)
                break


def _sums_of_lines(state: _Open) -> None:
    for movement in list(state.movements):
        of_day = [
            line
            for line in state.lines
            if line.moved_on == movement.posted_on
            and (line.amount_fen > 0) == (movement.amount_fen > 0)
        ]
        if of_day and sum(line.amount_fen for line in of_day) == movement.amount_fen:
            state.take("sum", of_day, [movement])


def _unmatched(state: _Open) -> Iterable[Difference]:
    matched = {(line.moved_on, line.amount_fen) for match in state.matches for line in match.lines}
    for line in state.lines:
        is_double = (line.moved_on, line.amount_fen) in matched
        reason = "double_line" if is_double else "not_in_ledger"
        yield Difference(reason, line.moved_on, line.reference, line.amount_fen)
    for movement in state.movements:
        key = str(movement.entry_id)
        yield Difference("not_on_statement", movement.posted_on, key, movement.amount_fen)


def _running(lines: list[StatementLine]) -> Iterable[Difference]:
    """Lines whose balance does not follow from any balance before it.

    Within a day the bank's order is not known: the balances before the lines and the day's last one
    must be the balances after the lines and the day's first one.
    """
    opening: int | None = None
    for day, of_day in groupby(lines, key=lambda line: line.moved_on):
        rows = list(of_day)
        after = Counter(line.balance_fen for line in rows)
        before = Counter(line.balance_fen - line.amount_fen for line in rows)
        if opening is None:
            opening = min(before - after or before)
        unknown = before - after - Counter([opening])
        for line in rows:
            start = line.balance_fen - line.amount_fen
            if unknown[start] > 0:
                unknown[start] -= 1
                yield Difference("running_balance", day, line.reference, line.balance_fen)
        opening = _closing(rows, opening + sum(line.amount_fen for line in rows))


def _closing(rows: list[StatementLine], otherwise: int) -> int:
    """The balance no line of the day goes on from; `otherwise` where there is not one such."""
    after = Counter(line.balance_fen for line in rows)
    last = list((after - Counter(line.balance_fen - line.amount_fen for line in rows)).elements())
    return last[0] if len(last) == 1 else otherwise


def _final(lines: list[StatementLine], movements: list[Movement]) -> Iterable[Difference]:
    """The statement's last balance against the ledger's on that day."""
    if not lines:
        return
    day = lines[-1].moved_on
    rows = [line for line in lines if line.moved_on == day]
    closing = _closing(rows, rows[-1].balance_fen)
    ledger = sum(movement.amount_fen for movement in movements if movement.posted_on <= day)
    if closing != ledger:
        yield Difference("final_balance", day, "", closing - ledger)
