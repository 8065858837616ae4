"""Interest days by hand: what every note will pay, day by day and note by note (tests only)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import polars as pl

from settlement.engine.facts import DeductFacts
from tests.reference.facts import add_months, half_up

DAY = timedelta(days=1)


def interest_to_come(facts: DeductFacts, start: date, end: date) -> list[tuple[Any, ...]]:
    """Collections (as the engine's frames have them) up to `end`, of every note, subsidised or not.

    What was collected before `start` is known; numbers begin at a million.
    """
    rows: list[tuple[Any, ...]] = []
    for note in facts.notes.iter_rows(named=True):
        recorded = facts.collections.filter(pl.col("note_id") == note["note_id"])
        known = recorded.filter(pl.col("collected_on") < start)
        opening = facts.opening.filter(pl.col("note_id") == note["note_id"])["paid_through"]
        repaid = facts.repayments.filter(pl.col("note_id") == note["note_id"])
        gone = list(repaid.select("repaid_on", "amount_fen").iter_rows())
        first = max([note["drawn_on"], *known["period_end"], *opening])
        for stop, on in _days(first, note["matures_on"], end, _step(recorded)):
            due = _due(note, gone, first, stop)
            if due:
                row = (first, stop, due, due, on, "")
                rows.append((10**6 + len(rows), note["note_id"], *row))
            first = stop
    return rows


def _step(recorded: pl.DataFrame) -> int:
    """Months between interest days."""
    periods = sorted(recorded.select("period_end", "period_start").rows(), reverse=True)
    whole = [(end, start) for end, start in periods if end >= add_months(start, 1)]
    return 3 if whole and whole[0][0] > add_months(whole[0][1], 1) else 1


def _days(first: date, matures_on: date, end: date, step: int) -> Iterator[tuple[date, date]]:
    """(period end, day of collection) in order."""
    if first >= matures_on:
        return
    for number in itertools.count(first.year * 12 + first.month - 1):
        day = date(number // 12, number % 12 + 1, 20)
        if (number + 1) % step or day + DAY <= first:
            continue
        stop, on = min(day + DAY, matures_on), min(day, matures_on)
        if on >= end:
            return
        yield stop, on
        if stop == matures_on:
            return


def _due(note: dict[str, Any], repaid: list[tuple[date, int]], first: date, stop: date) -> int:
    days = [first + DAY * n for n in range((stop - first).days)]
    product = sum(_balance(note, repaid, day) for day in days)
    rate = note["rate_ppm"] * note["exchange_rate_e8"]
    return half_up(Fraction(product * rate, 360 * 10**14))


def _balance(note: dict[str, Any], repaid: list[tuple[date, int]], on: date) -> int:
    left = note["principal_fen"] - sum(fen for day, fen in repaid if day <= on)
    return min(max(left, 0), int(note["principal_fen"]))
