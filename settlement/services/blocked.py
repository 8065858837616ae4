"""What findings keep a run from posting (F5): which rows, and what is on record of them afterwards."""

from __future__ import annotations

import polars as pl

from config.kernel.services import bulk
from settlement.models import BlockedSubsidy
from settlement.selectors import reservations
from settlement.selectors.deductions import MONEY
from settlement.selectors.stops import stops
from settlement.services.targets import Evidence

KEY = ("note_id", "scheme_id")


def blocked_rows(due: pl.DataFrame, *, evidence: Evidence) -> pl.DataFrame:
    """Of rows due those that wait because a finding blocks them (F5); a row waits as a whole.

    They would pay something, or take back something of their period that was never posted. What a plan has
    let the core deduct does not wait.
    """
    stopped = stops(note_ids=due["note_id"].unique().to_list()).select(KEY).unique()
    mine = due.join(stopped, on=list(KEY), how="semi")
    deducted = reservations.deducted(note_ids=mine["note_id"].unique().to_list())
    planned = {"collection_id": pl.Int64, "scheme_id": pl.Int64}
    free = mine.join(
        pl.DataFrame(deducted, schema=planned, orient="row"), on=list(planned), how="semi"
    )
    paying = pl.max_horizontal(MONEY) > 0
    rest = mine.join(free, on=list(planned), how="anti")
    waiting = [rest.filter(paying), _beyond_posted(rest.filter(~paying), free, evidence)]
    return pl.concat(waiting)


def _beyond_posted(lowering: pl.DataFrame, free: pl.DataFrame, evidence: Evidence) -> pl.DataFrame:
    """Rows that take back more of their period than is posted of it, in the order of collection (D7)."""
    periods = evidence.facts.collections.select("collection_id", "period_start", "period_end")
    period = ["note_id", "scheme_id", "period_start", "period_end"]
    there = [f"{name}_there" for name in MONEY]
    known = pl.concat(
        frame.select("collection_id", "note_id", "scheme_id", *MONEY)
        for frame in (evidence.posted, free)
    )
    posted = (
        known.join(periods, on="collection_id")
        .group_by(period)
        .agg(pl.col(name).sum().alias(f"{name}_there") for name in MONEY)
    )
    left = [
        pl.col(name).cum_sum().over(period, order_by=["collected_on", "collection_id"])
        + pl.col(kept).fill_null(0)
        for name, kept in zip(MONEY, there, strict=True)
    ]
    return (
        lowering.join(periods, on="collection_id")
        .join(posted, on=period, how="left")
        .filter(pl.min_horizontal(left) < 0)
        .select(lowering.columns)
    )


def sums(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows left out, added up: note, scheme, collections and fen by tier."""
    return rows.group_by(KEY).agg(pl.len().cast(pl.Int64).alias("collections"), pl.col(MONEY).sum())


def record(*, stopped: pl.DataFrame, rows: pl.DataFrame, scopes: pl.DataFrame) -> None:
    """Let what is on record of these notes be what a run of the whole book left out now.

    `stopped`: what was blocked when it began; also what nothing was due of, since a change of it makes
    the enterprise stale. `scopes`: all notes of the run's enterprises.
    """
    listed = (
        stopped.select(KEY)
        .unique()
        .join(scopes.select("note_id", "institution_id", "enterprise_id"), on="note_id")
        .join(sums(rows), on=KEY, how="left")
        .with_columns(pl.col("collections", *MONEY).fill_null(0))
        .sort(KEY)
    )
    notes = scopes["note_id"].to_list()
    bulk.execute("DELETE FROM settlement_blockedsubsidy WHERE note_id = ANY(%s)", [notes])
    BlockedSubsidy.objects.bulk_create(
        [BlockedSubsidy(**fields) for fields in listed.iter_rows(named=True)], batch_size=1000
    )
