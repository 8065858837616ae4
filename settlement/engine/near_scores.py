"""How much the agreement of each field tells, in points, and what a sum of them is worth.

As in Fellegi and Sunter's record linkage the points of the fields add up; they are whole numbers set by
hand (a bank has no labelled pairs to learn from) and stand here for everybody to read. 100 points are
a score of 1000 ‰. A pair is proposed from `THRESHOLD_POINTS` on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl
from rapidfuzz.distance import OSA

from settlement.engine import near_numbers as numbers

THRESHOLD_POINTS = 70
DAYS_CLOSE = 7
CLOSE_PERMILLE = 10  # amounts this close are one amount rounded or typed twice: assumed

# What each relation of each field gives; a relation that is not listed gives nothing.
NOTE: Mapping[str, Mapping[str, int]] = {
    "number": {
        numbers.EQUAL: 45, numbers.LOOK_ALIKE: 43, numbers.TRANSPOSED: 36,
        numbers.MISSING: 36, numbers.SUBSTITUTED: 30, numbers.EDITED: 28,
    },
    "contract": {
        "same": 15, numbers.EQUAL: 15, numbers.LOOK_ALIKE: 15, numbers.TRANSPOSED: 15,
        numbers.MISSING: 15, numbers.SUBSTITUTED: 10, numbers.EDITED: 5,
    },
    "amount": {"equal": 25, "close": 16, "mistyped": 14, "differ": -50},
    "day": {"equal": 20, "close": 12, "swapped": 12, "differ": -50},
    "terms": {"equal": 10, "above_contract": 20, "differ": 0},
    "place": {"other_bank": 0},
    "loan_type": {"differ": -10},
    "project": {"equal": 5, "differ": -15},
}  # fmt: skip
# A number that counts up, or is another one altogether, tells nothing; then the contract's must.
BY_CONTRACT = 25
OTHER_BANK = 15  # a number counted up, at a bank that counts for itself

ENTERPRISE: Mapping[str, Mapping[str, int]] = {
    "core": {"equal": 40, "near": 15},
    "form": {"equal": 15, "differ": 15, "group": -25},
    "region": {"same": 15, "here": 15, "silent": 5, "within": -5, "conflict": -60},
    "code": {"mistyped": 25},
    "note": {"equal": 30, "close": 15},
    "contract": {"equal": 25},
    "project": {"equal": 20},
    "supplier": {"equal": 15},
}  # fmt: skip

INVOICE: Mapping[str, Mapping[str, int]] = {
    "number": {
        numbers.EQUAL: 45, numbers.LOOK_ALIKE: 43, numbers.TRANSPOSED: 36,
        numbers.MISSING: 36, numbers.SUBSTITUTED: 30, numbers.EDITED: 28,
    },
    "amount": {"equal": 25},
    "day": {"equal": 20, "close": 12, "differ": -50},
    "supplier": {"equal": 10},
}  # fmt: skip


def points(weights: Mapping[str, Mapping[str, int]]) -> pl.Expr:
    """The points of a row that has each field's relation in a column of the field's name."""
    return pl.sum_horizontal(
        pl.col(field).replace_strict(dict(given), default=0, return_dtype=pl.Int64)
        for field, given in weights.items()
    )


def permille(column: str) -> pl.Expr:
    """Points as a score, at most 1000 ‰."""
    return (pl.col(column) * 10).clip(0, 1000)


def amounts(one: str, other: str) -> pl.Expr:
    """How two amounts stand: equal, close (1 %), mistyped (a nought too many, two digits swapped), differ."""
    a, b = pl.col(one), pl.col(other)
    apart, larger = (a - b).abs(), pl.max_horizontal(a, b)
    # Neighbours swapped differ by 9 × a digit × a power of ten, and have the same digits.
    nines = (apart // 9).cast(pl.String).str.strip_chars_end("0").str.len_chars() == 1
    digits = numbers.anagram(a.cast(pl.String)) == numbers.anagram(b.cast(pl.String))
    return (
        pl.when(a == b)
        .then(pl.lit("equal"))
        .when(apart * 1000 <= larger * CLOSE_PERMILLE)
        .then(pl.lit("close"))
        .when((a * 10 == b) | (b * 10 == a) | ((apart % 9 == 0) & nines & digits))
        .then(pl.lit("mistyped"))
        .otherwise(pl.lit("differ"))
    )


def days(one: str, other: str) -> pl.Expr:
    """How two days stand: equal, close (a week), swapped (month for day), differ."""
    a, b = pl.col(one), pl.col(other)
    swapped = (
        (a.dt.year() == b.dt.year()) & (a.dt.month() == b.dt.day()) & (a.dt.day() == b.dt.month())
    )
    return (
        pl.when(a == b)
        .then(pl.lit("equal"))
        .when((a - b).dt.total_days().abs() <= DAYS_CLOSE)
        .then(pl.lit("close"))
        .when(swapped)
        .then(pl.lit("swapped"))
        .otherwise(pl.lit("differ"))
    )


def day_keys(column: str) -> list[pl.Expr]:
    """Texts of which two days have one in common unless they `differ` (`days`)."""
    day = pl.col(column)
    week = day.dt.epoch("d") // (DAYS_CLOSE + 1)
    month, number = day.dt.month(), day.dt.day()
    either = (pl.min_horizontal(month, number), pl.max_horizontal(month, number))
    return [
        pl.format("{}", week),
        pl.format("{}", week + 1),
        pl.format("{}|{}|{}", day.dt.year(), *either),
    ]


def relations(frame: pl.DataFrame, one: str, other: str) -> pl.Series:
    """How the numbers in two columns stand (`near_numbers.relation`), each pair of texts looked at once."""
    pairs = frame.select(one, other).unique(maintain_order=True)
    found = [numbers.relation(a, b) for a, b in pairs.iter_rows()]
    told = pairs.with_columns(pl.Series("relation", found, dtype=pl.String))
    return frame.select(one, other).join(told, on=[one, other], how="left", maintain_order="left")[
        "relation"
    ]


def without_siblings(pairs: pl.DataFrame, *, of: list[str], number: str) -> pl.DataFrame:
    """Pairs in order, of which none has the same `of` as one before it and the next number of its series.

    A mistyped number lies near several of a series; it is one of them, the one it lies nearest to.
    """
    kept: list[bool] = []
    seen: dict[tuple[Any, ...], list[str]] = {}
    for *key, text in pairs.select(*of, number).iter_rows():
        before = seen.setdefault(tuple(key), [])
        new = all(numbers.relation(text, known) != numbers.SERIAL for known in before)
        kept.append(new)
        if new:
            before.append(text)
    return pairs.filter(pl.Series(kept, dtype=pl.Boolean))


def edits(frame: pl.DataFrame, one: str, other: str) -> pl.Series:
    """How many characters must be typed otherwise to make one number the other."""
    found = [OSA.distance(a, b) for a, b in frame.select(one, other).iter_rows()]
    return pl.Series(found, dtype=pl.Int64)
