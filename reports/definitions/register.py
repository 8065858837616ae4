"""`subsidy-register` 贴息明细台账: one row per collection × scheme, with the working behind its amounts."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from reports.definitions.duplicates import NOT_FOUND
from reports.definitions.register_amounts import with_earned, with_rates
from reports.definitions.register_columns import HAS_FORMULA, REGISTER
from reports.definitions.sheet import Column, Parts, Table
from reports.definitions.words import OWNERSHIPS, SIZES, TIERS, TIERS_ZH

TITLE = "贴息明细台账"
MONEY = [f"{tier}_fen" for tier in TIERS]
RAW = [f"raw_{tier}_fen" for tier in TIERS]
CUTS = (
    "本金上限",
    "利息上限",
    "项目上限",
    "企业上限",
    "合并上限",
    "总额上限",
    "差额补足",
    "就高不重复",
    "按比例分配",
    "单笔上限",
)
"""Chinese names of the cut reasons in order of their bits (`settlement.engine.codes.CUT_REASONS`)."""

FOOTNOTES = (
    "每笔收息×每项政策一行，金额为原始入账与历次差额的净额，与“贴息抵减明细”导出一致；计息期算头不算尾。",
    "全期应贴息=积数×贴息率÷天数基准，四舍五入到分一次；累计应得=全期应贴息（未舍入）×累计已收÷应收，再舍入；"
    "应贴息=累计应得−此前已得；实际贴息=应贴息−封顶金额。公式中的 0.500001 即四舍五入，多出的百万分之一只抵消电子表格的浮点误差。",
    "冲回行的应贴息为负，按该期已贴金额的相应比例收回，差额列在封顶金额；公式说明栏有内容的行不列公式，只列入账金额。",
    "企业实付=实收利息−本笔收息在各项政策下的贴息合计；同一笔收息享受两项政策的，两行所列相同，不得相加。",
    "企业规模、所有制、行业代码、登记地以放款日为准；放款金额为借据币种，可贴息本金已折算人民币。",
)


def rows(
    part: pl.DataFrame, cells: pl.DataFrame, duplicates: pl.DataFrame, *, first: int
) -> pl.DataFrame:
    """Register rows of one part of what is posted, numbered from `first`.

    `duplicates`: note_id with what was found of it, in words.
    """
    placed = part.with_columns(place=pl.int_range(pl.len(), dtype=pl.Int64))
    worked = with_earned(with_rates(placed, cells))
    total = pl.sum_horizontal(MONEY)
    return (
        worked.join(duplicates, on="note_id", how="left", maintain_order="left")
        .with_columns(
            number=pl.col("place") + first,
            scheme_zh=pl.format("{} {}", "name_zh", "document"),
            size=pl.col("size").replace(SIZES),
            ownership=pl.col("ownership").replace(OWNERSHIPS),
            cut_reasons=_cut_reasons(part["cut_reasons"]),
            total_fen=total,
            net_paid_fen=pl.col("interest_paid_fen") - pl.col("granted_fen"),
            state=_state(total),
            duplicates=pl.col("duplicates").fill_null(NOT_FOUND),
            **{
                f"cut_{money}": pl.col(raw) - pl.col(money)
                for raw, money in zip(RAW, MONEY, strict=True)
            },
        )
        .select([column.key for column in REGISTER] + [HAS_FORMULA])
    )


def _cut_reasons(masks: pl.Series) -> pl.Series:
    known = masks.unique().to_list()
    names = ["；".join(n for bit, n in enumerate(CUTS) if mask >> bit & 1) for mask in known]
    return masks.replace_strict(known, names, return_dtype=pl.String)


def _state(total: pl.Expr) -> pl.Expr:
    """What has become of the row: taken back, all cut, corrected, to be clawed back."""
    raw = pl.sum_horizontal(RAW)
    paid = (
        pl.when(raw < 0)
        .then(pl.lit("冲回"))
        .when((raw > 0) & (total == 0))
        .then(pl.lit("全额核减"))
        .when(total == 0)
        .then(pl.lit("无应贴息"))
        .otherwise(pl.lit("已代付"))
    )
    corrected = pl.when(pl.col("sequence") > 0).then(pl.format("；更正{}次", "sequence"))
    owed = pl.when("is_owed").then(pl.lit("；借据有追回"))
    return pl.concat_str(paid, corrected.otherwise(pl.lit("")), owed.otherwise(pl.lit("")))


def detail(
    read: Parts, cells: pl.DataFrame, duplicates: pl.DataFrame, *, expected: dict[str, int]
) -> Table:
    """The register itself; `read` gives what is posted, in parts and in order, each time anew.

    `expected`: what its columns add up to, by key.
    """

    def parts() -> Iterator[pl.DataFrame]:
        first = 1
        for part in read():
            yield rows(part, cells, duplicates, first=first)
            first += part.height

    return Table(
        key="rows", title_zh=TITLE, columns=REGISTER, parts=checked(parts, expected=expected)
    )


SUMMARY = (
    Column("scheme_code", "政策代码", "text", on_paper=False),
    Column("scheme_zh", "贴息政策", "text"),
    Column("fund_code", "资金机构编码", "text"),
    Column("fund_name", "资金机构", "text"),
    Column("tier_zh", "资金层级", "text"),
    Column("rows", "笔数", "int"),
    Column("raw_fen", "应贴息", "wan", total=True),
    Column("cut_fen", "封顶核减", "wan", total=True),
    Column("granted_fen", "实际贴息", "wan", total=True),
)


def summary(sums: pl.DataFrame, titles: pl.DataFrame) -> pl.DataFrame:
    """By scheme × fund institution × tier, tiers that neither earned nor got anything left out.

    `sums`: scheme_code, fund_code, fund_name, rows, then raw and granted per tier; `titles`:
    scheme_code, scheme_zh.
    """
    keys = ("scheme_code", "fund_code", "fund_name", "rows")
    by_tier = [
        sums.select(
            *keys,
            tier_zh=pl.lit(TIERS_ZH[tier]),
            rank=pl.lit(rank, dtype=pl.Int64),
            raw_fen=f"raw_{tier}_fen",
            granted_fen=f"{tier}_fen",
        )
        for rank, tier in enumerate(TIERS)
    ]
    return (
        pl.concat(by_tier)
        .filter((pl.col("raw_fen") != 0) | (pl.col("granted_fen") != 0))
        .join(titles, on="scheme_code", how="left")
        .with_columns(cut_fen=pl.col("raw_fen") - pl.col("granted_fen"))
        .sort("scheme_code", "fund_code", "rank")
        .select(column.key for column in SUMMARY)
    )


def checked(parts: Parts, *, expected: dict[str, int]) -> Parts:
    """The same rows, but whoever reads them to the end finds the sums they were announced with.

    Another sum means that the book changed between the two readings, or a mistake: AssertionError.
    """

    def read() -> Iterator[pl.DataFrame]:
        found = dict.fromkeys(expected, 0)
        for part in parts():
            for key in found:
                found[key] += int(part[key].sum())
            yield part
        assert found == expected, f"register: rows add up to {found}, announced were {expected}"

    return read
