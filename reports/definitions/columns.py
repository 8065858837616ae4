"""Columns that several reports share, and small steps from frames to tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import polars as pl

from reports.definitions.sheet import Column, Kind, Table, whole
from reports.definitions.words import TIERS, TIERS_ZH

EXCHANGE_ONE = 10**8

NUMBER = Column("number", "序号", "int")
SCHEME = (
    Column("scheme_code", "政策代码", "text", on_paper=False),
    Column("scheme_zh", "贴息政策", "text"),
)
INSTITUTION = (
    Column("institution_code", "机构编码", "text"),
    Column("institution_name", "所属机构", "text"),
)
FUND = (
    Column("fund_code", "资金机构编码", "text"),
    Column("fund_name", "资金机构", "text"),
)
BORROWER = (
    Column("enterprise_name", "借款人", "text"),
    Column("uscc", "统一社会信用代码", "text"),
)
REGION = (Column("city_code", "地区代码", "text"), Column("city_zh", "地区", "text"))
NAMES = frozenset(
    column.key for column in (NUMBER, *SCHEME, *INSTITUTION, *FUND, *BORROWER, *REGION)
) | {"tier", "purpose", "contract_number", "note_number", "project_code", "project_name"}
"""What rows are called by, which no article need ask for."""


def money(key: str, title_zh: str, kind: Kind) -> Column:
    """An amount that is summed up at the end."""
    return Column(key, title_zh, kind, total=True)


def count(key: str, title_zh: str) -> Column:
    """A number of notes, which adds up."""
    return Column(key, title_zh, "int", total=True)


def heads(key: str, title_zh: str) -> Column:
    """A number of enterprises: one of two groups is one of all, so it does not add up."""
    return Column(key, title_zh, "int")


def tiers(
    prefix: str, title_zh: str, kind: Kind, paying: Sequence[str] = TIERS
) -> tuple[Column, ...]:
    """An amount by tier that pays and in all: `{prefix}central_fen` … `{prefix}total_fen`."""
    return (
        *(money(f"{prefix}{tier}_fen", f"{title_zh}·{TIERS_ZH[tier]}", kind) for tier in paying),
        money(f"{prefix}total_fen", f"{title_zh}合计", kind),
    )


def total(prefix: str = "") -> pl.Expr:
    """The sum over tiers of a row, as `{prefix}total_fen`."""
    return pl.sum_horizontal(f"{prefix}{tier}_fen" for tier in TIERS).alias(f"{prefix}total_fen")


def table(
    key: str, title_zh: str, columns: Iterable[Column], frame: pl.DataFrame, *, article: str
) -> Table:
    """A table of the frame's rows in their order: its columns only, numbered where one asks for it."""
    listed = tuple(
        column if column.key in NAMES else replace(column, article=article) for column in columns
    )
    keys = [column.key for column in listed]
    if NUMBER.key in keys:
        frame = frame.with_columns(pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias(NUMBER.key))
    return Table(key=key, title_zh=title_zh, columns=listed, parts=whole(frame.select(keys)))


def cny(amount: str, rate: str = "exchange_rate_e8") -> pl.Expr:
    """An amount in CNY at the note's recorded rate, half up to the fen (D18); amounts not below zero."""
    wide = pl.col(amount).cast(pl.Int128) * pl.col(rate).cast(pl.Int128)
    one = pl.lit(EXCHANGE_ONE, dtype=pl.Int128)
    two = pl.lit(2, dtype=pl.Int128)
    return (wide * two + one).floordiv(one * two).cast(pl.Int64, strict=True)


def weighted_rate(balance: str, rate: str) -> pl.Expr:
    """The balance-weighted rate in parts per million, half up; null without a balance.

    Both at most 10¹⁷ and 360,000: their product and its sum over ten million rows fit Int128.
    """
    wide = pl.col(balance).cast(pl.Int128)
    weight = wide.sum()
    product = (wide * pl.col(rate).cast(pl.Int128)).sum()
    two = pl.lit(2, dtype=pl.Int128)
    share = (product * two + weight).floordiv(pl.when(weight > 0).then(weight * two))
    return share.cast(pl.Int64, strict=True)


def notes_of_moves(frame: pl.DataFrame) -> tuple[str, ...]:
    """What a reader must know where a note has moved: its code is the key of files and exports."""
    if frame.filter(pl.col("institution_code") != pl.col("holder_code")).is_empty():
        return ()
    return ("机构编码为借据的原机构（数据文件口径），所属机构为划转后的现机构。",)


def sum_of(frame: pl.DataFrame, column: str) -> int:
    """A column's sum; 0 for no rows."""
    return int(frame[column].sum())


def grouped(
    frame: pl.DataFrame, keys: Sequence[str], *aggregations: pl.Expr, order: Sequence[str] = ()
) -> pl.DataFrame:
    """Sums of groups, in the order of their keys (`rank` first where the frame has it)."""
    by = [*(["rank", "scheme_zh"] if "rank" in frame.columns else []), *keys]
    return frame.group_by(by).agg(*aggregations).sort([*order, *by], nulls_last=True)
