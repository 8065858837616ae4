"""What changed between a report that finance has and the one that corrects it, row by row.

Works on the two CSV files as they are kept: what was submitted is compared, not what would be
computed today.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import polars as pl

from reports.definitions.sheet import Column, Kind, Sheet, Table, Tie, whole

DECIMALS: dict[Kind, int] = {
    "int": 0, "yuan": 2, "wan": 2, "rate": 4, "exchange": 8, "product": 2,
}  # fmt: skip
AMOUNTS = ("yuan", "wan")  # CSV holds both in 元
TEXTS = ("text", "date", "month")
# What a row is known by: a row about a note, and any other.
OF_NOTE = (
    "scheme_code", "institution_code", "note_number", "reference", "period_start", "collected_on",
    "tier",
)  # fmt: skip
OF_GROUP = (
    "scheme_code", "fund_code", "holder_code", "institution_code", "city_code", "purpose_field",
    "tier", "tier_zh", "purpose", "state_zh", "uscc", "file", "rule_zh", "reason",
)  # fmt: skip
ADDED, REMOVED, CHANGED = "新增", "删除", "变更"
NUMBER = r"^(-?)(\d+)(?:\.(\d+))?$"
SCHEMA = {
    "row": pl.String, "change": pl.String, "column": pl.String, "before": pl.String,
    "after": pl.String, "difference": pl.Int64,
}  # fmt: skip
_PLACE = "__place"
NOTE_ZH = "每行以其文字、日期和月份各栏识别；这些栏有变化的，显示为删除一行、新增一行。差额 = 变更后 − 变更前。"


@dataclass(frozen=True)
class Pair:
    """One table of a report, as it was submitted and as it is now: frames of text by column key."""

    table: Table
    before: pl.DataFrame
    after: pl.DataFrame


def differences(
    before: pl.DataFrame, after: pl.DataFrame, columns: Sequence[Column]
) -> pl.DataFrame:
    """Which cells differ? One row per cell, as SCHEMA says; both frames hold text.

    `column` is the column's key. Rows are the same row if what they are known by is the same; several
    such rows are paired in their order. `difference` is in the last shown decimal of its column (fen
    for amounts), null for texts. Columns that only number the rows are left out.
    """
    kept = [c for c in columns if not _numbers_rows(c, before, after)]
    sides = [_complete(side, kept) for side in (before, after)]
    names = _known_by(sides, [c.key for c in kept if c.kind in TEXTS])
    rest = [c for c in kept if c.key not in names]
    if not rest:
        return pl.DataFrame(schema=SCHEMA)
    keys = [*names, _PLACE]
    left, right = (_placed(side, names) for side in sides)
    joined = left.join(right, on=keys, how="full", coalesce=True, nulls_equal=True)
    found = [_of_column(joined, column, names) for column in rest]
    return pl.concat(found).sort(keys, maintain_order=True).select(list(SCHEMA))


def _known_by(sides: Sequence[pl.DataFrame], texts: Sequence[str]) -> list[str]:
    """The columns by which a row is known: the usual ones there are, and more if they do not do."""
    usual = OF_NOTE if "note_number" in texts else OF_GROUP
    names = [key for key in usual if key in texts]
    others = [key for key in texts if key not in names]
    while others and not (names and all(side.select(names).is_unique().all() for side in sides)):
        names.append(others.pop(0))
    return names


def _numbers_rows(column: Column, before: pl.DataFrame, after: pl.DataFrame) -> bool:
    """Is it 序号: 1, 2, 3 … in both?"""
    if column.kind != "int" or column.total or column.key not in before.columns:
        return False
    return all(
        side[column.key].to_list() == [str(n) for n in range(1, side.height + 1)]
        for side in (before, after)
    )


def _complete(side: pl.DataFrame, columns: Sequence[Column]) -> pl.DataFrame:
    """The side with all columns as text, blank where it has none."""
    missing = [pl.lit("").alias(c.key) for c in columns if c.key not in side.columns]
    return side.with_columns(*missing).select(
        pl.col(c.key).cast(pl.String).fill_null("") for c in columns
    )


def _placed(side: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """The side with each row's place among rows of one name."""
    place = pl.int_range(pl.len(), dtype=pl.Int64)
    return side.with_columns((place.over(list(names)) if names else place).alias(_PLACE))


def _of_column(joined: pl.DataFrame, column: Column, names: Sequence[str]) -> pl.DataFrame:
    """Where this figure differs, with the names of its row."""
    before, after = pl.col(column.key), pl.col(f"{column.key}_right")
    change = (
        pl.when(before.is_null())
        .then(pl.lit(ADDED))
        .when(after.is_null())
        .then(pl.lit(REMOVED))
        .otherwise(pl.lit(CHANGED))
    )
    row = pl.concat_str([pl.col(n) for n in names], separator=" · ") if names else pl.lit("")
    return joined.filter(before.ne_missing(after)).select(
        *names,
        _PLACE,
        row.alias("row"),
        change.alias("change"),
        pl.lit(column.key).alias("column"),
        before.fill_null("").alias("before"),
        after.fill_null("").alias("after"),
        _difference(before, after, column).alias("difference"),
    )


def _difference(before: pl.Expr, after: pl.Expr, column: Column) -> pl.Expr:
    if column.kind in TEXTS:
        return pl.lit(None, dtype=pl.Int64)
    decimals = DECIMALS[column.kind]
    return exact(after, decimals) - exact(before, decimals)


def exact(text: pl.Expr, decimals: int) -> pl.Expr:
    """A decimal text as a whole number of its last decimal; blank is 0."""
    part = [text.str.extract(NUMBER, n).fill_null("") for n in (1, 2, 3)]
    digits = part[1] + part[2].str.pad_end(decimals, "0")
    return (part[0] + pl.when(digits == "").then(pl.lit("0")).otherwise(digits)).cast(pl.Int64)


def shown(number: int, kind: Kind) -> str:
    """A difference as the CSV shows figures: 123450 fen → `1234.50`."""
    decimals = DECIMALS[kind]
    whole_part, rest = divmod(abs(number), 10**decimals)
    sign = "-" if number < 0 else ""
    return f"{sign}{whole_part}.{rest:0{decimals}d}" if decimals else f"{sign}{whole_part}"


_TOTALS = (
    Column("table", "表", "text"), Column("column", "项目", "text"),
    Column("before", "原报送", "yuan"), Column("after", "更正后", "yuan"),
    Column("difference", "差额", "yuan"),
)  # fmt: skip
_ROWS = (
    Column("table", "表", "text"), Column("row", "行", "text"), Column("change", "变化", "text"),
    Column("column", "项目", "text"), Column("before", "原报送", "text"),
    Column("after", "更正后", "text"), Column("difference", "差额", "text"),
)  # fmt: skip


def difference_sheet(of: Sheet, pairs: Sequence[Pair]) -> Sheet:
    """The difference report that goes with a correction: totals in 元, then every figure."""
    found = [(pair, differences(pair.before, pair.after, pair.table.columns)) for pair in pairs]
    totals = [total for pair, rows in found for total in _totals(pair, rows)]
    heading = replace(of.heading, title_zh=f"{of.heading.title_zh}差异报告", unit_zh="元")
    return Sheet(
        heading=heading,
        tables=(
            Table("totals", "合计变化", _TOTALS, whole(_frame(_TOTALS, [t[:5] for t in totals]))),
            Table("rows", "逐项变化", _ROWS, whole(_frame(_ROWS, _lines(found)))),
        ),
        footnotes=(NOTE_ZH,),
        ties=tuple(
            Tie(f"{table} {column} 差额 = 逐项之和", difference, by_rows)
            for table, column, _before, _after, difference, by_rows in totals
        ),
        signatures=of.signatures,
    )


def _totals(pair: Pair, rows: pl.DataFrame) -> Iterator[tuple[str, str, int, int, int, int]]:
    """Each summed amount of a table: before, after, their difference, and the sum of its rows'."""
    for column in pair.table.columns:
        if not column.total or column.kind not in AMOUNTS:
            continue
        sums = [_sum(side, column) for side in (pair.before, pair.after)]
        by_rows = rows.filter(pl.col("column") == column.key)["difference"].sum()
        yield (
            pair.table.title_zh, column.title_zh, sums[0], sums[1], sums[1] - sums[0], int(by_rows),
        )  # fmt: skip


def _sum(side: pl.DataFrame, column: Column) -> int:
    if column.key not in side.columns:
        return 0
    text = pl.col(column.key).cast(pl.String).fill_null("")
    return int(side.select(exact(text, DECIMALS[column.kind]).sum()).item())


def _lines(found: Sequence[tuple[Pair, pl.DataFrame]]) -> list[tuple[str, ...]]:
    lines: list[tuple[str, ...]] = []
    for pair, rows in found:
        columns = {column.key: column for column in pair.table.columns}
        for row, change, key, before, after, difference in rows.iter_rows():
            column = columns[key]
            told = "" if difference is None else shown(difference, column.kind)
            lines.append((pair.table.title_zh, row, change, column.title_zh, before, after, told))
    return lines


def _frame(columns: Sequence[Column], rows: Sequence[tuple[object, ...]]) -> pl.DataFrame:
    types = {c.key: pl.Int64 if c.kind == "yuan" else pl.String for c in columns}
    return pl.DataFrame([list(row) for row in rows], schema=types, orient="row")
