"""季度贴息资金拨付汇总: what reached enterprises, by first-tier branch, city and tier (MF-17, MF-22, MF-26)."""

from __future__ import annotations

import polars as pl

from reports.definitions.columns import (
    BORROWER,
    FUND,
    NUMBER,
    REGION,
    SCHEME,
    count,
    grouped,
    heads,
    money,
    sum_of,
    table,
    tiers,
    total,
)
from reports.definitions.cut import Cut, sums_by_tier, ties_of_money
from reports.definitions.sheet import Column, Kind, Sheet, Tie
from reports.definitions.words import TIERS

_AMOUNTS = (
    *(f"{tier}_fen" for tier in TIERS), "total_fen", "netted_fen", "paid_out_fen", "arrived_fen",
    "offset_fen",
)  # fmt: skip


def _paid(kind: Kind, paying: tuple[str, ...]) -> tuple[Column, ...]:
    return (
        *tiers("", "拨付", kind, paying),
        money("netted_fen", "其中直接抵减", kind),
        money("paid_out_fen", "其中直接拨付", kind),
        money("arrived_fen", "直接拨付已到账", kind),
        money("offset_fen", "其中抵扣追回", kind),
    )


def define(*, cut: Cut, notes: pl.DataFrame) -> Sheet:
    """The sheet of these notes' net subsidies (`reports.selectors.posted.paid`, with cities)."""
    listed = (
        cut.named(notes)
        .with_columns(total())
        .with_columns(
            netted_fen=pl.col("total_fen") - pl.col("paid_out_fen") - pl.col("offset_fen")
        )
    )
    by_enterprise = _summed(listed, *_codes(FUND), *_codes(REGION), *_codes(BORROWER))
    by_city = _summed(listed, *_codes(FUND), *_codes(REGION))
    by_branch = _summed(listed, *_codes(FUND))
    counts = (heads("enterprises", "户数"), count("notes", "笔数"))
    detail = (
        NUMBER,
        *SCHEME,
        *FUND,
        *REGION,
        *BORROWER,
        count("notes", "借据笔数"),
        *_paid("yuan", cut.tiers),
    )
    wan = (*counts, *_paid("wan", cut.tiers))
    return cut.sheet(
        table("detail", "分企业拨付明细", detail, by_enterprise, article=cut.article),
        table(
            "by_city", "分行分市汇总", (*SCHEME, *FUND, *REGION, *wan), by_city, article=cut.article
        ),
        table("by_branch", "分行汇总", (*SCHEME, *FUND, *wan), by_branch, article=cut.article),
        ties=(
            *ties_of_money(sums_by_tier(by_enterprise), cut.money),
            *(
                Tie(f"明细 = {name} {what}", sum_of(by_enterprise, column), sum_of(one, column))
                for name, one in (("分市汇总", by_city), ("分行汇总", by_branch))
                for column, what in (
                    ("total_fen", "拨付"),
                    ("netted_fen", "直接抵减"),
                    ("paid_out_fen", "直接拨付"),
                )
            ),
        ),
        notes=(
            "拨付为本期收息已代付的贴息净额（含更正差额），按列支的一级分行专户、企业登记地所在设区市列示。",
            "直接抵减＝拨付－直接拨付－抵扣追回；直接拨付为不能直接抵减、扣息日拨付至企业账户的金额（MF-25）。",
            "户数按统一社会信用代码去重，各行不可相加。",
        ),
    )


def _codes(columns: tuple[Column, ...]) -> list[str]:
    return [column.key for column in columns]


def _summed(listed: pl.DataFrame, *keys: str) -> pl.DataFrame:
    return grouped(
        listed,
        ["scheme_code", *keys],
        pl.col("uscc").n_unique().cast(pl.Int64).alias("enterprises")
        if "uscc" not in keys
        else pl.lit(1, pl.Int64).alias("enterprises"),
        pl.col("note_id").n_unique().cast(pl.Int64).alias("notes"),
        pl.col(_AMOUNTS).sum(),
    )
