"""新发放贷款月报: every drawdown of the period that is labelled with a scheme (SME-15)."""

from __future__ import annotations

import polars as pl

from reports.definitions.columns import (
    BORROWER,
    INSTITUTION,
    NUMBER,
    REGION,
    SCHEME,
    cny,
    count,
    grouped,
    heads,
    money,
    notes_of_moves,
    sum_of,
    table,
)
from reports.definitions.cut import Cut
from reports.definitions.sheet import Column, Sheet, Tie
from reports.definitions.words import OWNERSHIPS, REASONS, SIZES, STATUSES, said, said_all

DETAIL = (
    NUMBER,
    *SCHEME,
    *INSTITUTION,
    *BORROWER,
    Column("size", "企业规模", "text"),
    Column("ownership", "所有制", "text"),
    Column("industry_code", "行业代码", "text"),
    Column("region_code", "登记地", "text"),
    Column("purpose_field", "投向领域", "text"),
    Column("project_code", "项目代码", "text"),
    Column("project_name", "项目名称", "text"),
    Column("contract_number", "合同号", "text"),
    Column("note_number", "借据号", "text"),
    Column("drawn_on", "放款日", "date"),
    Column("matures_on", "到期日", "date"),
    Column("currency", "币种", "text"),
    Column("exchange_rate_e8", "折算率", "exchange"),
    Column("rate_ppm", "合同利率(%)", "rate"),
    Column("principal_fen", "放款金额（原币）", "yuan"),
    money("drawn_fen", "放款金额（人民币）", "yuan"),
    money("eligible_fen", "可贴息本金", "yuan"),
    Column("status", "认定结果", "text"),
    Column("reasons", "原因", "text"),
)
_SUMS = (
    count("notes", "笔数"),
    heads("enterprises", "户数"),
    money("drawn_fen", "金额", "wan"),
    count("eligible_notes", "认定符合笔数"),
    money("eligible_fen", "可贴息本金", "wan"),
)


def define(*, cut: Cut, notes: pl.DataFrame, drawn_fen: dict[str, int]) -> Sheet:
    """The sheet of these drawdowns, one row per note and label; `drawn_fen` by scheme, summed elsewhere."""
    listed = cut.named(notes).with_columns(drawn_fen=cny("principal_fen"))
    listed = listed.sort("rank", "institution_code", "note_number")
    detail = listed.with_columns(
        said("size", SIZES),
        said("ownership", OWNERSHIPS),
        said("status", STATUSES),
        said_all("reasons", REASONS),
    )
    by_scheme = _summed(listed, "scheme_code")
    by_field = _summed(listed, "scheme_code", "purpose_field")
    by_region = _summed(listed, "scheme_code", "city_code", "city_zh")
    field = Column("purpose_field", "投向领域", "text")
    return cut.sheet(
        table("detail", "新发放贷款明细", DETAIL, detail, article=cut.article),
        table("by_scheme", "汇总", (*SCHEME, *_SUMS), by_scheme, article=cut.article),
        table("by_field", "分领域汇总", (*SCHEME, field, *_SUMS), by_field, article=cut.article),
        table(
            "by_region", "分地区汇总", (*SCHEME, *REGION, *_SUMS), by_region, article=cut.article
        ),
        ties=_ties(listed, (by_scheme, by_field, by_region), drawn_fen),
        notes=(
            "放款金额（人民币）按借据记录的折算率一次折算，四舍五入到分（D18）。",
            "户数按统一社会信用代码去重，各行不可相加；地区为借款人放款日登记地所在设区市。",
            *notes_of_moves(listed),
        ),
    )


def _summed(listed: pl.DataFrame, *keys: str) -> pl.DataFrame:
    return grouped(
        listed,
        keys,
        pl.len().cast(pl.Int64).alias("notes"),
        pl.col("uscc").n_unique().cast(pl.Int64).alias("enterprises"),
        pl.col("drawn_fen").sum(),
        (pl.col("status") == "eligible").sum().cast(pl.Int64).alias("eligible_notes"),
        pl.col("eligible_fen").sum(),
    )


def _ties(
    listed: pl.DataFrame, summaries: tuple[pl.DataFrame, ...], drawn_fen: dict[str, int]
) -> tuple[Tie, ...]:
    names = ("汇总", "分领域", "分地区")
    rows = dict(listed.group_by("scheme_code").agg(pl.col("drawn_fen").sum()).iter_rows())
    return (
        *(
            Tie(f"{code}：明细放款金额 = 借据放款金额", rows.get(code, 0), drawn_fen.get(code, 0))
            for code in sorted({*rows, *drawn_fen})
        ),
        *(
            Tie(f"明细 = {name} {what}", sum_of(listed, column), sum_of(one, column))
            for name, one in zip(names, summaries, strict=True)
            for what, column in (("放款金额", "drawn_fen"), ("可贴息本金", "eligible_fen"))
        ),
    )
