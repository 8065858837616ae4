"""What the deductions of some enterprises should be, from facts and terms alone (D20)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import polars as pl

from loans.selectors import facts
from settlement.engine import Deducted, deduct
from settlement.engine.facts import DeductFacts
from settlement.selectors import deductions, enrolments
from settlement.services.schemes import Book


@dataclass(frozen=True)
class Evidence:
    """All facts of whole groups of enterprises, and what has been posted for them."""

    facts: DeductFacts
    scopes: pl.DataFrame
    posted: pl.DataFrame


def gather(*, enterprise_ids: Sequence[int]) -> Evidence:
    """Read all facts of these enterprises (whole groups) and what has been posted for them."""
    scopes = facts.note_scopes(enterprise_ids=enterprise_ids)
    posted = deductions.posted(note_ids=scopes["note_id"].to_list())
    known = facts_of(enterprise_ids=enterprise_ids, scopes=scopes)
    return Evidence(facts=known, scopes=scopes, posted=posted)


def facts_of(*, enterprise_ids: Sequence[int], scopes: pl.DataFrame) -> DeductFacts:
    """Everything deductions of these enterprises' notes depend on; `scopes` as `note_scopes` gives."""
    return DeductFacts(
        notes=facts.notes(enterprise_ids=enterprise_ids),
        enrolments=enrolments.eligible(note_ids=scopes["note_id"].to_list()),
        repayments=facts.repayments(enterprise_ids=enterprise_ids),
        stops=facts.stops(enterprise_ids=enterprise_ids),
        collections=facts.collections(enterprise_ids=enterprise_ids),
        external=facts.external(enterprise_ids=enterprise_ids),
        leasing=facts.leasing(enterprise_ids=enterprise_ids),
        opening=facts.opening(enterprise_ids=enterprise_ids),
        funds=facts.funds(),
    )


def targets(
    *,
    book: Book,
    evidence: Evidence,
    through: date | Mapping[int, date] | None,
    trace: bool = False,
) -> Deducted:
    """The target of every collection up to the later of `through` and what is already posted.

    Both are those of the collection's group. `through`: one day, or one per enterprise; None = all.
    """
    collections = evidence.facts.collections
    if through is not None:
        collections = _up_to(through, evidence, book)
    return deduct(
        terms=book.terms, facts=replace(evidence.facts, collections=collections), trace=trace
    )


def _up_to(through: date | Mapping[int, date], evidence: Evidence, book: Book) -> pl.DataFrame:
    of_note = grouped(evidence=evidence, book=book)
    days = (
        dict.fromkeys(of_note["enterprise_id"].to_list(), through)
        if isinstance(through, date)
        else dict(through)
    )
    asked = pl.DataFrame(
        {"enterprise_id": list(days), "day": list(days.values())},
        schema={"enterprise_id": pl.Int64, "day": pl.Date},
    ).join(of_note, on="enterprise_id")
    done = evidence.posted.select("note_id", day="collected_on").join(of_note, on="note_id")
    horizons = (
        pl.concat([frame.select("group", "day") for frame in (asked, done)])
        .group_by("group")
        .agg(pl.col("day").max())
    )
    collections = evidence.facts.collections
    return (
        collections.join(of_note.join(horizons, on="group"), on="note_id")
        .filter(pl.col("collected_on") <= pl.col("day"))
        .select(collections.columns)
    )


def grouped(*, evidence: Evidence, book: Book, by_fund: bool = True) -> pl.DataFrame:
    """Which notes' deductions depend on each other? note_id, enterprise_id, group (any number).

    Enterprises are coupled by a project of notes of both, or (`by_fund`) by a fund shared in proportion.
    """
    shared = [terms.code for terms in book.terms if by_fund and terms.fund_method == "pro_rata"]
    of_note = evidence.scopes.select("note_id", "enterprise_id")
    projects = evidence.facts.notes.filter(pl.col("project_id") != 0)
    sharing = evidence.facts.enrolments.filter(pl.col("scheme_code").is_in(shared))
    groups = deductions.connected(
        [
            *projects.select("project_id", "enterprise_id").unique().rows(),
            *sharing.join(of_note, on="note_id").select("scheme_code", "enterprise_id").rows(),
        ]
    )
    own = pl.col("enterprise_id")
    return of_note.with_columns(
        group=own.replace_strict(groups, default=own, return_dtype=pl.Int64)
    )


def differences(
    *, rows: pl.DataFrame, evidence: Evidence, book: Book, through: date | None
) -> pl.DataFrame:
    """Target − posted: the rows to post, with their sequence (0 = original) and why.

    An original is due only for collections up to `through`; whatever is posted is kept equal to its
    target whenever it was collected. States (days, product, raw, reasons) are the new ones, money
    columns what is to be added.
    """
    state = deductions.STATE
    money = deductions.MONEY
    scheme_ids = {"": 0, **book.scheme_ids}  # without any scheme there must still be a type
    ids = pl.col("scheme_code").replace_strict(scheme_ids, return_dtype=pl.Int64)
    dates = evidence.facts.collections.select("collection_id", "collected_on")
    wanted = (
        rows.with_columns(ids.alias("scheme_id"))
        .join(dates, on="collection_id")
        .select(
            "collection_id",
            "scheme_id",
            "note_id",
            "collected_on",
            *(pl.col(name).cast(pl.Int64) for name in (*state, *money)),
        )
    )
    both = wanted.join(
        evidence.posted, on=["collection_id", "scheme_id"], how="full", coalesce=True, suffix="_was"
    )
    was = {name: pl.col(f"{name}_was").fill_null(0) for name in (*state, *money)}
    now = {name: pl.col(name).fill_null(0) for name in (*state, *money)}
    is_new = pl.col("sequence").is_null()
    differs = pl.any_horizontal(now[name] != was[name] for name in (*state, *money))
    due = is_new if through is None else is_new & (pl.col("collected_on") <= through)
    return both.filter(due | (~is_new & differs)).select(
        "collection_id",
        "scheme_id",
        pl.coalesce("note_id", "note_id_was").alias("note_id"),
        pl.coalesce("collected_on", "collected_on_was").alias("collected_on"),
        (pl.col("sequence") + 1).fill_null(0).alias("sequence"),
        *(now[name].alias(name) for name in state),
        *((now[name] - was[name]).alias(name) for name in money),
        pl.when(is_new)
        .then(pl.lit(""))
        .when(pl.col("note_id").is_null())
        .then(pl.lit("不再贴息 / no longer subsidised"))
        .otherwise(pl.lit("事实变更后重算 / recomputed after changed facts"))
        .alias("why"),
    )
