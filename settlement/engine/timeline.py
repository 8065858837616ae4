"""Each note's balance and stops as stretches of days, cut wherever either changes (D5, D6)."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

DAY_BITS = 22
LAST_DAYNO = (1 << DAY_BITS) - 1
_EPOCH = 719_163


def dayno(column: str) -> pl.Expr:
    """A date as the number of its day (0001-01-01 is 1), an Int64 below 2**22."""
    return pl.col(column).cast(pl.Int32).cast(pl.Int64) + _EPOCH


def as_date(column: str) -> pl.Expr:
    """The date of a day number."""
    return (pl.col(column) - _EPOCH).cast(pl.Int32).cast(pl.Date)


@dataclass(frozen=True)
class Timeline:
    """Stretches of all notes, sorted by note and first day.

    Columns: `from_day`, `until_day` (day numbers, half-open), `balance_fen` (in the loan's own
    currency, between 0 and the principal), `stopped` (overdue, extended or non-performing).
    """

    stretches: pl.DataFrame
    keys: pl.Series

    def at(self, note: pl.Series, day: pl.Series) -> pl.Series:
        """The number of the stretch that holds each note's day."""
        wanted = note * (1 << DAY_BITS) + day
        return self.keys.search_sorted(wanted, side="right").cast(pl.Int64) - 1


def _events(notes: pl.DataFrame, repayments: pl.DataFrame, stops: pl.DataFrame) -> pl.DataFrame:
    real = stops.filter(pl.col("ends_on").is_null() | (pl.col("ends_on") > pl.col("starts_on")))
    zero, one = pl.lit(0, dtype=pl.Int64), pl.lit(1, dtype=pl.Int64)
    parts = [
        notes.select("note", day=zero, change=pl.col("principal_fen"), stop=zero),
        repayments.select("note", day=dayno("repaid_on"), change=-pl.col("amount_fen"), stop=zero),
        real.select("note", day=dayno("starts_on"), change=zero, stop=one),
        real.filter(pl.col("ends_on").is_not_null()).select(
            "note", day=dayno("ends_on"), change=zero, stop=-one
        ),
    ]
    return pl.concat(parts).group_by("note", "day").agg(pl.col("change", "stop").sum())


def build(notes: pl.DataFrame, repayments: pl.DataFrame, stops: pl.DataFrame) -> Timeline:
    """How do balance and status of each note run over the days?

    A repayment lowers the balance from its own day on, a reversal (negative) raises it again.
    `notes` carry `note` (0, 1, 2 …) and `principal_fen`; the other frames carry `note` too.
    """
    states = (
        _events(notes, repayments, stops)
        .sort("note", "day")
        .with_columns(pl.col("change", "stop").cum_sum().over("note"))
        .join(notes.select("note", "principal_fen"), on="note", maintain_order="left")
        .with_columns(
            balance_fen=pl.col("change").clip(0, pl.col("principal_fen")),
            stopped=pl.col("stop") > 0,
        )
    )
    changed = (
        (pl.col("day") == 0)
        | (pl.col("balance_fen") != pl.col("balance_fen").shift(1))
        | (pl.col("stopped") != pl.col("stopped").shift(1))
    )
    following = pl.col("day").shift(-1)
    same = pl.col("note") == pl.col("note").shift(-1)
    kept = states.filter(changed).with_columns(
        until_day=pl.when(same).then(following).otherwise(pl.lit(LAST_DAYNO, dtype=pl.Int64))
    )
    stretches = kept.select(pl.col("day").alias("from_day"), "until_day", "balance_fen", "stopped")
    keys = kept.select(key=pl.col("note") * (1 << DAY_BITS) + pl.col("day"))["key"]
    return Timeline(stretches=stretches, keys=keys.set_sorted())


def segments(windows: pl.DataFrame, timeline: Timeline) -> pl.DataFrame:
    """The windows cut at every change of balance or status.

    `windows` carry `note`, `start_day`, `end_day` (day numbers, start before end). The result has
    `window` (the row number in `windows`), `from_day`, `until_day`, `balance_fen`, `stopped`.
    """
    first = timeline.at(windows["note"], windows["start_day"])
    last = timeline.at(windows["note"], windows["end_day"] - 1)
    spread = pl.select(
        window=pl.int_range(pl.lit(windows.height, dtype=pl.Int64), dtype=pl.Int64),
        first=first,
        last=last,
    )
    single = spread.filter(pl.col("first") == pl.col("last")).select("window", stretch="first")
    many = (
        spread.filter(pl.col("first") != pl.col("last"))
        .select("window", stretch=pl.int_ranges("first", pl.col("last") + 1, dtype=pl.Int64))
        .explode("stretch")
    )
    pairs = pl.concat([single, many])
    within = windows.select("start_day", "end_day")[pairs["window"]]
    cut = pl.concat([pairs, timeline.stretches[pairs["stretch"]], within], how="horizontal")
    return cut.select(
        "window",
        from_day=pl.max_horizontal("from_day", "start_day"),
        until_day=pl.min_horizontal("until_day", "end_day"),
        balance_fen="balance_fen",
        stopped="stopped",
    )
