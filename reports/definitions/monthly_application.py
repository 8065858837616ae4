"""贴息资金月度申请: each note's interest and subsidies of the period, with the evidence for them (EQ-07)."""

from __future__ import annotations

import polars as pl

from reports.definitions.columns import (
    BORROWER,
    INSTITUTION,
    NUMBER,
    SCHEME,
    cny,
    count,
    grouped,
    heads,
    money,
    notes_of_moves,
    sum_of,
    table,
    tiers,
    total,
)
from reports.definitions.cut import Cut, sums_by_tier, ties_of_money
from reports.definitions.sheet import Column, Sheet, Tie
from reports.definitions.words import REVIEWS

_NOTE = (
    NUMBER,
    *SCHEME,
    *INSTITUTION,
    *BORROWER,
    Column("project_code", "项目代码", "text"),
    Column("project_name", "项目名称", "text"),
    Column("contract_number", "合同号", "text"),
    Column("note_number", "借据号", "text"),
    Column("drawn_on", "放款日", "date"),
    Column("matures_on", "到期日", "date"),
    Column("rate_ppm", "合同利率(%)", "rate"),
    money("drawn_fen", "放款金额（人民币）", "yuan"),
    money("eligible_fen", "可贴息本金", "yuan"),
    count("collections", "收息笔数"),
    Column("first_on", "计息起日", "date"),
    Column("last_on", "计息止日(不含)", "date"),
    money("interest_fen", "实收利息", "yuan"),
    Column("days", "实际付息天数", "int"),
    Column("product", "积数(元·日)", "product", total=True),
    money("raw_fen", "封顶前贴息", "yuan"),
)
_EVIDENCE = (
    count("invoices", "发票张数"),
    money("invoiced_fen", "发票金额", "yuan"),
    Column("results_zh", "审核结果", "text"),
    money("reviewed_fen", "核减金额", "yuan"),
    Column("review_reasons", "审核原因", "text"),
    Column("review_documents", "审核文号", "text"),
)
_COUNTS = (
    count("notes", "笔数"),
    heads("enterprises", "户数"),
    money("interest_fen", "实收利息", "wan"),
)
_EVIDENCE_SUMS = (
    count("invoices", "发票张数"),
    money("invoiced_fen", "发票金额", "wan"),
    money("reviewed_fen", "核减金额", "wan"),
)
_BRANCH = (
    Column("holder_code", "机构编码", "text"),
    Column("institution_name", "分支机构", "text"),
)


def define(*, cut: Cut, notes: pl.DataFrame) -> Sheet:
    """The sheet of these notes, one row per note and scheme (`reports.selectors.posted.applied_for`)."""
    listed = (
        cut.named(notes)
        .with_columns(total(), drawn_fen=cny("principal_fen"), results_zh=_in_words("results"))
        .filter((pl.col("product") != 0) | (pl.col("total_fen") != 0))
        .sort("rank", "institution_code", "note_number")
    )
    detail = (*_NOTE, *tiers("", "申请贴息", "yuan", cut.tiers), *_EVIDENCE)
    sums = (*_COUNTS, *tiers("", "申请贴息", "wan", cut.tiers), *_EVIDENCE_SUMS)
    by_scheme = _summed(listed)
    by_branch = _summed(listed, "holder_code", "institution_name")
    return cut.sheet(
        table("detail", "贴息申请明细", detail, listed, article=cut.article),
        table("by_scheme", "申请汇总", (*SCHEME, *sums), by_scheme, article=cut.article),
        table(
            "by_branch", "分支机构汇总", (*SCHEME, *_BRANCH, *sums), by_branch, article=cut.article
        ),
        ties=(
            *ties_of_money(sums_by_tier(listed), cut.money),
            *(
                Tie(f"明细 = {name} {what}", sum_of(listed, column), sum_of(one, column))
                for name, one in (("申请汇总", by_scheme), ("分支机构汇总", by_branch))
                for what, column in (("申请贴息", "total_fen"), ("实收利息", "interest_fen"))
            ),
        ),
        notes=(
            "申请贴息为本期收息已代付的贴息净额（含更正差额）；同一计息期分次收息的，天数和积数只计一次。",
            "发票为截至期末登记的该借据设备发票；审核结果为财政部门对各月的最近一次答复，无答复为空。",
            "户数按统一社会信用代码去重，各行不可相加。",
            *notes_of_moves(listed),
        ),
    )


def _in_words(column: str) -> pl.Expr:
    """`2026-03 approved;2026-04 disallowed` in Chinese."""
    said = pl.col(column)
    for code, word in REVIEWS.items():
        said = said.str.replace_all(code, word, literal=True)
    return said.str.replace_all(";", "；", literal=True)


def _summed(listed: pl.DataFrame, *keys: str) -> pl.DataFrame:
    amounts = (
        "interest_fen", "central_fen", "provincial_fen", "municipal_fen", "total_fen", "invoices",
        "invoiced_fen", "reviewed_fen",
    )  # fmt: skip
    return grouped(
        listed,
        ["scheme_code", *keys],
        pl.len().cast(pl.Int64).alias("notes"),
        pl.col("uscc").n_unique().cast(pl.Int64).alias("enterprises"),
        pl.col(amounts).sum(),
    )
