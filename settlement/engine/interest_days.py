"""When is interest expected to be collected? Interest days, and the periods that end with them.

An interest day is the 20th of a month, or of a quarter's last month; interest is counted up to the
21st, exclusive (domain §1). A note's last interest is collected on its maturity.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from settlement.engine.codes import LAST_DAY

RHYTHMS = ("monthly", "quarterly")
INTEREST_DAY = 20
QUARTER_ENDS = (3, 6, 9, 12)
_TO_CUT = 21  # a period that ends by the 21st is collected on this month's interest day

PERIODS: dict[str, type[pl.DataType]] = {
    "note_id": pl.Int64,
    "period_start": pl.Date,
    "period_end": pl.Date,
    "collected_on": pl.Date,
}
PLANNED: dict[str, type[pl.DataType]] = {
    "note_id": pl.Int64,
    "period_start": pl.Date,
    "period_end": pl.Date,
}


def interest_day(period_end: pl.Expr, *, quarterly: pl.Expr) -> pl.Expr:
    """The interest day that collects the interest of a period with this (exclusive) end."""
    month = period_end.dt.offset_by(f"-{_TO_CUT}d").dt.truncate("1mo").dt.offset_by("1mo")
    last = pl.when(quarterly).then(month.dt.truncate("1q").dt.offset_by("2mo")).otherwise(month)
    return last.dt.offset_by(f"{INTEREST_DAY - 1}d")


def rhythms(collections: pl.DataFrame) -> pl.DataFrame:
    """note_id and `quarterly`, as each note's latest recorded period of a month or more shows it.

    Shorter ones are stubs, which tell nothing; notes with no other are not in the result.
    """
    ends, month = pl.col("period_end"), pl.col("period_start").dt.offset_by("1mo")
    latest = (
        collections.filter(ends >= month)
        .sort("note_id", "period_end", "period_start")
        .unique("note_id", keep="last", maintain_order=True)
    )
    return latest.select("note_id", quarterly=ends > month)


def _boundaries(first: date, until: date) -> pl.DataFrame:
    """Every 21st from after `first` to three months beyond `until`: each rhythm has one past it."""
    days = pl.date_range(
        pl.lit(first).dt.truncate("1mo"),
        pl.lit(until).dt.truncate("1mo").dt.offset_by("3mo"),
        interval="1mo",
    )
    edge = days.dt.offset_by(f"{INTEREST_DAY}d")
    return pl.select(edge=edge).with_columns(
        is_quarter=pl.col("edge").dt.month().is_in(QUARTER_ENDS)
    )


def periods(notes: pl.DataFrame, *, until: date, planned: pl.DataFrame) -> pl.DataFrame:
    """The interest periods expected of each note, up to those collected before `until`.

    `notes` carry note_id, `first_day` (from which interest is not collected yet), `matures_on` and
    `quarterly`. `planned` periods (note_id, period_start, period_end) are left out, and cut those
    around them. Columns: `PERIODS`, sorted by note and day.
    """
    running = notes.filter(
        (pl.col("first_day") < pl.col("matures_on")) & (pl.col("first_day") < until)
    )
    if running.is_empty():
        return pl.DataFrame(schema=PERIODS)
    edges = _edges(running, until, planned)
    cut = edges.sort("note_id", "edge").with_columns(
        period_end=pl.col("edge").shift(-1),
        same=pl.col("note_id") == pl.col("note_id").shift(-1),
    )
    found = (
        cut.filter("same")
        .rename({"edge": "period_start"})
        .drop("same")
        .join(running.select("note_id", "matures_on", "quarterly"), on="note_id")
        .with_columns(
            collected_on=pl.min_horizontal(
                interest_day(pl.col("period_end"), quarterly=pl.col("quarterly")), "matures_on"
            )
        )
        .filter(pl.col("collected_on") < until)
    )
    return _unplanned(found, planned).select(list(PERIODS)).sort("note_id", "period_start")


def _edges(notes: pl.DataFrame, until: date, planned: pl.DataFrame) -> pl.DataFrame:
    """Where each note's periods meet: its first day, interest days, maturity, planned periods."""
    first = notes["first_day"].min()
    assert isinstance(first, date)
    within = (pl.col("first_day") < pl.col("edge")) & (pl.col("edge") < pl.col("matures_on"))
    regular = notes.join(_boundaries(first, min(until, LAST_DAY)), how="cross").filter(
        within & (pl.col("is_quarter") | ~pl.col("quarterly"))
    )
    plans = pl.concat(
        planned.select("note_id", edge=pl.col(name)) for name in ("period_start", "period_end")
    )
    parts = [
        notes.select("note_id", edge="first_day"),
        notes.select("note_id", edge="matures_on"),
        regular.select("note_id", "edge"),
        notes.join(plans, on="note_id").filter(within).select("note_id", "edge"),
    ]
    return pl.concat(parts).unique()


def _unplanned(found: pl.DataFrame, planned: pl.DataFrame) -> pl.DataFrame:
    plans = planned.select(
        "note_id", planned_start=pl.col("period_start"), planned_end=pl.col("period_end")
    )
    inside = found.join(plans, on="note_id").filter(
        (pl.col("planned_start") <= pl.col("period_start"))
        & (pl.col("period_end") <= pl.col("planned_end"))
    )
    return found.join(inside, on=["note_id", "period_start"], how="anti")
