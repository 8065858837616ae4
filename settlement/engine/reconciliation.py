"""Which line of the special account's bank statement is which ledger movement (domain §5)?

Amounts are fen, money into the account positive. The order of the rows given never matters, and the
work grows with their number (times the days allowed), not with its square.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby, pairwise

ON_STATEMENT = frozenset({"not_in_ledger", "double_line", "running_balance", "opening_balance"})


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
    """What does not agree: the reason, where, and how much.

    Reasons: `not_in_ledger`, `double_line` (its like on the same day is matched), `not_on_statement`,
    `opening_balance` (the statement began with), `running_balance` (the line starts from so much more
    than the balances before it lead to).
    """

    reason: str
    on: date
    key: str
    amount_fen: int

    @property
    def effect_fen(self) -> int:
        """By how much it makes the bank's balance differ from the ledger's."""
        return self.amount_fen if self.reason in ON_STATEMENT else -self.amount_fen


@dataclass(frozen=True)
class Reconciled:
    """Everything matched, every difference in the order of days, and what is not stated yet.

    `bank_fen` is the statement's last balance, `ledger_fen` the sum of the movements that are matched
    or a difference: bank = ledger + the effects of all differences. `waiting` are movements after the
    statement's end.
    """

    matches: tuple[Match, ...]
    differences: tuple[Difference, ...]
    waiting: tuple[Movement, ...]
    bank_fen: int
    ledger_fen: int


def reconcile(
    lines: Iterable[StatementLine],
    movements: Iterable[Movement],
    *,
    days: int = 3,
    through: date | None = None,
) -> Reconciled:
    """Match a statement, said to be whole up to `through` (or its last line), with the ledger.

    One to one by amount and document number (of the same day, then in the order of days); then by
    amount, the nearest within so many days; then one line for the sum of a day's movements (of one
    event, or all), then one movement for the sum of a day's lines.
    """
    stated, booked = sorted(lines), sorted(movements)
    end = through or (stated[-1].moved_on if stated else date.min)
    state = _Open(stated, booked)
    state.by_reference()
    state.by_amount(days)
    state.sums_of_movements()
    state.sums_of_lines()
    waiting = tuple(found for found in state.free_movements() if found.posted_on > end)
    closing, breaks = _balances(stated)
    differences = [*_unmatched(state, end), *breaks]
    differences.sort(key=lambda found: (found.on, found.reason, found.key))
    state.matches.sort(key=lambda match: (match.lines, match.movements))
    ledger_fen = sum(found.amount_fen for found in booked) - sum(w.amount_fen for w in waiting)
    return Reconciled(tuple(state.matches), tuple(differences), waiting, closing, ledger_fen)


class _Open:
    """What is not matched yet, in order."""

    def __init__(self, lines: list[StatementLine], movements: list[Movement]) -> None:
        self.lines, self.movements = lines, movements
        self.matches: list[Match] = []
        self._taken_lines: set[str] = set()
        self._taken_movements: set[int] = set()

    def free_lines(self) -> list[StatementLine]:
        """Lines without a match."""
        return [line for line in self.lines if line.reference not in self._taken_lines]

    def free_movements(self) -> list[Movement]:
        """Movements without a match."""
        return [found for found in self.movements if found.entry_id not in self._taken_movements]

    def _take(self, how: str, lines: list[StatementLine], movements: list[Movement]) -> None:
        self.matches.append(Match(how, tuple(lines), tuple(movements)))
        self._taken_lines |= {line.reference for line in lines}
        self._taken_movements |= {movement.entry_id for movement in movements}

    def _next(self, queue: deque[Movement] | None) -> Movement | None:
        """The first movement of a queue that is still free."""
        while queue and queue[0].entry_id in self._taken_movements:
            queue.popleft()
        return queue[0] if queue else None

    def by_reference(self) -> None:
        """The line names the movement's document: as its reference, or within its summary."""
        named = [found for found in self.movements if found.source]
        lengths: dict[int, set[int]] = defaultdict(set)
        queues: dict[tuple[int, str, date | None], deque[Movement]] = defaultdict(deque)
        for found in named:
            lengths[found.amount_fen].add(len(found.source))
            for day in (found.posted_on, None):
                queues[found.amount_fen, found.source, day].append(found)
        names = {line.reference: _names(line, lengths[line.amount_fen]) for line in self.lines}
        for same_day in (True, False):
            for line in self.free_lines():
                amount, day = line.amount_fen, line.moved_on if same_day else None
                found_by = (queues.get((amount, name, day)) for name in names[line.reference])
                self._first("reference", line, found_by)

    def by_amount(self, days: int) -> None:
        """The same amount on the same day, then a day apart, and so on."""
        queues: dict[tuple[int, date], deque[Movement]] = defaultdict(deque)
        for found in self.free_movements():
            queues[found.amount_fen, found.posted_on].append(found)
        for gap in map(timedelta, range(days + 1)):
            for line in self.free_lines():
                amount, day = line.amount_fen, line.moved_on
                near = (day - gap, day + gap) if gap else (day,)
                self._first("amount", line, (queues.get((amount, other)) for other in near))

    def _first(
        self, how: str, line: StatementLine, queues: Iterable[deque[Movement] | None]
    ) -> None:
        """Match a line with the first free movement of the first queue that has one."""
        for queue in queues:
            found = self._next(queue)
            if found is not None:
                self._take(how, [line], [found])
                return

    def sums_of_movements(self) -> None:
        """One line for a day's movements of an event, or for all of the day."""
        of_day: dict[date, dict[str, list[Movement]]] = defaultdict(lambda: defaultdict(list))
        for found in self.free_movements():
            of_day[found.posted_on][found.event].append(found)
        sums = {
            day: {event: sum(one.amount_fen for one in group) for event, group in events.items()}
            for day, events in of_day.items()
        }
        for line in self.free_lines():
            day = line.moved_on
            left = sums.get(day, {})
            fitting = [event for event in sorted(left) if left[event] == line.amount_fen][:1]
            if not fitting and left and sum(left.values()) == line.amount_fen:
                fitting = sorted(left)
            if fitting:
                self._take(
                    "sum", [line], sorted(one for event in fitting for one in of_day[day][event])
                )
                for event in fitting:
                    del left[event]

    def sums_of_lines(self) -> None:
        """One movement for all of a day's lines in its direction."""
        of_day: dict[tuple[date, bool], list[StatementLine]] = defaultdict(list)
        for line in self.free_lines():
            of_day[line.moved_on, line.amount_fen > 0].append(line)
        sums = {key: sum(line.amount_fen for line in group) for key, group in of_day.items()}
        for found in self.free_movements():
            key = (found.posted_on, found.amount_fen > 0)
            if sums.get(key) == found.amount_fen:
                self._take("sum", of_day[key], [found])
                del sums[key]


def _names(line: StatementLine, lengths: set[int]) -> list[str]:
    """Every text of such a length that the line may name a document by, in order."""
    text = line.summary
    found = {
        text[at : at + length] for length in lengths for at in range(len(text) - length + 1)
    }  # fmt: skip
    return sorted(found | {line.reference})


def _unmatched(state: _Open, end: date) -> Iterator[Difference]:
    matched = {(line.moved_on, line.amount_fen) for match in state.matches for line in match.lines}
    for line in state.free_lines():
        is_double = (line.moved_on, line.amount_fen) in matched
        reason = "double_line" if is_double else "not_in_ledger"
        yield Difference(reason, line.moved_on, line.reference, line.amount_fen)
    for movement in state.free_movements():
        if movement.posted_on <= end:
            key = str(movement.entry_id)
            yield Difference("not_on_statement", movement.posted_on, key, movement.amount_fen)


def _balances(lines: list[StatementLine]) -> tuple[int, list[Difference]]:
    """The last balance, and where balances do not follow from each other.

    Within a day the bank's order is not known: what the lines start from must be the balance before
    the day and what they leave, but for one, the day's last balance.
    """
    days = [list(rows) for _day, rows in groupby(lines, key=lambda line: line.moved_on)]
    if not days:
        return 0, []
    found: list[Difference] = []
    begins = (_starts(days[0]) - _ends(days[0])).elements()
    balance = min(begins, key=lambda start: (abs(start), start), default=_start(days[0][0]))
    if balance:
        found.append(Difference("opening_balance", days[0][0].moved_on, "", balance))
    for rows, later in pairwise([*days, []]):
        starts, ends = _starts(rows), _ends(rows) + Counter([balance])
        loose_starts, loose_ends = starts - ends, ends - starts
        expected = balance + sum(line.amount_fen for line in rows)
        follows = loose_ends & (_starts(later) - _ends(later)) or loose_ends
        balance = min(follows, key=lambda end: (abs(end - expected), end))
        left = iter(sorted((loose_ends - Counter([balance])).elements()))
        for line in rows:
            if loose_starts[_start(line)] > 0:
                loose_starts[_start(line)] -= 1
                jump = _start(line) - next(left)
                found.append(Difference("running_balance", line.moved_on, line.reference, jump))
    return balance, found


def _start(line: StatementLine) -> int:
    return line.balance_fen - line.amount_fen


def _starts(lines: list[StatementLine]) -> Counter[int]:
    return Counter(_start(line) for line in lines)


def _ends(lines: list[StatementLine]) -> Counter[int]:
    return Counter(line.balance_fen for line in lines)
