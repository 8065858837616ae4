"""The working of a deduction as frames: what `explain` reads, nothing computed anew."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from settlement.engine.codes import TIERS
from settlement.engine.timeline import as_date

STEPS: dict[str, type[pl.DataType]] = {
    "number": pl.Int64,
    "step": pl.String,
    "key": pl.String,
    "limit_fen": pl.Int64,
    "used_fen": pl.Int64,
    "before_fen": pl.Int64,
    "after_fen": pl.Int64,
}


@dataclass(frozen=True)
class Trace:
    """Intermediate columns of one call.

    `segments`: collection_id, scheme_code, starts_on, ends_on, balance_fen, eligible_fen,
    principal_fen, base_fen, days, product, stopped, then the rate numerators of each tier.
    `earned`: per row interest_due_fen, paid_fen (the part of the due that counts), numerators as
    exact whole numbers, the divisor's scale, the full product (percent of interest only), before,
    raw and granted per tier, interest to date and what the note received outside.
    `steps`: collection_id, scheme_code, step, key (of the citation), limit, used, before, after.
    """

    segments: pl.DataFrame
    earned: pl.DataFrame
    steps: pl.DataFrame


def segments(parts: list[tuple[str, pl.DataFrame]], collections: pl.DataFrame) -> pl.DataFrame:
    """The segments of all schemes with the ids a caller knows, in order of days."""
    named = [frame.with_columns(scheme_code=pl.lit(code)) for code, frame in parts]
    if not named:
        return pl.DataFrame()
    return (
        pl.concat(named)
        .join(collections.select("row", "collection_id"), on="row")
        .sort("collection_id", "scheme_code", "from_day")
        .select(
            "collection_id",
            "scheme_code",
            as_date("from_day").alias("starts_on"),
            as_date("until_day").alias("ends_on"),
            *("balance_fen", "eligible_fen", "principal_fen", "base_fen", "days", "product"),
            "stopped",
            *(f"rate_{tier}" for tier in TIERS),
        )
    )


def steps(taken: list[tuple[object, ...]], rows: pl.DataFrame) -> pl.DataFrame:
    """Every ceiling and cap a row met, in the order it met them."""
    frame = pl.DataFrame(taken, schema=STEPS, orient="row")
    ids = rows.select("number", "collection_id", "scheme_code")
    return frame.join(ids, on="number", how="left", maintain_order="left").drop("number")
