"""Which labels would be eligible that no note carries (应享未享): the judgement itself, asked what if."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from settlement.engine import eligibility
from settlement.engine.assessment import ENROLMENT, assess
from settlement.engine.codes import ELIGIBLE
from settlement.engine.facts import AssessFacts
from settlement.engine.terms_model import Terms


def missed(*, terms: Sequence[Terms], facts: AssessFacts) -> pl.DataFrame:
    """Labels that notes do not carry and would be eligible under; columns as `assess` returns.

    `facts.notes` are all notes and `participation_hits` every scheme's. Each such label is put behind
    those a note carries, in order of priority, and all are judged together with the labels there are:
    exclusive groups, caps, one bank per enterprise and funds count as they would if all were entered.
    Nothing eligible or no subsidised day → not in the answer.
    """
    possible = _possible(terms, facts.checked())
    labels = pl.concat([facts.labels, possible.select(facts.labels.columns)])
    concerned = facts.notes.join(labels, on="note_id", how="semi")
    judged = assess(terms=terms, facts=replace(facts, notes=concerned, labels=labels))
    worth = (pl.col("eligible_fen") > 0) & (pl.col("subsidised_from") < pl.col("subsidised_until"))
    return (
        judged.filter((pl.col("status") == ELIGIBLE) & worth)
        .join(possible, on=["note_id", "scheme_code"], how="semi")
        .select(list(ENROLMENT))
    )


def _possible(terms: Sequence[Terms], facts: AssessFacts) -> pl.DataFrame:
    """Labels not carried against which the note, its borrower and its bank say nothing."""
    notes = eligibility.with_status(facts.notes, facts)
    ranked = sorted(terms, key=lambda one: (one.priority, one.code))
    parts = [facts.labels.clear().with_columns(rank=pl.lit(0, dtype=pl.Int64))]
    for rank, one in enumerate(ranked):
        carried = facts.labels.filter(pl.col("scheme_code") == one.code)
        free = notes.join(carried, on="note_id", how="anti")
        judged = eligibility.judge(one, free, facts).filter(
            (pl.col("mask") == 0) & ~pl.col("waits")
        )
        parts.append(
            judged.select(
                "note_id",
                scheme_code=pl.lit(one.code),
                position=pl.lit(0, dtype=pl.Int64),
                rank=pl.lit(rank, dtype=pl.Int64),
            )
        )
    behind = facts.labels.group_by("note_id").agg(last=pl.col("position").max() + 1)
    return (
        pl.concat(part.select("note_id", "scheme_code", "position", "rank") for part in parts)
        .join(behind, on="note_id", how="left")
        .with_columns(position=pl.col("last").fill_null(0) + pl.col("rank"))
    )
