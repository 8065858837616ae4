"""Rows of one file that share a natural key: repeated, contradictory, or allowed."""

import polars as pl

from loans.files.kind_types import Kind
from loans.files.problems import Problem
from loans.files.table import ROW
from loans.values.errors import bilingual

_LATER_REPLACES = "scheme-funds"
_COMPLETED = "interest-collections"
_PAID = "interest_paid"
_FREE = (_PAID, "collected_on")
_ORDER = "_order"


def resolve_duplicates(kind: Kind, frame: pl.DataFrame) -> tuple[pl.DataFrame, list[Problem]]:
    """Return the rows to keep and a problem for every row that contradicts another.

    The same content twice is kept once. Of scheme funds the last row of a year counts. Of interest
    collections a plan and its one completion both stay, the plan first.
    """
    keys = list(kind.key)
    known = pl.all_horizontal(pl.col(keys).is_not_null())
    shared = frame.select(keys).is_duplicated() & frame.select(known).to_series()
    if not shared.any():
        return frame, []
    repeated = frame.filter(shared)
    if kind.name == _LATER_REPLACES:
        last = repeated.unique(subset=keys, keep="last", maintain_order=True)
        return _without(frame, repeated, last), []
    content = _comparable(repeated)
    distinct = repeated.filter(content.select(pl.struct(pl.all()).is_first_distinct()).to_series())
    frame = _without(frame, repeated, distinct)
    clashing = distinct.filter(distinct.select(keys).is_duplicated())
    if kind.name == _COMPLETED and clashing.height:
        pairs = _plans_with_completion(kind, clashing)
        clashing = clashing.join(pairs, on=keys, how="anti", maintain_order="left")
        frame = _plan_first(frame, pairs)
    return frame, _contradictions(kind, clashing)


def _without(frame: pl.DataFrame, all_of: pl.DataFrame, kept: pl.DataFrame) -> pl.DataFrame:
    dropped = all_of.join(kept.select(ROW), on=ROW, how="anti").select(ROW)
    return frame.join(dropped, on=ROW, how="anti", maintain_order="left")


def _comparable(frame: pl.DataFrame) -> pl.DataFrame:
    lists = [name for name, dtype in frame.schema.items() if dtype == pl.List(pl.String)]
    return frame.select(pl.exclude(ROW, *lists), pl.col(lists).list.join(";"))


def _plans_with_completion(kind: Kind, clashing: pl.DataFrame) -> pl.DataFrame:
    """Return key, plan_row, paid_row where a key holds one plan and one payment of its period."""
    fixed = [key for key in kind.content if key not in _FREE]
    planned = pl.col(_PAID).is_null()
    groups = clashing.group_by(kind.key, maintain_order=True).agg(
        pl.len().alias("rows"),
        planned.sum().alias("plans"),
        pl.all_horizontal(pl.col(fixed).n_unique() == 1).alias("same"),
        pl.col(ROW).filter(planned).first().alias("plan_row"),
        pl.col(ROW).filter(~planned).first().alias("paid_row"),
    )
    allowed = (pl.col("rows") == 2) & (pl.col("plans") == 1) & pl.col("same")
    return groups.filter(allowed).select(*kind.key, "plan_row", "paid_row")


def _plan_first(frame: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    late = pairs.filter(pl.col("plan_row") > pl.col("paid_row"))
    if late.is_empty():
        return frame
    before = late.select(pl.col("plan_row").alias(ROW), (2 * pl.col("paid_row") - 1).alias(_ORDER))
    ordered = frame.join(before, on=ROW, how="left", maintain_order="left")
    order = pl.coalesce(_ORDER, 2 * pl.col(ROW))
    return ordered.sort(order, maintain_order=True).drop(_ORDER)


def _contradictions(kind: Kind, clashing: pl.DataFrame) -> list[Problem]:
    """Name, for each contradicting row, the other one."""
    column = kind.column(kind.key[-1])
    first: dict[tuple[object, ...], int] = {}
    second: dict[tuple[object, ...], int] = {}
    rows = list(clashing.select(*kind.key, ROW).iter_rows())
    for *key, row in rows:
        if tuple(key) not in first:
            first[tuple(key)] = row
        else:
            second.setdefault(tuple(key), row)
    problems = []
    for *key, row in rows:
        other = first[tuple(key)] if row != first[tuple(key)] else second[tuple(key)]
        problems.append(
            Problem(
                row,
                column.key,
                column.header_zh,
                _shown(key[-1]),
                _other_row(other),
                "contradiction",
            )
        )
    return problems


def _shown(value: object) -> str | None:
    return None if value in (None, "") else str(value)


def _other_row(row: int) -> str:
    return bilingual(f"与第 {row} 行同键但内容不同", f"same key as row {row} but other content")
