"""What lending to come would earn, if it is like that of a base year, more or less a stated growth.

Each eligible note of the base year is expected again on the same day of the year asked for, if the
scheme's drawdown window is open then. Nothing of it is repaid within the year, and caps other than
the principal cap (in the base already) do not limit it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from settlement.engine import exact, interest_days, rates
from settlement.engine.codes import LAST_DAY, PPM_ONE, TIERS
from settlement.engine.commitment import counted_days, divisor
from settlement.engine.months import add_months
from settlement.engine.prorata import GRANTED
from settlement.engine.terms_model import Terms

BASE: dict[str, pl.DataType | type[pl.DataType]] = {
    "note_id": pl.Int64,
    "scheme_code": pl.String,
    "institution_id": pl.Int64,
    "drawn_on": pl.Date,
    "matures_on": pl.Date,
    "eligible_fen": pl.Int64,
    "rate_ppm": pl.Int64,
    "lpr_ppm": pl.Int64,
    "tiers_off": pl.List(pl.String),
}
"""Columns of the base year's eligible notes; `lpr_ppm` may be null where the scheme needs none."""

SUBSIDIES: dict[str, type[pl.DataType]] = {
    "scheme_code": pl.String,
    "institution_id": pl.Int64,
    "collected_on": pl.Date,
    **dict.fromkeys(GRANTED, pl.Int64),
}
DRAWDOWNS: dict[str, type[pl.DataType]] = {
    "scheme_code": pl.String,
    "institution_id": pl.Int64,
    "month": pl.Date,
    "notes": pl.Int64,
    "base_fen": pl.Int64,
    "expected_fen": pl.Int64,
}


@dataclass(frozen=True)
class Growth:
    """Lending of `year` is that of `base_year` times 1 + `ppm` ÷ 10⁶ (500,000: half as much again)."""

    year: int
    base_year: int
    ppm: int = 0

    @property
    def factor(self) -> int:
        """Over 10⁶."""
        return PPM_ONE + self.ppm

    def of(self, numerator: int, divided_by: int = 1) -> int:
        """The one rounding of expected lending and of what it earns: half up."""
        return exact.half_up_int(numerator * self.factor, divided_by * PPM_ONE)


@dataclass(frozen=True)
class Lending:
    """`subsidies` by scheme, branch and day of collection; `drawdowns` by scheme, branch and month."""

    subsidies: pl.DataFrame
    drawdowns: pl.DataFrame


def expected(
    *,
    terms: Sequence[Terms],
    base: pl.DataFrame,
    growth: Growth,
    after: date | None,
    start: date,
    end: date,
    rhythm: str = "monthly",
) -> Lending:
    """What would notes drawn in `growth.year` after a day earn on interest days from `start` on?

    `base`: as BASE. `after`: the last day whose lending is known already. Amounts in fen; each sum of
    a scheme, branch, day and tier is rounded once: eligible × rate × days × (1 + growth) ÷ basis.
    """
    assert growth.factor >= 0, growth
    months = f"{12 * (growth.year - growth.base_year)}mo"
    coming = base.filter(pl.col("drawn_on").dt.year() == growth.base_year).with_columns(
        pl.col("drawn_on", "matures_on").dt.offset_by(months)
    )
    if after is not None:
        coming = coming.filter(pl.col("drawn_on") > after)
    coming = coming.filter(pl.col("drawn_on") < end)
    schemes = [(one, _within_window(one, coming)) for one in terms]
    earned = [
        _earned(one, mine, growth=growth, start=start, end=end, rhythm=rhythm)
        for one, mine in schemes
    ]
    drawn = [_drawdowns(mine, growth) for _, mine in schemes]
    return Lending(
        subsidies=pl.concat([pl.DataFrame(schema=SUBSIDIES), *earned]),
        drawdowns=pl.concat([pl.DataFrame(schema=DRAWDOWNS), *drawn]),
    )


def _within_window(terms: Terms, coming: pl.DataFrame) -> pl.DataFrame:
    """The scheme's notes it would still take; its documents may be extended, but are not yet."""
    window, last = terms.drawn, min(terms.drawn.ends_on, terms.accrued.ends_on)
    return coming.filter(
        (pl.col("scheme_code") == terms.code)
        & pl.col("drawn_on").is_between(window.starts_on, last, closed="left")
    )


def _drawdowns(mine: pl.DataFrame, growth: Growth) -> pl.DataFrame:
    sums = (
        mine.group_by("scheme_code", "institution_id", pl.col("drawn_on").dt.truncate("1mo"))
        .agg(pl.len().cast(pl.Int64), pl.col("eligible_fen").sum())
        .sort("scheme_code", "institution_id", "drawn_on")
    )
    rows = [(*keys, fen, growth.of(fen)) for *keys, fen in sums.iter_rows()]
    return pl.DataFrame(rows, schema=DRAWDOWNS, orient="row")


def _earned(
    terms: Terms, mine: pl.DataFrame, *, growth: Growth, start: date, end: date, rhythm: str
) -> pl.DataFrame:
    """By branch and day of collection; the rows' numerators are added up before they are rounded."""
    off = [
        pl.when(pl.col("tiers_off").list.contains(tier)).then(0).otherwise(pl.col(f"rate_{tier}"))
        for tier in TIERS
    ]
    days = counted_days(terms)
    if terms.method == "percent_of_interest":
        days = days * pl.col("rate_ppm")
    numerators = [
        (exact.wide("eligible_fen") * pl.col(f"rate_{tier}").cast(exact.WIDE) * days)
        .sum()
        .alias(tier)
        for tier in TIERS
    ]
    sums = (
        _stretches(terms, mine, end=end, rhythm=rhythm)
        .filter(pl.col("collected_on") >= start)
        .with_columns(expr.alias(f"rate_{t}") for expr, t in zip(off, TIERS, strict=True))
        .with_columns(rates.annual(terms))
        .group_by("scheme_code", "institution_id", "collected_on")
        .agg(numerators)
        .sort("scheme_code", "institution_id", "collected_on")
    )
    divided_by = divisor(terms)
    rows = [
        (*keys, *(growth.of(int(sum_), divided_by) for sum_ in tiers))
        for *keys, tiers in ((*row[:3], row[3:]) for row in sums.iter_rows())
    ]
    return pl.DataFrame(rows, schema=SUBSIDIES, orient="row")


def _stretches(terms: Terms, mine: pl.DataFrame, *, end: date, rhythm: str) -> pl.DataFrame:
    """The expected notes' subsidised days (`starts_on`, `ends_on`) by period and cell of rates."""
    until = pl.lit(LAST_DAY)
    if terms.term_months:
        until = add_months(pl.col("drawn_on"), terms.term_months)
    running = mine.select(
        "note_id",
        "matures_on",
        first_day="drawn_on",
        quarterly=pl.lit(value=rhythm == "quarterly"),
    )
    nothing = pl.DataFrame(schema=interest_days.PLANNED)
    return (
        interest_days.periods(running, until=end, planned=nothing)
        .join(mine.drop("matures_on"), on="note_id")
        .join(rates.cells(terms), how="cross")
        .filter(pl.col("drawn_on").is_between("drawn_from", "drawn_until", closed="left"))
        .with_columns(
            starts_on=pl.max_horizontal(
                "period_start", "accrued_from", pl.lit(terms.accrued.starts_on)
            ),
            ends_on=pl.min_horizontal(
                "period_end", "accrued_until", pl.lit(terms.accrued.ends_on), until
            ),
        )
        .filter(pl.col("starts_on") < pl.col("ends_on"))
    )
