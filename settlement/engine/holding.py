"""Which deductions wait for money, where a scheme is set to hold instead of advancing (D19)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Wanted:
    """One row to post: whose it is, and what it adds to which fund (fund id, fen)."""

    number: int
    enterprise_id: int
    parts: tuple[tuple[int, int], ...]


def withheld(
    rows: Iterable[Wanted],
    *,
    available: Mapping[int, int],
    owed: Mapping[tuple[int, int], int],
) -> set[int]:
    """The numbers of the rows that do not fit, served in the order given; a smaller later one may.

    `available`: fen of each fund that holds; other funds are not asked. `owed`: what an enterprise
    (id, fund id) owes back, which its deductions are offset against before any money is needed; what
    rows of nothing but negative parts lower is owed as well. A row waits as a whole.
    """
    listed = list(rows)
    left, debts = dict(available), Counter(owed)
    for row in listed:
        if all(fen <= 0 for _, fen in row.parts):
            for fund, fen in row.parts:
                debts[row.enterprise_id, fund] -= fen
    waiting = set()
    for row in listed:
        needs = {}
        for fund, fen in row.parts:
            if fen > 0 and fund in left:
                offset = min(fen, debts[row.enterprise_id, fund])
                needs[fund] = (fen - offset, offset)
        if any(money > left[fund] for fund, (money, _) in needs.items()):
            waiting.add(row.number)
            continue
        for fund, (money, offset) in needs.items():
            left[fund] -= money
            debts[row.enterprise_id, fund] -= offset
    return waiting
