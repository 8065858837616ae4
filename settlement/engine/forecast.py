"""What existing notes will earn on the interest days to come, if interest is paid as it falls due.

The days are played through the engine itself with made-up collections, after everything collected
before them, so that terms, windows, caps, ceilings and tiers apply as they will (SME-16, EQ-06).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import polars as pl

from settlement.engine import exact, interest_days
from settlement.engine.accrual import enrolled
from settlement.engine.book import Book, open_book
from settlement.engine.codes import MAX_AMOUNT_FEN, PPM_ONE
from settlement.engine.deductions import deduct
from settlement.engine.facts import COLLECTIONS, DeductFacts, empty
from settlement.engine.prorata import GRANTED
from settlement.engine.terms_model import Terms
from settlement.engine.timeline import as_date, dayno, segments

DAYS_OF_A_YEAR = 360  # as banks count interest
RATE_OF_EXCHANGE_ONE = 10**8
PERIOD = ["note_id", "period_start", "period_end"]

EXPECTED: dict[str, type[pl.DataType]] = {
    "note_id": pl.Int64,
    "scheme_code": pl.String,
    "collected_on": pl.Date,
    **dict.fromkeys(GRANTED, pl.Int64),
}
"""Columns of what `expected` returns."""


def expected(
    *,
    terms: Sequence[Terms],
    facts: DeductFacts,
    start: date,
    end: date,
    rhythm: str = "monthly",
    planned: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """What would each note earn under each scheme on each day from `start` until before `end`?

    Columns `EXPECTED`, amounts in fen; what earns nothing is missing. `facts.notes` also carry
    `matures_on`: nothing is expected after it. What was really collected from `start` on gives way to
    the forecast, interest not yet collected before `start` is taken to be paid on its days. `planned`
    (as COLLECTIONS; what is paid is ignored) are collections on days of their own, which stand for
    their periods. `rhythm` is that of notes whose collections and plans show none (`RHYTHMS`).
    """
    assert rhythm in interest_days.RHYTHMS, rhythm
    known = facts.collections.filter(pl.col("collected_on") < start).select(list(COLLECTIONS))
    plans = empty("collections") if planned is None else planned.select(list(COLLECTIONS))
    shown = interest_days.rhythms(pl.concat([facts.collections.select(list(COLLECTIONS)), plans]))
    before = replace(facts, collections=known)
    book = open_book(replace(before.checked(), collections=empty("collections")))
    running = _running(terms, before, book, shown, rhythm)
    made_up = _made_up(running, book, plans, end)
    due = _planned_payments(plans.filter(pl.col("collected_on") < end), known)
    played = replace(facts, collections=pl.concat([known, due, made_up]))
    days = pl.concat([due, made_up]).filter(pl.col("collected_on") >= start)
    return (
        deduct(terms=terms, facts=played)
        .rows.drop("note_id")
        .join(days.select("collection_id", "note_id", "collected_on"), on="collection_id")
        .filter(pl.sum_horizontal(GRANTED) != 0)
        .group_by("note_id", "scheme_code", "collected_on")
        .agg(pl.col(GRANTED).sum())
        .sort("note_id", "scheme_code", "collected_on")
        .select(list(EXPECTED))
    )


def _planned_payments(plans: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Plans as collections that pay what was not collected of their periods by then."""
    paid = known.group_by(PERIOD).agg(before=pl.col("interest_paid_fen").sum())
    rest = pl.col("interest_due_fen") - pl.col("before").fill_null(0)
    return (
        plans.join(paid, on=PERIOD, how="left")
        .with_columns(interest_paid_fen=rest.clip(lower_bound=0))
        .select(list(COLLECTIONS))
    )


def _made_up(running: pl.DataFrame, book: Book, plans: pl.DataFrame, end: date) -> pl.DataFrame:
    """Collections of what is not collected or planned yet, numbered below zero, paid in full."""
    notes = book.notes.select("note_id", "note", "rate_ppm", "exchange_rate_e8")
    windows = (
        interest_days.periods(running, until=end, planned=plans.select(PERIOD))
        .join(notes, on="note_id")
        .with_columns(start_day=dayno("period_start"), end_day=dayno("period_end"))
    )
    return (
        _with_interest(windows, book)
        .sort("note_id", "period_start")
        .with_columns(
            collection_id=-1 - pl.int_range(pl.len(), dtype=pl.Int64),
            interest_paid_fen="interest_due_fen",
            reference=pl.lit(""),
        )
        .select(list(COLLECTIONS))
    )


def _running(
    terms: Sequence[Terms], facts: DeductFacts, book: Book, shown: pl.DataFrame, rhythm: str
) -> pl.DataFrame:
    """Notes with days to be subsidised yet, as `interest_days.periods` takes them.

    Interest of the year of the first subsidised day counts from its start on, for the ceiling (D10).
    """
    checked = facts.checked()
    windows = pl.concat(
        enrolled(one, checked, book).select("note", "from_day", "until_day") for one in terms
    ).filter(pl.col("from_day") < pl.col("until_day"))
    wanted = windows.group_by("note").agg(pl.col("from_day").min(), pl.col("until_day").max())
    year_before = as_date("from_day").dt.truncate("1y").dt.offset_by("-1mo").dt.offset_by("20d")
    return (
        book.notes.select("note_id", "note", "drawn_on")
        .join(wanted, on="note")
        .join(facts.notes.select("note_id", "matures_on"), on="note_id")
        .join(_collected_through(facts), on="note_id", how="left")
        .join(shown, on="note_id", how="left")
        .with_columns(
            first_day=pl.max_horizontal("drawn_on", "through", year_before),
            quarterly=pl.col("quarterly").fill_null(value=rhythm == "quarterly"),
        )
        .filter(dayno("first_day") < pl.col("until_day"))
        .select("note_id", "first_day", "matures_on", "quarterly")
    )


def _collected_through(facts: DeductFacts) -> pl.DataFrame:
    """Up to where interest of each note is recorded, here or before the system took over."""
    days = [
        facts.collections.select("note_id", through="period_end"),
        facts.opening.select("note_id", through="paid_through"),
    ]
    return pl.concat(days).group_by("note_id").agg(pl.col("through").max())


def _with_interest(windows: pl.DataFrame, book: Book) -> pl.DataFrame:
    """Periods in which interest falls due, with how much in CNY: balance × rate × days ÷ 360."""
    if windows.is_empty():
        return windows.with_columns(interest_due_fen=pl.lit(0, dtype=pl.Int64))
    days = pl.col("until_day") - pl.col("from_day")
    products = (
        segments(windows, book.timeline)
        .group_by("window")
        .agg(product=(pl.col("balance_fen") * days).sum())
        .sort("window")
    )
    due = windows.with_columns(products["product"]).with_columns(interest_due_fen=_interest())
    return due.filter(pl.col("product") > 0)


def _interest() -> pl.Expr:
    """Half up, once per period; beyond what one row may hold it no longer limits anything."""
    numerator = exact.wide("product") * exact.wide("rate_ppm") * exact.wide("exchange_rate_e8")
    due = exact.half_up(numerator, exact.lit(DAYS_OF_A_YEAR * PPM_ONE * RATE_OF_EXCHANGE_ONE))
    return due.clip(0, MAX_AMOUNT_FEN)
