"""政策执行情况月报: what was lent, is owed, was subsidised and is left of finance's money (SME-19, EQ-13)."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from reports.definitions.columns import (
    BORROWER,
    FUND,
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
    tiers,
    total,
    weighted_rate,
)
from reports.definitions.cut import Cut, sums_by_tier, ties_of_money
from reports.definitions.period import Period
from reports.definitions.sheet import Column, Sheet, Table, Tie
from reports.definitions.words import PURPOSES, TIERS, TIERS_ZH, said

_LENDING = (
    count("notes", "本期发放笔数"),
    heads("enterprises", "本期发放户数"),
    money("drawn_fen", "本期发放金额", "wan"),
    count("ytd_notes", "累计发放笔数"),
    heads("ytd_enterprises", "累计发放户数"),
    money("ytd_drawn_fen", "累计发放金额", "wan"),
    count("open_notes", "期末贴息贷款笔数"),
    heads("open_enterprises", "期末贴息贷款户数"),
    money("balance_fen", "期末贴息贷款余额", "wan"),
    Column("rate_ppm", "加权利率(%)", "rate"),
)
_FUNDS = (
    *FUND,
    Column("tier", "资金层级", "text"),
    Column("purpose", "用途", "text"),
    money("opening_fen", "年初结余", "wan"),
    money("received_fen", "本期收到预拨", "wan"),
    money("received_ytd_fen", "累计收到预拨", "wan"),
    money("used_fen", "本期使用", "wan"),
    money("used_ytd_fen", "累计使用", "wan"),
    money("recovered_ytd_fen", "累计追回净额", "wan"),
    money("other_ytd_fen", "累计其他变动", "wan"),
    money("balance_fen", "期末结余", "wan"),
)
_NOTICES = (
    count("due", "应告知条数"),
    count("corrections", "其中更正"),
    count("sent", "已发送"),
    count("delivered", "已送达"),
    count("waiting", "待发送"),
    count("failed", "发送失败"),
    count("no_contact", "无联系方式"),
    count("no_gateway", "未开通发送"),
)
_LEFT = (
    NUMBER,
    *SCHEME,
    Column("state_zh", "逾期/退出", "text"),
    *INSTITUTION,
    *BORROWER,
    Column("contract_number", "合同号", "text"),
    Column("note_number", "借据号", "text"),
    Column("drawn_on", "放款日", "date"),
    Column("matures_on", "到期日", "date"),
    Column("left_on", "退出日", "date"),
    money("drawn_fen", "放款金额（人民币）", "yuan"),
    money("balance_fen", "期末余额（人民币）", "yuan"),
)
_LEFT_SUMS = (
    Column("state_zh", "逾期/退出", "text"),
    count("notes", "笔数"),
    heads("enterprises", "户数"),
    money("drawn_fen", "放款金额", "wan"),
    money("balance_fen", "期末余额", "wan"),
)
_STATES = ("逾期", "不良", "财政不予贴息", "贴息期满", "提前结清")


@dataclass(frozen=True)
class Facts:
    """What the report counts.

    `book`: eligible notes drawn before the period's end, with `rejected_from` (null: not rejected);
    `subsidies`: net amounts by note, of the period and of the year to date (`ytd_…`); `funds`: see
    `reports.selectors.funds`; `drawn_fen`, `balance_fen` (CNY by scheme) and `fees_fen` (guarantee-fee
    subsidies of the period) are each summed elsewhere. `notices`: see `reports.selectors.notices`.
    """

    book: pl.DataFrame
    subsidies: pl.DataFrame
    funds: pl.DataFrame
    drawn_fen: dict[str, int]
    balance_fen: dict[str, int]
    fees_fen: int
    notices: pl.DataFrame


def define(*, cut: Cut, period: Period, facts: Facts) -> Sheet:
    """The sheet of these facts at the period's end."""
    book = cut.named(_at_end(facts.book, period))
    subsidies = cut.named(facts.subsidies).with_columns(total(), total("ytd_"))
    summaries = {
        "by_scheme": _summary(book, subsidies),
        "by_field": _summary(book, subsidies, "purpose_field"),
        "by_region": _summary(book, subsidies, "city_code", "city_zh"),
    }
    left = _left(book, period)
    funds = cut.named(facts.funds).sort("rank", "fund_code", "tier", "purpose")
    return cut.sheet(
        *_summary_tables(cut, summaries),
        _fund_table(cut, funds),
        *_left_tables(cut, left),
        *_notice_tables(cut, facts.notices),
        ties=(
            *ties_of_money(sums_by_tier(subsidies), cut.money),
            *_ties(facts, book, summaries),
            *_fund_ties(funds, sum(cut.money.ledger.values()), facts.fees_fen),
        ),
        notes=(*_NOTES, *_notes_of_notices(facts.notices), *notes_of_moves(left)),
    )


_NOTES = (
    "本期指报表期间，累计自当年1月1日起；发放和余额只计认定符合的借据，余额为放款金额减期末前还本，"
    "按借据折算率折人民币，四舍五入到分（D18）。",
    "加权利率＝Σ（期末余额×合同利率）÷Σ期末余额，四舍五入到百万分之一。",
    "户数按统一社会信用代码去重，各行不可相加；一笔借据可同时列入多种逾期/退出情形。",
    "资金按到账日计预拨、按收息月份计使用、其余按入账日；年初结余＋累计收到－累计使用＋累计追回净额"
    "＋累计其他变动＝期末结余，负数为银行垫付。追回净额＝已追回（含抵扣）－新增应收追回。",
)


_OF_NOTICES = "告知情况按收息月份计，每笔贴息入账（含差额）一条；状态为编制时的状态，已发送指网关已受理，已送达指网关已确认送达。"


def _at_end(book: pl.DataFrame, period: Period) -> pl.DataFrame:
    """Balances at the period's end, and whether and when each note left the scheme."""
    open_fen = (pl.col("principal_fen") - pl.col("repaid_fen")).clip(lower_bound=0)
    at_end = book.with_columns(open_fen=open_fen, drawn_fen=cny("principal_fen"))
    return at_end.with_columns(balance_fen=cny("open_fen")).with_columns(
        is_drawn=pl.col("drawn_on") >= period.start,
        is_drawn_ytd=pl.col("drawn_on") >= period.to_date.start,
        is_open=pl.col("open_fen") > 0,
        is_rejected=(pl.col("rejected_from") < period.end).fill_null(False),
        is_over=(pl.col("subsidised_until") <= period.end).fill_null(False)
        & (pl.col("subsidised_until") < pl.col("matures_on"))
        & (pl.col("open_fen") > 0)
        & (pl.col("rejected_from") > pl.col("subsidised_until")).fill_null(True),
        is_ended_early=(pl.col("open_fen") == 0)
        & (pl.col("last_repaid_on") < pl.col("matures_on")).fill_null(False),
    )


def _summary(book: pl.DataFrame, subsidies: pl.DataFrame, *keys: str) -> pl.DataFrame:
    """Lending and subsidies by scheme and these keys; where one of them has no rows it is 0."""
    by = ["scheme_code", *keys]
    lent = grouped(
        book,
        by,
        *_lent("is_drawn", "", "drawn_fen"),
        *_lent("is_drawn_ytd", "ytd_", "ytd_drawn_fen"),
        pl.col("is_open").sum().cast(pl.Int64).alias("open_notes"),
        pl.col("uscc").filter("is_open").n_unique().cast(pl.Int64).alias("open_enterprises"),
        pl.col("balance_fen").sum(),
        weighted_rate("balance_fen", "rate_ppm").alias("rate_ppm"),
    )
    amounts = [f"{prefix}{part}_fen" for prefix in ("", "ytd_") for part in (*TIERS, "total")]
    paid = grouped(subsidies, by, pl.col(amounts).sum())
    whole = lent.join(paid, on=["rank", "scheme_zh", *by], how="full", coalesce=True).sort(
        "rank", *by
    )
    counted = [
        name for name in whole.columns if whole.schema[name] == pl.Int64 and name != "rate_ppm"
    ]
    return whole.with_columns(pl.col(counted).fill_null(0))


def _lent(flag: str, prefix: str, amount: str) -> list[pl.Expr]:
    return [
        pl.col(flag).sum().cast(pl.Int64).alias(f"{prefix}notes"),
        pl.col("uscc").filter(flag).n_unique().cast(pl.Int64).alias(f"{prefix}enterprises"),
        pl.col("drawn_fen").filter(flag).sum().alias(amount),
    ]


def _summary_tables(cut: Cut, summaries: dict[str, pl.DataFrame]) -> tuple[Table, ...]:
    field = (Column("purpose_field", "投向领域", "text"),)
    year = summaries["by_scheme"]
    paying = [
        tier
        for tier in TIERS
        if tier in cut.tiers or not year.filter(pl.col(f"ytd_{tier}_fen") != 0).is_empty()
    ]
    subsidies = (
        *tiers("", "本期贴息", "wan", paying),
        *tiers("ytd_", "累计贴息", "wan", paying),
    )
    shown = (
        ("by_scheme", "执行情况", ()),
        ("by_field", "分领域", field),
        ("by_region", "分地区", REGION),
    )
    return tuple(
        table(
            key,
            title,
            (*SCHEME, *columns, *_LENDING, *subsidies),
            summaries[key],
            article=cut.article,
        )
        for key, title, columns in shown
    )


def _fund_table(cut: Cut, funds: pl.DataFrame) -> Table:
    shown = funds.with_columns(said("tier", TIERS_ZH), said("purpose", PURPOSES))
    return table("funds", "预拨资金", (*SCHEME, *_FUNDS), shown, article=cut.article)


def _left(book: pl.DataFrame, period: Period) -> pl.DataFrame:
    """Notes overdue or non-performing on the period's last day, or that left the scheme in the year."""
    since = period.to_date.start
    ways = (
        (pl.col("overdue") & pl.col("is_open"), pl.lit(None, pl.Date)),
        (pl.col("non_performing") & pl.col("is_open"), pl.lit(None, pl.Date)),
        (pl.col("is_rejected"), pl.col("rejected_from")),
        (pl.col("is_over"), pl.col("subsidised_until")),
        (pl.col("is_ended_early") & (pl.col("last_repaid_on") >= since), pl.col("last_repaid_on")),
    )
    listed = [
        book.filter(which).with_columns(
            state_zh=pl.lit(state), place=pl.lit(place, pl.Int64), left_on=left_on
        )
        for place, (state, (which, left_on)) in enumerate(zip(_STATES, ways, strict=True))
    ]
    return pl.concat(listed).sort("rank", "place", "institution_code", "note_number")


def _left_tables(cut: Cut, left: pl.DataFrame) -> tuple[Table, Table]:
    summed = grouped(
        left,
        ["scheme_code", "place", "state_zh"],
        pl.len().cast(pl.Int64).alias("notes"),
        pl.col("uscc").n_unique().cast(pl.Int64).alias("enterprises"),
        pl.col("drawn_fen").sum(),
        pl.col("balance_fen").sum(),
        order=("rank",),
    )
    return (
        table("exits", "逾期与退出", (*SCHEME, *_LEFT_SUMS), summed, article=cut.article),
        table("exit_notes", "逾期与退出明细", _LEFT, left, article=cut.article),
    )


def _notice_tables(cut: Cut, notices: pl.DataFrame) -> tuple[Table, ...]:
    """Nothing where the system sent nothing of the period: what was filed before it did stays as it was."""
    if notices.is_empty():
        return ()
    told = cut.named(notices).sort("rank")
    return (table("notices", "告知情况", (*SCHEME, *_NOTICES), told, article=cut.article),)


def _notes_of_notices(notices: pl.DataFrame) -> tuple[str, ...]:
    return () if notices.is_empty() else (_OF_NOTICES,)


_SUMMED = {
    "drawn_fen": "本期发放金额",
    "ytd_drawn_fen": "累计发放金额",
    "balance_fen": "期末贴息贷款余额",
    "total_fen": "本期贴息合计",
    "ytd_total_fen": "累计贴息合计",
}


def _ties(facts: Facts, book: pl.DataFrame, summaries: dict[str, pl.DataFrame]) -> tuple[Tie, ...]:
    ties = []
    by_scheme = summaries["by_scheme"]
    for title, column, elsewhere in (
        ("本期发放金额 = 借据放款金额", "drawn_fen", facts.drawn_fen),
        ("期末余额 = 借据余额", "balance_fen", facts.balance_fen),
    ):
        rows = dict(by_scheme.select("scheme_code", column).iter_rows())
        ties += [
            Tie(f"{code}：{title}", rows.get(code, 0), elsewhere.get(code, 0))
            for code in sorted({*rows, *elsewhere})
        ]
    for name, title in (("by_field", "分领域"), ("by_region", "分地区")):
        for column, what in _SUMMED.items():
            one, other = sum_of(by_scheme, column), sum_of(summaries[name], column)
            ties.append(Tie(f"执行情况 = {title} {what}", one, other))
    ties.append(
        Tie(
            "逐笔余额 = 执行情况余额", sum_of(book, "balance_fen"), sum_of(by_scheme, "balance_fen")
        )
    )
    return tuple(ties)


def _fund_ties(funds: pl.DataFrame, turnover_fen: int, fees_fen: int) -> tuple[Tie, ...]:
    ties = []
    for one in funds.iter_rows(named=True):
        name = f"{one['scheme_code']} {one['fund_code']} {TIERS_ZH[one['tier']]}"
        moved = (
            one["opening_fen"] + one["received_ytd_fen"] - one["used_ytd_fen"]
            + one["recovered_ytd_fen"] + one["other_ytd_fen"]
        )  # fmt: skip
        ties.append(Tie(f"{name}：期初与变动 = 期末结余", moved, one["balance_fen"]))
        now = one["balance_fen"] + one["later_fen"]
        ties.append(Tie(f"{name}：期末结余与期后变动 = 资金账余额", now, one["held_fen"]))
    for title, purpose, fen in (
        ("贴息资金使用 = 资金账发生额", "interest", turnover_fen),
        ("担保费补贴使用 = 担保费补贴入账", "guarantee_fee", fees_fen),
    ):
        used = sum_of(funds.filter(pl.col("purpose") == purpose), "used_fen")
        ties.append(Tie(title, used, fen))
    return tuple(ties)
