"""清算申请: the whole life of a scheme's money, by fund and tier, and what is not recovered (SME-18, EQ-10)."""

from __future__ import annotations

import polars as pl

from reports.definitions.annual_settlement import of_notes
from reports.definitions.columns import (
    BORROWER,
    FUND,
    INSTITUTION,
    NUMBER,
    SCHEME,
    grouped,
    money,
    sum_of,
    table,
)
from reports.definitions.cut import Cut, ties_of_money
from reports.definitions.sheet import Column, Kind, Sheet, Tie
from reports.definitions.words import ORIGINS, PURPOSES, TIERS, TIERS_ZH, said

FIGURES = (
    ("received_fen", "预拨累计"),
    ("used_fen", "实际使用"),
    ("adjusted_fen", "冲正（差额调减）"),
    ("clawback_decided_fen", "决定追回"),
    ("clawback_settled_fen", "追回已结算年度"),
    ("claimed_fen", "使用净额"),
    ("approved_fen", "已认可"),
    ("disallowed_fen", "已核减"),
    ("unsettled_fen", "未结算"),
    ("clawed_back_fen", "已追回"),
    ("written_off_fen", "追回核销"),
    ("made_good_fen", "银行补足"),
    ("returned_fen", "已退回结余"),
    ("surplus_fen", "结余"),
    ("gap_fen", "缺口"),
    ("receivable_fen", "未收回追回"),
)
LINE: dict[str, type[pl.DataType]] = {
    "scheme_code": pl.String,
    "fund_code": pl.String,
    "fund_name": pl.String,
    "tier": pl.String,
    "purpose": pl.String,
    **{key: pl.Int64 for key, _ in FIGURES if key != "unsettled_fen"},
}
_OF_FUND = (*FUND, Column("tier", "资金层级", "text"), Column("purpose", "用途", "text"))
_OPEN = (
    NUMBER,
    *SCHEME,
    *_OF_FUND,
    *INSTITUTION,
    *BORROWER,
    Column("contract_number", "合同号", "text"),
    Column("note_number", "借据号", "text"),
    Column("clawback", "追回号", "int"),
    Column("origin", "起因", "text"),
    Column("year", "收息年度", "int"),
    money("amount_fen", "应追回", "yuan"),
    money("received_fen", "已到账", "yuan"),
    money("offset_fen", "已抵扣", "yuan"),
    money("written_off_fen", "已核销", "yuan"),
    money("open_fen", "尚欠", "yuan"),
    Column("why", "事由", "text"),
)


def _columns(kind: Kind) -> tuple[Column, ...]:
    return tuple(money(key, title, kind) for key, title in FIGURES)


def define(
    *,
    cut: Cut,
    lines: pl.DataFrame,
    clawbacks: pl.DataFrame,
    ledger: dict[str, int],
    receivable_fen: int,
) -> Sheet:
    """The sheet of these funds (`LINE`), and of the clawbacks that are open today.

    `ledger`: received, used, position and receivable at the period's end, added up from ledger lines;
    `receivable_fen`: what enterprises owe these funds today by the funds' counters.
    """
    place = pl.col("tier").replace_strict({tier: n for n, tier in enumerate(TIERS)})
    listed = cut.named(lines).with_columns(
        place=place.cast(pl.Int64),
        unsettled_fen=pl.col("claimed_fen") - pl.col("approved_fen") - pl.col("disallowed_fen"),
    )
    listed = listed.sort(
        "rank", "fund_code", "purpose", "place", descending=[False, False, True, False]
    )
    by_scheme = grouped(listed, ["scheme_code"], pl.col([key for key, _ in FIGURES]).sum())
    owed = cut.named(clawbacks).sort("rank", "fund_code", "note_number", "clawback")
    return cut.sheet(
        table("detail", "清算明细", (NUMBER, *SCHEME, *_OF_FUND, *_columns("yuan")), _said(listed), article=cut.article),
        table("by_scheme", "清算汇总", (*SCHEME, *_columns("wan")), by_scheme, article=cut.article),
        of_notes(cut),
        table("clawbacks", "未收回追回", _OPEN, _said(owed.with_columns(said("origin", ORIGINS))), article=cut.article),
        ties=(
            *ties_of_money(cut.money.held, cut.money),
            *_ties(listed, by_scheme, ledger),
            Tie("未收回追回逐笔 = 资金账应收追回", sum_of(owed.filter("is_funded"), "open_fen"), receivable_fen),
        ),
        notes=_notes(ledger["receivable_fen"], receivable_fen, owed),
    )  # fmt: skip


def _said(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(said("tier", TIERS_ZH), said("purpose", PURPOSES))


def _ties(listed: pl.DataFrame, by_scheme: pl.DataFrame, ledger: dict[str, int]) -> tuple[Tie, ...]:
    used = sum_of(listed, "used_fen") + sum_of(listed, "adjusted_fen")
    left = sum_of(listed, "surplus_fen") - sum_of(listed, "gap_fen")
    return (
        Tie("预拨累计 = 资金账预拨到账", sum_of(listed, "received_fen"), ledger["received_fen"]),
        Tie("实际使用与冲正 = 资金账已代付贴息发生额", used, ledger["used_fen"]),
        Tie("结余减缺口 = 资金账专户减垫付", left, ledger["position_fen"]),
        Tie(
            "未收回追回 = 资金账应收追回",
            sum_of(listed, "receivable_fen"),
            ledger["receivable_fen"],
        ),
        *(
            Tie(f"明细 = 汇总 {title}", sum_of(listed, key), sum_of(by_scheme, key))
            for key, title in FIGURES
        ),
    )


def _notes(then_fen: int, now_fen: int, owed: pl.DataFrame) -> tuple[str, ...]:
    found = [
        "自政策开始至期末，全部年度合并：预拨累计－实际使用＋已追回＋银行补足－已退回结余＝结余－缺口；"
        "未结算＝使用净额－已认可－已核减。",
        "未收回追回明细为取数时尚欠的已决定追回。",
    ]
    if then_fen != now_fen:
        found.append("期末之后追回另有变动，明细合计与期末应收追回不同，分别与资金账勾稽。")
    if not owed.filter(~pl.col("is_funded")).is_empty():
        found.append("明细含本机构借据在其他机构资金账的追回，不计入本机构应收追回。")
    return tuple(found)
