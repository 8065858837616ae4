"""Next year's need: what existing notes would earn if today's balance stays and interest is paid.

The year is played through the engine itself with one made-up collection per note and quarter, after
everything collected before it, so that terms, caps and tiers apply as they will (SME-16, EQ-09).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import polars as pl

from settlement.engine import exact
from settlement.engine.codes import MAX_AMOUNT_FEN, PPM_ONE
from settlement.engine.deductions import deduct
from settlement.engine.facts import COLLECTIONS, DeductFacts
from settlement.engine.prorata import GRANTED
from settlement.engine.terms_model import Terms

DAYS_OF_A_YEAR = 360  # as banks count interest
RATE_OF_EXCHANGE_ONE = 10**8


def need(*, terms: Sequence[Terms], facts: DeductFacts, year: int) -> pl.DataFrame:
    """What would each note earn under each scheme over that calendar year?

    Columns `note_id`, `scheme_code` and fen by tier; notes that would earn nothing may be missing.
    `facts.notes` also carry `matures_on`: nothing is expected after it. What was really collected in
    that year or later gives way to the forecast; nobody's borrowing anew is expected.
    """
    known = facts.collections.filter(pl.col("collected_on") < date(year, 1, 1))
    expected = _expected(facts, year)
    played = replace(facts, collections=pl.concat([known.select(list(COLLECTIONS)), expected]))
    rows = deduct(terms=terms, facts=played).rows.filter(pl.col("collection_id") < 0)
    return rows.group_by("note_id", "scheme_code").agg(pl.col(GRANTED).sum())


def _quarters(year: int) -> pl.DataFrame:
    starts = [date(year, month, 1) for month in (1, 4, 7, 10)] + [date(year + 1, 1, 1)]
    return pl.DataFrame(
        {"quarter_start": starts[:-1], "quarter_end": starts[1:]},
        schema={"quarter_start": pl.Date, "quarter_end": pl.Date},
    )


def _expected(facts: DeductFacts, year: int) -> pl.DataFrame:
    """One collection per note and quarter, numbered below zero, due and paid at its end."""
    repaid = facts.repayments.group_by("note_id").agg(repaid_fen=pl.col("amount_fen").sum())
    balance = pl.col("principal_fen") - pl.col("repaid_fen").fill_null(0)
    periods = (
        facts.notes.join(repaid, on="note_id", how="left")
        .with_columns(balance_fen=balance.clip(0, pl.col("principal_fen")))
        .filter(pl.col("balance_fen") > 0)
        .join(_quarters(year), how="cross")
        .with_columns(
            period_start=pl.max_horizontal("quarter_start", "drawn_on"),
            period_end=pl.min_horizontal("quarter_end", "matures_on"),
        )
        .filter(pl.col("period_start") < pl.col("period_end"))
        .sort("note_id", "period_start")
        .with_columns(
            days=(pl.col("period_end") - pl.col("period_start")).dt.total_days().cast(pl.Int64)
        )
    )
    return periods.with_columns(interest_due_fen=_interest()).select(
        collection_id=-1 - pl.int_range(pl.len(), dtype=pl.Int64),
        note_id="note_id",
        period_start="period_start",
        period_end="period_end",
        interest_due_fen="interest_due_fen",
        interest_paid_fen="interest_due_fen",
        collected_on=pl.col("period_end") - timedelta(days=1),
        reference=pl.lit(""),
    )


def _interest() -> pl.Expr:
    """Balance × rate × days ÷ 360 in CNY; beyond what one row may hold it no longer limits."""
    numerator = (
        exact.wide("balance_fen") * exact.wide("rate_ppm") * exact.wide("days")
        * exact.wide("exchange_rate_e8")
    )  # fmt: skip
    due = exact.half_up(numerator, exact.lit(DAYS_OF_A_YEAR * PPM_ONE * RATE_OF_EXCHANGE_ONE))
    return due.clip(0, MAX_AMOUNT_FEN)
