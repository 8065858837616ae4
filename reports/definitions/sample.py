"""抽查样本: which notes should an auditor look at first? A score that says what it is made of."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from reports.definitions.sheet import Column

LARGE_FEN = 50_000_000 * 100
MOST_ROWS = 1_000


@dataclass(frozen=True)
class Risk:
    """One reason to look at a note: what it weighs, how it is said, and when it holds."""

    key: str
    points: int
    words_zh: str
    holds: pl.Expr


RISKS = (
    Risk("finding", 5, "重复核查有事项", pl.col("findings") > 0),
    Risk("stopped", 4, "逾期、展期或不良", pl.col("stops") > 0),
    Risk("large", 3, "放款金额超过5000万元", pl.col("principal_fen") > LARGE_FEN),
    Risk("clawback", 3, "有追回", pl.col("clawbacks") > 0),
    Risk("banks", 3, "借款人在多家银行借款", pl.col("banks") > 1),
    Risk("corrected", 2, "入账后更正", pl.col("corrections") > 0),
    Risk("reversed", 2, "收息冲回", pl.col("reversals") > 0),
    Risk("capped", 2, "封顶核减", pl.col("capped") > 0),
    Risk("repaid_early", 2, "提前还清", pl.col("repaid_early") > 0),
    Risk("lenders", 1, "借款人在多家机构借款", (pl.col("lenders") > 1) & (pl.col("banks") <= 1)),
)
"""In order of weight; `principal_fen` in CNY, `lenders` and `banks` among those reported on."""

SAMPLE = (
    Column("number", "序号", "int"),
    Column("score", "风险分", "int"),
    Column("reasons", "抽查理由", "text"),
    Column("institution_code", "机构编码", "text"),
    Column("institution_name", "行名", "text"),
    Column("note_number", "借据号", "text"),
    Column("contract_number", "合同号", "text"),
    Column("borrower", "借款人", "text"),
    Column("uscc", "统一社会信用代码", "text"),
    Column("schemes", "贴息政策", "text"),
    Column("drawn_on", "放款日", "date"),
    Column("matures_on", "到期日", "date"),
    Column("principal_fen", "放款金额(折人民币)", "yuan"),
    Column("collections", "收息笔数", "int"),
    Column("raw_fen", "应贴息", "yuan", total=True),
    Column("granted_fen", "实际贴息", "yuan", total=True),
)
BY_RISK = (
    Column("reason", "抽查理由", "text"),
    Column("points", "分值", "int"),
    Column("notes", "借据数", "int"),
    Column("granted_fen", "实际贴息", "wan"),
)
FOOTNOTES = (
    "抽查样本按风险分从高到低、同分按实际贴息从大到小排列，一笔借据有几项理由即累计几项分值。",
    f"样本表最多列 {MOST_ROWS} 笔；按理由汇总覆盖本期全部有理由的借据，同一借据可列入几项理由，各项不得相加。",
)


def scored(notes: pl.DataFrame) -> pl.DataFrame:
    """The notes with at least one reason, riskiest first, with `score` and `reasons`.

    `notes`: note_id, principal_fen, granted_fen and a count for each risk. Of equal score and money
    the earlier note_id comes first, so that the order is always the same.
    """
    risks = [risk.holds.alias(risk.key) for risk in RISKS]
    said = [pl.when(risk.key).then(pl.lit(risk.words_zh)) for risk in RISKS]
    points = [pl.col(risk.key).cast(pl.Int64) * risk.points for risk in RISKS]
    return (
        notes.with_columns(risks)
        .with_columns(score=pl.sum_horizontal(points))
        .filter(pl.col("score") > 0)
        .sort("score", "granted_fen", "note_id", descending=[True, True, False])
        .with_columns(
            number=pl.int_range(1, pl.len() + 1, dtype=pl.Int64),
            reasons=pl.concat_str(said, separator="；", ignore_nulls=True),
        )
    )


def by_risk(ranked: pl.DataFrame) -> pl.DataFrame:
    """How many notes each reason holds for, and what they were granted."""
    rows = [
        (risk.words_zh, risk.points, int(held.height), int(held["granted_fen"].sum()))
        for risk in RISKS
        for held in [ranked.filter(pl.col(risk.key))]
    ]
    schema = {"reason": pl.String, "points": pl.Int64, "notes": pl.Int64, "granted_fen": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def sample(ranked: pl.DataFrame, named: pl.DataFrame) -> pl.DataFrame:
    """The list's rows: the riskiest notes with the names of `named` (by note_id)."""
    first = ranked.head(MOST_ROWS).drop("principal_fen")
    return first.join(named, on="note_id", how="left", maintain_order="left").select(
        column.key for column in SAMPLE
    )
