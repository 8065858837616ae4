"""年度资金需求申请: what existing and expected notes will need, by tier, fund, month and branch (SME-10, EQ-06).

Of a year less what earlier years left; of a month or quarter, what must arrive before its interest
days (MF-23).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from reports.definitions.advance import Day, ask
from reports.definitions.columns import (
    FUND,
    INSTITUTION,
    SCHEME,
    count,
    money,
    sum_of,
)
from reports.definitions.cut import Cut
from reports.definitions.period import Period
from reports.definitions.sheet import Column, Sheet, Table, Tie, whole
from reports.definitions.words import TIERS, TIERS_ZH, said

INTEREST_DAY = 20
FUND_KEY = ["scheme_code", "fund_code", "fund_name", "tier"]

NEEDS: dict[str, type[pl.DataType]] = {
    "scheme_code": pl.String,
    "institution_code": pl.String,
    "institution_name": pl.String,
    "fund_code": pl.String,
    "fund_name": pl.String,
    "tier": pl.String,
    "collected_on": pl.Date,
    "existing_fen": pl.Int64,
    "coming_fen": pl.Int64,
}
MONEY: dict[str, type[pl.DataType]] = {
    "scheme_code": pl.String,
    "fund_code": pl.String,
    "fund_name": pl.String,
    "tier": pl.String,
    "special_account_fen": pl.Int64,
    "reserved_fen": pl.Int64,
    "owed_fen": pl.Int64,
    "carried_fen": pl.Int64,
}
RESERVED: dict[str, type[pl.DataType]] = {
    "scheme_code": pl.String,
    "fund_code": pl.String,
    "tier": pl.String,
    "collected_on": pl.Date,
    "reserved_fen": pl.Int64,
}
DRAWDOWNS: dict[str, type[pl.DataType]] = {
    "scheme_code": pl.String,
    "institution_code": pl.String,
    "institution_name": pl.String,
    "month": pl.Date,
    "notes": pl.Int64,
    "base_fen": pl.Int64,
    "expected_fen": pl.Int64,
}
_TIER = Column("tier", "资金层级", "text")
_PARTS = (money("existing_fen", "现有贷款", "wan"), money("coming_fen", "预计新增", "wan"))
_SETTLED = "财金〔2026〕4号 二(四)；财金〔2026〕2号 五"
_IN_TIME = "苏财工贸〔2026〕7号 (八)"


@dataclass(frozen=True)
class Figures:
    """What is expected (`NEEDS`), what funds have (`MONEY`, `RESERVED`), and lending to come (`DRAWDOWNS`).

    `forecast_fen`: existing and expected subsidies as the forecast itself adds them up; `arrive_by`: the
    last working day before each interest day whose year's holidays are published.
    """

    needs: pl.DataFrame
    money: pl.DataFrame
    reserved: pl.DataFrame
    drawdowns: pl.DataFrame | None
    forecast_fen: tuple[int, int]
    arrive_by: Mapping[date, date] = field(default_factory=dict)


def define(*, cut: Cut, period: Period, figures: Figures, notes: Sequence[str]) -> Sheet:
    """The sheet of these figures; `notes` say what the forecast assumes."""
    needs = _ordered(cut, figures.needs)
    days = _days(cut, period, needs, figures)
    summary = _summary(cut, period, needs, figures, days)
    by_branch = needs.group_by(
        "rank", "scheme_code", "scheme_zh", "institution_code", "institution_name", "place", "tier"
    ).agg(_sums())
    by_month = needs.group_by("rank", "scheme_code", "scheme_zh", "month", "place", "tier").agg(
        _sums()
    )
    tables = [
        _summary_table(cut, period, summary),
        _days_table(cut, days, figures.arrive_by),
        _plain(
            "by_month",
            "分月资金需求",
            (Column("month", "月份", "month"), *SCHEME, _TIER),
            by_month.sort("month", "rank", "place"),
            cut,
        ),
        _plain(
            "by_branch",
            "分机构资金需求",
            (*SCHEME, *INSTITUTION, _TIER),
            by_branch.sort("rank", "institution_code", "place"),
            cut,
        ),
    ]
    if len(_months(period)) > 1:
        tables.append(_by_branch_month(cut, needs))
    if figures.drawdowns is not None and not figures.drawdowns.is_empty():
        tables.append(_lending_table(cut, figures.drawdowns))
    return cut.sheet(
        *tables,
        ties=_ties(figures, summary, days, by_month, by_branch),
        notes=tuple(notes),
    )


def _sums() -> list[pl.Expr]:
    return [pl.col("existing_fen").sum(), pl.col("coming_fen").sum()]


def _ordered(cut: Cut, needs: pl.DataFrame) -> pl.DataFrame:
    """With scheme names, places of schemes and tiers in their order, and the month of collection."""
    return cut.named(needs).with_columns(_place(), month=pl.col("collected_on").dt.truncate("1mo"))


def _place() -> pl.Expr:
    places = {tier: place for place, tier in enumerate(TIERS)}
    return pl.col("tier").replace_strict(places, return_dtype=pl.Int64).alias("place")


def _by_branch_month(cut: Cut, needs: pl.DataFrame) -> Table:
    keys = [
        "rank", "scheme_code", "scheme_zh", "institution_code", "institution_name", "month",
        "place", "tier",
    ]  # fmt: skip
    rows = needs.group_by(keys).agg(_sums()).sort("rank", "institution_code", "month", "place")
    columns = (*SCHEME, *INSTITUTION, Column("month", "月份", "month"), _TIER)
    return _plain("by_branch_month", "分机构分月资金需求", columns, rows, cut)


def _table(key: str, title_zh: str, columns: tuple[Column, ...], frame: pl.DataFrame) -> Table:
    return Table(key, title_zh, columns, whole(frame.select([column.key for column in columns])))


def _amounts(article: str) -> tuple[Column, ...]:
    """Existing, expected and both; the demand's articles stand at the sum alone, for room on paper."""
    both = "{existing_fen}+{coming_fen}"
    return (*_PARTS, Column("total_fen", "合计", "wan", article, total=True, formula=both))


def _plain(
    key: str, title_zh: str, columns: tuple[Column, ...], frame: pl.DataFrame, cut: Cut
) -> Table:
    return _table(key, title_zh, (*columns, *_amounts(cut.article)), _shown(frame))


def _shown(frame: pl.DataFrame) -> pl.DataFrame:
    total = pl.col("existing_fen") + pl.col("coming_fen")
    return frame.with_columns(said("tier", TIERS_ZH), total_fen=total)


def _days(cut: Cut, period: Period, needs: pl.DataFrame, figures: Figures) -> pl.DataFrame:
    """One row per fund and interest day with a need, or with a debt to the bank on the first day."""
    by_day = needs.group_by([*FUND_KEY, "month"]).agg(*_sums(), earlier_fen=_before_the_day().sum())
    held = figures.reserved.group_by(
        "scheme_code", "fund_code", "tier", pl.col("collected_on").dt.truncate("1mo").alias("month")
    ).agg(held_fen=pl.col("reserved_fen").sum())
    funds = pl.concat([by_day.select(FUND_KEY), figures.money.select(FUND_KEY)]).unique()
    grid = funds.join(pl.DataFrame({"month": _months(period)}), how="cross")
    full = (
        grid.join(by_day, on=[*FUND_KEY, "month"], how="left")
        .join(held, on=["scheme_code", "fund_code", "tier", "month"], how="left")
        .join(figures.money, on=FUND_KEY, how="left")
        .with_columns(pl.col(pl.Int64).fill_null(0))
    )
    ordered = cut.named(full).with_columns(_place()).sort("rank", "fund_code", "place", "month")
    return _with_asks(ordered).filter(
        (pl.col("existing_fen") + pl.col("coming_fen") > 0) | (pl.col("gap_fen") > 0)
    )


def _before_the_day() -> pl.Expr:
    early = pl.col("collected_on").dt.day() < INTEREST_DAY
    return pl.when(early).then(pl.col("existing_fen") + pl.col("coming_fen")).otherwise(0)


def interest_days(period: Period) -> list[date]:
    """The interest days of a period."""
    return [month.replace(day=INTEREST_DAY) for month in _months(period)]


def _months(period: Period) -> list[date]:
    year = period.start.year
    last = 12 if period.end.year > year else period.end.month - 1
    return [date(year, month, 1) for month in range(period.start.month, last + 1)]


def _with_asks(ordered: pl.DataFrame) -> pl.DataFrame:
    steps = []
    for _, fund in ordered.group_by(FUND_KEY, maintain_order=True):
        first = fund.row(0, named=True)
        steps += ask(
            available_fen=first["special_account_fen"] - first["reserved_fen"],
            owed_fen=first["owed_fen"],
            days=[
                Day(one["existing_fen"] + one["coming_fen"], one["held_fen"])
                for one in fund.iter_rows(named=True)
            ],
        )
    asked = pl.DataFrame(
        [(step.available_fen, step.owed_fen, step.gap_fen) for step in steps],
        schema={"available_fen": pl.Int64, "first_owed_fen": pl.Int64, "gap_fen": pl.Int64},
        orient="row",
    )
    return pl.concat([ordered, asked], how="horizontal")


def _days_table(cut: Cut, days: pl.DataFrame, arrive_by: Mapping[date, date]) -> Table:
    """What must be in the account before each interest day."""
    columns = (
        *SCHEME,
        *FUND,
        _TIER,
        Column("due_on", "结息日", "date", article=_IN_TIME),
        Column("arrive_by", "最迟到账日", "date", article=_IN_TIME),
        *_amounts(cut.article),
        money("earlier_fen", "其中结息日前收息", "wan"),
        money("held_fen", "本日计划已预留", "wan"),
        Column("available_fen", "可用资金", "wan"),
        Column("first_owed_fen", "须先归还银行垫付", "wan"),
        money("gap_fen", "缺口（申请预拨）", "wan"),
    )
    due_on = pl.col("month").dt.offset_by(f"{INTEREST_DAY - 1}d")
    known = pl.DataFrame(
        list(arrive_by.items()), schema={"due_on": pl.Date, "arrive_by": pl.Date}, orient="row"
    )
    shown = _shown(days).with_columns(due_on=due_on)
    shown = shown.join(known, on="due_on", how="left", maintain_order="left")
    return _table("by_day", "结息日前预拨资金需求", columns, shown)


def _summary(
    cut: Cut, period: Period, needs: pl.DataFrame, figures: Figures, days: pl.DataFrame
) -> pl.DataFrame:
    """One row per fund: of a year less what earlier years left, else what its interest days lack."""
    asked = days.group_by(FUND_KEY).agg(pl.col("gap_fen").sum())
    funds = pl.concat([needs.select(FUND_KEY), figures.money.select(FUND_KEY)]).unique()
    full = (
        funds.join(needs.group_by(FUND_KEY).agg(_sums()), on=FUND_KEY, how="left")
        .join(figures.money, on=FUND_KEY, how="left")
        .join(asked, on=FUND_KEY, how="left")
        .with_columns(pl.col(pl.Int64).fill_null(0))
    )
    less = pl.col("carried_fen")
    if not period.is_year:
        less = pl.col("special_account_fen") - pl.col("reserved_fen") - pl.col("owed_fen")
    total = pl.col("existing_fen") + pl.col("coming_fen")
    apply = (total - less).clip(lower_bound=0) if period.is_year else pl.col("gap_fen")
    return (
        cut.named(full)
        .with_columns(_place(), less_fen=less, apply_fen=apply)
        .filter((total != 0) | (pl.col("less_fen") != 0) | (pl.col("apply_fen") != 0))
        .sort("rank", "fund_code", "place")
    )


def _summary_table(cut: Cut, period: Period, summary: pl.DataFrame) -> Table:
    if period.is_year:
        rest = (
            Column("less_fen", "上年结余（缺口为负）", "wan", article=_SETTLED, total=True),
            Column(
                "apply_fen", "申请额", "wan", total=True, formula="MAX(0,{total_fen}-{less_fen})"
            ),
        )
    else:
        rest = (
            money("less_fen", "可用资金减垫付", "wan"),
            money("apply_fen", "申请额", "wan"),
        )
    columns = (*SCHEME, *FUND, _TIER, *_amounts(cut.article), *rest)
    return _table("summary", "资金需求汇总", columns, _shown(summary))


def _lending_table(cut: Cut, drawdowns: pl.DataFrame) -> Table:
    columns = (
        *SCHEME,
        *INSTITUTION,
        Column("month", "预计放款月份", "month"),
        count("notes", "基年同月合格笔数"),
        money("base_fen", "基年同月合格金额", "wan"),
        money("expected_fen", "预计合格放款", "wan"),
    )
    ordered = cut.named(drawdowns).sort("rank", "institution_code", "month")
    return _table("lending", "预计新增放款", columns, ordered)


def _ties(
    figures: Figures,
    summary: pl.DataFrame,
    days: pl.DataFrame,
    by_month: pl.DataFrame,
    by_branch: pl.DataFrame,
) -> tuple[Tie, ...]:
    """Every table adds up to what the forecast itself says, existing and expected apart."""
    named = (("汇总", summary), ("分结息日", days), ("分月", by_month), ("分机构", by_branch))
    return tuple(
        Tie(f"{name}{title} = 预测合计", sum_of(frame, column), fen)
        for column, title, fen in zip(
            ("existing_fen", "coming_fen"),
            ("现有贷款", "预计新增"),
            figures.forecast_fen,
            strict=True,
        )
        for name, frame in named
    )
