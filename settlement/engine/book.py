"""Puts notes and collections into the orders of domain D9 and adds up what was paid so far."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from settlement.engine.exact import wide
from settlement.engine.facts import DeductFacts
from settlement.engine.timeline import Timeline, build, dayno


@dataclass(frozen=True)
class Book:
    """Notes numbered in order of (institution, note number), and their collections.

    `collections` are sorted by note, period and D9's order: `row` is the place in that sorting,
    `order` the place within D9's order among the collections of notes of equal day, `period`
    numbers (note, period start, period end), `paid_so_far_fen` runs over a period, and
    `interest_to_date_fen` over a note's calendar year of collection (opening interest included).
    """

    notes: pl.DataFrame
    collections: pl.DataFrame
    timeline: Timeline


def running(value: str, *, starts: pl.Expr) -> pl.Expr:
    """Running total of a column that begins anew in each row where `starts` holds.

    A difference of two whole-column totals; Int128, so that no total can wrap.
    """
    total = wide(value).cum_sum()
    before = pl.when(starts).then(total - wide(value)).forward_fill()
    return (total - before).cast(pl.Int64, strict=True)


def changes(*columns: str) -> pl.Expr:
    """Whether a row differs from the one above in any of the columns; true in the first row."""
    differs = [pl.col(c).ne_missing(pl.col(c).shift(1)) for c in columns]
    return pl.any_horizontal(*differs)


def opening_interest(opening: pl.DataFrame) -> pl.DataFrame:
    """Interest paid before the system took over, per note and year.

    Each scheme's and tier's row repeats the note's own interest, so the largest counts once.
    """
    return opening.group_by("note_id", "year").agg(
        opening_interest_fen=pl.col("interest_paid_fen").max()
    )


def _number_notes(notes: pl.DataFrame) -> pl.DataFrame:
    return notes.sort("institution_code", "note_number").with_columns(
        note=pl.int_range(pl.len(), dtype=pl.Int64)
    )


def _in_order(collections: pl.DataFrame, opening: pl.DataFrame) -> pl.DataFrame:
    return (
        collections.with_columns(
            year=pl.col("collected_on").dt.year().cast(pl.Int64),
            start_day=dayno("period_start"),
            end_day=dayno("period_end"),
        )
        .sort("note", "collected_on", "period_start", "reference")
        .with_columns(order=pl.int_range(pl.len(), dtype=pl.Int64))
        .with_columns(paid_fen=running("interest_paid_fen", starts=changes("note", "year")))
        .join(opening_interest(opening), on=["note_id", "year"], how="left", maintain_order="left")
        .with_columns(
            interest_to_date_fen=pl.col("paid_fen") + pl.col("opening_interest_fen").fill_null(0)
        )
        .drop("paid_fen", "opening_interest_fen", "reference")
    )


def _by_period(ordered: pl.DataFrame) -> pl.DataFrame:
    new_period = changes("note", "start_day", "end_day")
    return (
        ordered.sort("note", "start_day", "end_day", "order")
        .with_columns(
            row=pl.int_range(pl.len(), dtype=pl.Int64),
            period=new_period.cast(pl.Int64).cum_sum() - 1,
            paid_so_far_fen=running("interest_paid_fen", starts=new_period),
        )
        .with_columns(
            paid_fen=pl.min_horizontal(
                pl.col("paid_so_far_fen").clip(lower_bound=0), "interest_due_fen"
            )
        )
    )


def open_book(facts: DeductFacts) -> Book:
    """Number notes, order collections and build the timeline of balances and stops."""
    notes = _number_notes(facts.notes)
    numbers = notes.select("note_id", "note")
    collections = facts.collections.join(numbers, on="note_id", how="left")
    assert not collections["note"].null_count(), "collections: a note is not among the notes"
    timeline = build(
        notes,
        facts.repayments.join(numbers, on="note_id"),
        facts.stops.join(numbers, on="note_id"),
    )
    ordered = _by_period(_in_order(collections, facts.opening))
    return Book(notes=notes, collections=ordered, timeline=timeline)
