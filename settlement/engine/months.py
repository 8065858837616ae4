"""Whole months between days, on columns (domain D3: the same day of the month, or its last)."""

from __future__ import annotations

import polars as pl


def add_months(day: pl.Expr, months: int) -> pl.Expr:
    """The day that many months later; a day the month lacks becomes the month's last."""
    return day.dt.offset_by(f"{months}mo")


def whole_months(start: pl.Expr, end: pl.Expr) -> pl.Expr:
    """How many whole months fit into [start, end); Int64, never negative."""
    apart = (
        (end.dt.year().cast(pl.Int64) - start.dt.year().cast(pl.Int64)) * 12
        + end.dt.month().cast(pl.Int64)
        - start.dt.month().cast(pl.Int64)
    )
    reached = start.dt.offset_by(pl.format("{}mo", apart))
    return (apart - (reached > end).cast(pl.Int64)).clip(lower_bound=0)


def months_and_odd_days(start: pl.Expr, end: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Whole months in [start, end) and the days left over after them, both Int64."""
    months = whole_months(start, end)
    odd = (end - start.dt.offset_by(pl.format("{}mo", months))).dt.total_days().cast(pl.Int64)
    return months, odd
