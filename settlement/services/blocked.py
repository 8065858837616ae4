"""What findings keep a run from posting (F5), on record as the run left it."""

from __future__ import annotations

import polars as pl

from settlement.engine import TIERS
from settlement.models import BlockedSubsidy

KEY = ("note_id", "scheme_id")
MONEY = tuple(f"{tier}_fen" for tier in TIERS)


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
    BlockedSubsidy.objects.filter(note_id__in=scopes["note_id"].to_list()).delete()
    BlockedSubsidy.objects.bulk_create(
        [BlockedSubsidy(**fields) for fields in listed.iter_rows(named=True)], batch_size=1000
    )
