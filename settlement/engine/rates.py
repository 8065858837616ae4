"""What each tier pays when: a scheme's dated rates as cells of drawdown days × accrual days."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import polars as pl

from settlement.engine.codes import FIRST_DAY, LAST_DAY, RATE_ONE, TIERS
from settlement.engine.terms_model import Terms, Window

CELLS: dict[str, type[pl.DataType]] = {
    "drawn_from": pl.Date,
    "drawn_until": pl.Date,
    "accrued_from": pl.Date,
    "accrued_until": pl.Date,
    **{f"rate_{tier}": pl.Int64 for tier in TIERS},
}


def _windows(terms: Terms, by: str) -> list[Window]:
    edges = {FIRST_DAY, LAST_DAY}
    for _tier, dated in terms.rates:
        if dated.by == by:
            edges |= {b.window.starts_on for b in dated.blocks}
            edges |= {b.window.ends_on for b in dated.blocks}
    return [Window(start, end) for start, end in itertools.pairwise(sorted(edges))]


def _rate(terms: Terms, tier: str, drawn: Window, accrued: Window) -> int:
    dated = terms.rate_of(tier)
    if dated is None:
        return 0
    day = drawn.starts_on if dated.by == "drawdown" else accrued.starts_on
    within = (b for b in dated.blocks if b.window.starts_on <= day < b.window.ends_on)
    return next((block.amount for block in within), 0)


def cells(terms: Terms) -> pl.DataFrame:
    """One row per stretch of drawdown days × accrual days in which no tier's rate changes."""
    rows = [
        (
            drawn.starts_on,
            drawn.ends_on,
            accrued.starts_on,
            accrued.ends_on,
            *(_rate(terms, tier, drawn, accrued) for tier in TIERS),
        )
        for drawn in _windows(terms, "drawdown")
        for accrued in _windows(terms, "accrual")
    ]
    return pl.DataFrame(rows, schema=CELLS, orient="row")


def annual(terms: Terms, tiers: Sequence[str] = TIERS) -> list[pl.Expr]:
    """Per tier the numerator of its rate, over `denominator(terms)`, from a cell's columns.

    Points count as they are. Interest up to LPR + n pays whole percents of the lesser of the note's
    rate and the ceiling: parts per million × percent is again a rate in 1e-8.
    """
    if terms.method != "interest_to_lpr_plus":
        return [pl.col(f"rate_{tier}") for tier in tiers]
    ceiling = pl.col("lpr_ppm") + terms.above_lpr_ppm
    supported = pl.min_horizontal(pl.col("rate_ppm"), ceiling)
    return [(supported * pl.col(f"rate_{tier}")).alias(f"rate_{tier}") for tier in tiers]


def denominator(terms: Terms) -> int:
    """What `product × rate` is divided by to give fen; the caller adds the share paid."""
    return terms.basis * RATE_ONE
