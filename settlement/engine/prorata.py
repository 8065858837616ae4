"""A fund shared in proportion when a year's subsidies exceed it (domain §4, fund pro rata)."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from settlement.engine.codes import TIERS, cut_bit
from settlement.engine.terms_model import Terms
from settlement.engine.tiers import share

GRANTED = [f"{tier}_fen" for tier in TIERS]


def allot(amounts: Sequence[int], fund_fen: int) -> list[int]:
    """Each amount × fund ÷ sum of all, floored; the spare fen go to the first of the largest.

    Amounts within the fund are left as they are. What is taken back (a negative amount) is cut in the
    same proportion, floored by size, so that a reversal takes back what its row was given.
    """
    whole = sum(amounts)
    if whole <= fund_fen:
        return list(amounts)
    parts = [abs(amount) * fund_fen // whole * (1 if amount > 0 else -1) for amount in amounts]
    parts[amounts.index(max(amounts))] += fund_fen - sum(parts)
    return parts


def apply(rows: pl.DataFrame, ranked: Sequence[Terms], funds: pl.DataFrame) -> pl.DataFrame:
    """Cut the granted amounts of pro-rata schemes to each year's fund.

    All rows of such a scheme and year must be present; ties for the spare fen go to the first row
    in the order of service. No fund recorded means no limit.
    """
    for rank, terms in enumerate(ranked):
        if terms.fund_method != "pro_rata":
            continue
        for year, fund in (
            funds.filter(pl.col("scheme_code") == terms.code)
            .select("year", "amount_fen")
            .iter_rows()
        ):
            rows = _cut(rows, (pl.col("rank") == rank) & (pl.col("year") == year), fund)
    return rows


def _cut(rows: pl.DataFrame, chosen: pl.Expr, fund_fen: int) -> pl.DataFrame:
    own = rows.filter(chosen).sort("collected_on", "order", "number")
    totals = own.select(pl.sum_horizontal(GRANTED)).to_series().to_list()
    if sum(totals) <= fund_fen:
        return rows
    parts = allot(totals, fund_fen)
    tiers = [
        share(tuple(tier), part)
        for tier, part in zip(own.select(GRANTED).iter_rows(), parts, strict=True)
    ]
    lowered = [0 <= part < total for part, total in zip(parts, totals, strict=True)]
    bit = cut_bit("fund_pro_rata")
    cut = own.drop(GRANTED).with_columns(
        *[pl.Series(n, c, dtype=pl.Int64) for n, c in zip(GRANTED, zip(*tiers, strict=True), strict=True)],
        mask=pl.when(pl.Series(lowered)).then(pl.col("mask") | bit).otherwise(pl.col("mask")),
    )  # fmt: skip
    return pl.concat([rows.filter(~chosen), cut.select(rows.columns)])
