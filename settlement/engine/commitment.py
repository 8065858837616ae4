"""The subsidy a note is expected to draw over its life, held against a year's fund (D16)."""

from __future__ import annotations

import polars as pl

from settlement.engine import exact, months, rates
from settlement.engine.codes import PPM_ONE
from settlement.engine.terms_model import Terms


def counted_days(terms: Terms) -> pl.Expr:
    """Days from `starts_on` to before `ends_on`, as the scheme counts them."""
    start, end = pl.col("starts_on"), pl.col("ends_on")
    if terms.day_count in ("months", "months_odd_days_360"):
        whole, odd = months.months_and_odd_days(start, end)
        return whole * 30 if terms.day_count == "months" else whole * 30 + odd
    return (end - start).dt.total_days().cast(pl.Int64)


def with_factors(terms: Terms, labels: pl.DataFrame) -> pl.DataFrame:
    """Labels with `factor`: rate × days from drawdown to the earlier of maturity and term end.

    Expected subsidy = eligible amount × factor ÷ `divisor(terms)`; dated rates count by their days.
    """
    total = pl.sum_horizontal(rates.annual(terms))
    if terms.method == "percent_of_interest":
        total = total * pl.col("rate_ppm")
    parts = (
        labels.select(
            "note_id", "drawn_on", "matures_on", "subsidised_from", "subsidised_until",
            "rate_ppm", "lpr_ppm",
        )
        .join(rates.cells(terms), how="cross")
        .filter(pl.col("drawn_on").is_between("drawn_from", "drawn_until", closed="left"))
        .with_columns(
            starts_on=pl.max_horizontal("subsidised_from", "accrued_from"),
            ends_on=pl.min_horizontal("matures_on", "subsidised_until", "accrued_until"),
        )
        .filter(pl.col("starts_on") < pl.col("ends_on"))
        .group_by("note_id")
        .agg(factor=(total * counted_days(terms)).sum())
    )  # fmt: skip
    return labels.join(parts, on="note_id", how="left").with_columns(pl.col("factor").fill_null(0))


def divisor(terms: Terms) -> int:
    """What eligible × factor is divided by to give fen.

    A percentage of interest has no day count of its own; its interest is expected on 360 days.
    """
    if terms.method == "percent_of_interest":
        return 360 * PPM_ONE * PPM_ONE
    return rates.denominator(terms)


def commitment_fen(eligible_fen: int, factor: int, divided_by: int) -> int:
    """The expected subsidy in fen, half up."""
    return exact.half_up_int(eligible_fen * factor, divided_by)
