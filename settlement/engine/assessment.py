"""The judgement of every label: eligible, ineligible with all reasons, or waiting."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from settlement.engine import allocation, commitment, eligibility
from settlement.engine.codes import ELIGIBLE, INELIGIBLE, REASONS, WAITING, WAITING_REASON
from settlement.engine.facts import AssessFacts
from settlement.engine.terms_model import Terms

ENROLMENT: dict[str, pl.DataType | type[pl.DataType]] = {
    "note_id": pl.Int64,
    "scheme_code": pl.String,
    "position": pl.Int64,
    "status": pl.String,
    "reasons": pl.List(pl.String),
    "eligible_fen": pl.Int64,
    "principal_capped": pl.Boolean,
    "commitment_fen": pl.Int64,
    "subsidised_from": pl.Date,
    "subsidised_until": pl.Date,
    "tiers_off": pl.List(pl.String),
    "lpr_ppm": pl.Int64,
}
"""Columns of what `assess` returns; `commitment_fen` and `lpr_ppm` may be null."""


def assess(*, terms: Sequence[Terms], facts: AssessFacts) -> pl.DataFrame:
    """Is each label of each note subsidised, for how much, from when to when, and why not?

    One row per label of a scheme in `terms`, sorted by note and position; reasons in order of
    precedence, all that apply. `eligible_fen` is CNY after the principal cap (0 where not
    eligible). The caller passes every note that shares a borrower, project or fund with another.
    """
    checked = facts.checked()
    labels = _judged(terms, checked)
    if labels.is_empty():
        return pl.DataFrame(schema=ENROLMENT)
    decided = allocation.allocate(labels, terms, checked.funds).with_columns(_status())
    return (
        decided.join(_tiers_off(decided, terms), on="place", how="left")
        .join(_reason_lists(decided), on=["mask", "status"])
        .join(checked.rejections, on=["note_id", "scheme_code"], how="left")
        .with_columns(_until())
        .with_columns(pl.col("tiers_off").fill_null(pl.lit([], dtype=pl.List(pl.String))))
        .sort("note_id", "position", "scheme_code")
        .select(list(ENROLMENT))
    )


def _judged(terms: Sequence[Terms], facts: AssessFacts) -> pl.DataFrame:
    notes = eligibility.with_status(facts.notes, facts)
    joined = facts.labels.join(notes, on="note_id", how="left")
    assert not joined["drawn_on"].null_count(), "labels: a note is not among the notes"
    parts = []
    for one in terms:
        own = joined.filter(pl.col("scheme_code") == one.code)
        judged = eligibility.judge(one, own, facts)
        if one.fund_method == "first_come_first_served":
            judged = commitment.with_factors(one, judged)
        else:
            judged = judged.with_columns(factor=pl.lit(0, dtype=pl.Int64))
        parts.append(judged)
    return pl.concat(parts).with_columns(
        place=pl.int_range(pl.len(), dtype=pl.Int64),
        year=pl.col("drawn_on").dt.year().cast(pl.Int64),
    )


def _until() -> pl.Expr:
    """The end of the subsidised days: from a month that finance rejects on, there are none."""
    earlier = pl.min_horizontal("subsidised_until", "rejected_from")
    return pl.max_horizontal("subsidised_from", earlier).alias("subsidised_until")


def _status() -> pl.Expr:
    return (
        pl.when(pl.col("mask") != 0)
        .then(pl.lit(INELIGIBLE))
        .when("waits")
        .then(pl.lit(WAITING))
        .otherwise(pl.lit(ELIGIBLE))
        .alias("status")
    )


def _reason_lists(decided: pl.DataFrame) -> pl.DataFrame:
    kinds = decided.select("mask", "status").unique()
    lists = [
        [WAITING_REASON]
        if status == WAITING
        else [reason for place, reason in enumerate(REASONS) if mask >> place & 1]
        for mask, status in kinds.iter_rows()
    ]
    return kinds.with_columns(pl.Series("reasons", lists, dtype=pl.List(pl.String)))


def _tiers_off(decided: pl.DataFrame, terms: Sequence[Terms]) -> pl.DataFrame:
    """Tiers that pay nothing because the label's project is eligible under another group (MF-06)."""
    groups = {one.code: one.exclusive_group for one in terms}
    eligible = decided.filter((pl.col("status") == ELIGIBLE) & (pl.col("project_id") != 0)).select(
        "project_id", group=pl.col("scheme_code").replace_strict(groups)
    )
    parts = [
        decided.filter(pl.col("scheme_code") == one.code)
        .join(eligible.filter(pl.col("group") == off.group), on="project_id", how="semi")
        .select("place", tiers_off=pl.lit(off.tier))
        for one in terms
        for off in one.tiers_off
    ]
    nothing = pl.DataFrame(schema={"place": pl.Int64, "tiers_off": pl.String})
    return pl.concat([nothing, *parts]).group_by("place").agg(pl.col("tiers_off").unique().sort())
