"""年度结算申请: money received, used and left of a year, by fund and tier, and next year's need (SME-16, EQ-09).

Figures are those of the year's settlements where there are any, part by part, and the ledger's own for
what no settlement states yet; both together are the ledger's entries of the year.
"""

from __future__ import annotations

import polars as pl

from reports.definitions.columns import FUND, NUMBER, SCHEME, money, sum_of, table
from reports.definitions.cut import Cut, ties_of_money
from reports.definitions.sheet import Column, Kind, Sheet, Table, Tie
from reports.definitions.words import PURPOSES, STATES, TIERS, TIERS_ZH, said

FLOWS = (
    ("received_fen", "预拨累计"),
    ("used_fen", "实际使用"),
    ("adjusted_fen", "冲正（差额调减）"),
    ("clawback_decided_fen", "决定追回"),
    ("clawback_settled_fen", "追回已结算年度"),
    ("claimed_fen", "申报结算"),
    ("approved_fen", "认可"),
    ("disallowed_fen", "核减"),
    ("clawed_back_fen", "已追回"),
    ("written_off_fen", "追回核销"),
    ("made_good_fen", "银行补足"),
    ("returned_fen", "已退回结余"),
)
_ENDS = ("surplus_fen", "gap_fen", "receivable_fen", "next_year_need_fen")
_OF_FUND = (
    *SCHEME,
    *FUND,
    Column("tier", "资金层级", "text"),
    Column("purpose", "用途", "text"),
)
LINE: dict[str, type[pl.DataType]] = {
    "scheme_code": pl.String,
    "fund_code": pl.String,
    "fund_name": pl.String,
    "tier": pl.String,
    "purpose": pl.String,
    "part": pl.Int64,
    "state": pl.String,
    "opening_fen": pl.Int64,
    **{key: pl.Int64 for key, _ in FLOWS},
    "surplus_fen": pl.Int64,
    "gap_fen": pl.Int64,
    "receivable_fen": pl.Int64,
    "next_year_need_fen": pl.Int64,
}
"""A frame of lines: per fund its parts in order, then (part 0) what no settlement states."""


def _amounts(kind: Kind, *, ends_add_up: bool) -> tuple[Column, ...]:
    def end(key: str, title: str) -> Column:
        return Column(key, title, kind, total=ends_add_up)

    return (
        end("opening_fen", "期初结余"),
        *(money(key, title, kind) for key, title in FLOWS),
        end("surplus_fen", "结余"),
        end("gap_fen", "缺口"),
        end("receivable_fen", "期末应收追回"),
    )


def define(
    *, cut: Cut, lines: pl.DataFrame, ledger: dict[str, int], with_needs: bool, basis_zh: str
) -> Sheet:
    """The sheet of these lines (`LINE`).

    `ledger`: received, used, position and receivable in fen, added up from ledger lines; `basis_zh`:
    what the figures rest on; `with_needs`: whether next year's needs are part of it.
    """
    listed = in_order(cut.named(lines))
    by_fund = summed(listed)
    need = (money("next_year_need_fen", "下年需求", "wan"),) if with_needs else ()
    basis = Column("basis_zh", "依据", "text")
    detail = (NUMBER, *_OF_FUND, basis, *_amounts("yuan", ends_add_up=False))
    summary = (*_OF_FUND, *_amounts("wan", ends_add_up=True), *need)
    return cut.sheet(
        table("detail", "结算明细", detail, _in_words(listed), article=cut.article),
        table("by_fund", "结算汇总", summary, _in_words(by_fund), article=cut.article),
        of_notes(cut),
        ties=(*ties_of_money(cut.money.held, cut.money), *_ties(listed, by_fund, ledger)),
        notes=(
            basis_zh,
            "申报结算＝实际使用＋冲正－决定追回；期初结余＋预拨累计－实际使用＋已追回＋银行补足－已退回结余"
            "＝结余－缺口，缺口为银行垫付。实际使用含抵扣追回的代付和系统启用前已贴息。",
        ),
    )


def in_order(listed: pl.DataFrame) -> pl.DataFrame:
    """By scheme, fund, purpose and tier; a fund's parts first, what no settlement states after them."""
    place = pl.col("tier").replace_strict({tier: n for n, tier in enumerate(TIERS)})
    keyed = listed.with_columns(place=place, turn=(pl.col("part") == 0).cast(pl.Int64))
    return keyed.sort("rank", "fund_code", "purpose", "place", "turn", "part", descending=[
        False, False, True, False, False, False,
    ])  # fmt: skip


def summed(listed: pl.DataFrame) -> pl.DataFrame:
    """One row per fund: flows add up, the first opening and the last balances stand."""
    keys = [
        "rank",
        "scheme_code",
        "scheme_zh",
        "fund_code",
        "fund_name",
        "tier",
        "purpose",
        "place",
    ]
    flows = [
        pl.when(pl.col(key).is_not_null().any()).then(pl.col(key).sum()).alias(key)
        for key, _ in FLOWS
    ]
    return listed.group_by(keys, maintain_order=True).agg(
        pl.col("opening_fen").first(), *flows, pl.col(_ENDS[:3]).last(), _last_known(_ENDS[3])
    )


def _last_known(column: str) -> pl.Expr:
    return pl.col(column).drop_nulls().last().alias(column)


def _in_words(listed: pl.DataFrame) -> pl.DataFrame:
    shown = listed.with_columns(said("tier", TIERS_ZH), said("purpose", PURPOSES))
    if "part" not in shown.columns:
        return shown
    part = pl.format("第{}期·{}", pl.col("part"), pl.col("state").replace(STATES))
    ledger = pl.col("state").replace(STATES)
    return shown.with_columns(basis_zh=pl.when(pl.col("part") > 0).then(part).otherwise(ledger))


def of_notes(cut: Cut) -> Table:
    """What was paid for the institution's own notes, whichever fund bore it: ties to the deductions."""
    frame = pl.DataFrame(
        [(code, tier, fen) for (code, tier), fen in cut.money.held.items() if fen],
        schema={"scheme_code": pl.String, "tier": pl.String, "paid_fen": pl.Int64},
        orient="row",
    )
    place = pl.col("tier").replace_strict(
        {tier: n for n, tier in enumerate(TIERS)}, return_dtype=pl.Int64
    )
    shown = cut.named(frame).with_columns(place=place).sort("rank", "place")
    columns = (
        *SCHEME,
        Column("tier", "资金层级", "text"),
        money("paid_fen", "本机构借据代付贴息净额", "wan"),
    )
    return table(
        "of_notes",
        "本机构借据代付贴息",
        columns,
        shown.with_columns(said("tier", TIERS_ZH)),
        article=cut.article,
    )


def _ties(listed: pl.DataFrame, by_fund: pl.DataFrame, ledger: dict[str, int]) -> tuple[Tie, ...]:
    used = sum_of(listed, "used_fen") + sum_of(listed, "adjusted_fen")
    left = sum_of(by_fund, "surplus_fen") - sum_of(by_fund, "gap_fen")
    return (
        Tie("预拨累计 = 资金账预拨到账", sum_of(listed, "received_fen"), ledger["received_fen"]),
        Tie("实际使用与冲正 = 资金账已代付贴息发生额", used, ledger["used_fen"]),
        Tie("结余减缺口 = 资金账专户减垫付", left, ledger["position_fen"]),
        Tie(
            "期末应收追回 = 资金账应收追回",
            sum_of(by_fund, "receivable_fen"),
            ledger["receivable_fen"],
        ),
        *(
            Tie(f"明细 = 汇总 {title}", sum_of(listed, key), sum_of(by_fund, key))
            for key, title in FLOWS
        ),
    )
