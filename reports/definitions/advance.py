"""What to ask for before each interest day: needs in order of days against what a fund has (MF-23)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Day:
    """What one fund needs on one interest day, and how much of it checked plans hold already; fen."""

    need_fen: int
    reserved_fen: int = 0


@dataclass(frozen=True)
class Step:
    """One day's ask: what is free for it, what is owed to the bank first, what is missing; fen."""

    available_fen: int
    owed_fen: int
    gap_fen: int


def ask(*, available_fen: int, owed_fen: int, days: Iterable[Day]) -> list[Step]:
    """What is missing on each day if what was missing on the days before has arrived by then?

    `available_fen`: in the special account and not reserved; `owed_fen`: the bank's own advance,
    which the next money from finance repays first (D19).
    """
    steps, free, owed = [], available_fen, owed_fen
    for day in days:
        wanted = day.need_fen - min(day.need_fen, day.reserved_fen) + owed
        steps.append(Step(free, owed, max(0, wanted - free)))
        free, owed = max(0, free - wanted), 0
    return steps
