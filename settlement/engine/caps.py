"""Which groups of enterprises may meet a ceiling or cap at all (domain D9, D10).

A group whose every prefix stays within every limit gets what it earned; only the others are walked
row by row (`settlement.engine.walk`). With no negative row the last prefix of an amount cap is the
largest, so its total decides; the interest ceiling is checked on every prefix.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from settlement.engine.accrual import RAWS
from settlement.engine.book import Book, changes, running
from settlement.engine.facts import DeductFacts
from settlement.engine.terms_model import AmountCap, Terms

ENTITY = {"note": "note", "project": "project_id", "enterprise": "enterprise_id"}


def opening_by_note(facts: DeductFacts, book: Book, scheme_codes: Sequence[str]) -> pl.DataFrame:
    """Opening amounts per note, scheme (`rank`) and year, with the note's project and enterprise.

    Schemes that are not loaded have rank -1: they still count in the note's interest ceiling.
    """
    ranks = pl.DataFrame(
        {"scheme_code": list(scheme_codes), "rank": range(len(scheme_codes))},
        schema={"scheme_code": pl.String, "rank": pl.Int64},
    )
    return (
        facts.opening.join(ranks, on="scheme_code", how="left")
        .with_columns(pl.col("rank").fill_null(-1))
        .group_by("note_id", "rank", "year")
        .agg(pl.col("amount_fen").sum())
        .join(book.notes.select("note_id", "note", "project_id", "enterprise_id"), on="note_id")
    )


def outside(facts: DeductFacts, opening: pl.DataFrame, book: Book) -> pl.DataFrame:
    """Per note and year what it already received: outside subsidies and opening amounts."""
    notes = book.notes.select("note_id", "note")
    parts = [
        facts.external.join(notes, on="note_id").select("note", "year", "amount_fen"),
        opening.select("note", "year", "amount_fen"),
    ]
    return pl.concat(parts).group_by("note", "year").agg(outside_fen=pl.col("amount_fen").sum())


def with_context(rows: pl.DataFrame, book: Book, received: pl.DataFrame) -> pl.DataFrame:
    """Rows with everything ceilings and caps are keyed by."""
    notes = book.notes.select("project_id", "enterprise_id", "drawn_on")
    collections = book.collections.select(
        "year", "collected_on", "period_end", "collection_id", "interest_to_date_fen"
    )
    wider = pl.concat([rows, collections[rows["row"]], notes[rows["note"]]], how="horizontal")
    given = (
        wider.join(received, on=["note", "year"], how="left", maintain_order="left")
        if received.height
        else wider.with_columns(outside_fen=pl.lit(0, dtype=pl.Int64))
    )
    return given.with_columns(pl.col("outside_fen").fill_null(0), raw_fen=pl.sum_horizontal(RAWS))


def _lowered(rows: pl.DataFrame) -> pl.Series:
    negative = pl.any_horizontal(pl.col(raw) < 0 for raw in RAWS)
    return rows.filter(negative)["enterprise_id"]


def _above_interest(rows: pl.DataFrame) -> pl.Series:
    """Enterprises of notes whose uncut amounts to date pass the interest paid to date.

    Within one collection the order of schemes does not matter here: amounts only add up.
    """
    granted = running("raw_fen", starts=changes("note", "year"))
    above = granted + pl.col("outside_fen") > pl.col("interest_to_date_fen")
    columns = ("order", "note", "year", "raw_fen", "outside_fen", "interest_to_date_fen")
    served = rows.select(*columns, "enterprise_id").sort("order")
    return served.filter(above & (pl.col("raw_fen") > 0))["enterprise_id"]


def _beside_others(rows: pl.DataFrame, ranked: Sequence[Terms]) -> pl.Series:
    """Enterprises with a note whose scheme nets off what other sources paid."""
    netted = [n for n, t in enumerate(ranked) if t.duplicate_rule in ("net_off", "higher_of")]
    if not netted:
        return pl.Series("enterprise_id", [], dtype=pl.Int64)
    notes = rows.group_by("note").agg(
        pl.col("enterprise_id").first(),
        netted=pl.col("rank").is_in(netted).any(),
        others=(pl.col("outside_fen") != 0).any() | (pl.col("rank").n_unique() > 1),
    )
    return notes.filter("netted", "others")["enterprise_id"]


def _above_cap(
    rows: pl.DataFrame, rank: int, cap: AmountCap, opening: pl.DataFrame, leasing: pl.DataFrame
) -> pl.Series:
    """Enterprises that reach over one amount cap in total; dated limits count at their lowest."""
    entity = ENTITY[cap.per]
    keys = [entity, "year"] if cap.span == "year" else [entity]
    parts = [
        frame.filter((pl.col("rank") == rank) & (pl.col(entity) != 0 if cap.per == "project" else True))
        .select(*keys, amount_fen=amount)
        for frame, amount in ((rows, "raw_fen"), (opening, "amount_fen"))
    ]  # fmt: skip
    if cap.joint:
        parts.append(leasing.select(*keys, "amount_fen"))
    totals = pl.concat(parts).group_by(keys).agg(pl.col("amount_fen").sum())
    above = totals.filter(pl.col("amount_fen") > cap.limit_fen.smallest).select(keys)
    return rows.filter(pl.col("rank") == rank).join(above, on=keys, how="semi")["enterprise_id"]


def to_walk(
    rows: pl.DataFrame,
    ranked: Sequence[Terms],
    opening: pl.DataFrame,
    leasing: pl.DataFrame,
    notes: pl.DataFrame,
) -> pl.Series:
    """Enterprises whose rows must be walked, with all others linked to them by a project."""
    found = [_lowered(rows), _above_interest(rows), _beside_others(rows, ranked)]
    for rank, terms in enumerate(ranked):
        found += [_above_cap(rows, rank, cap, opening, leasing) for cap in terms.amount_caps]
    return linked(pl.concat(found).unique(), notes)


def linked(enterprises: pl.Series, notes: pl.DataFrame) -> pl.Series:
    """The enterprises and all that share a project with them, directly or through others."""
    pairs = notes.filter(pl.col("project_id") != 0).select("project_id", "enterprise_id").unique()
    shared = pairs.filter(pl.col("project_id").is_duplicated())
    while True:
        projects = shared.filter(pl.col("enterprise_id").is_in(enterprises.implode()))
        wider = shared.join(projects.select("project_id").unique(), on="project_id", how="semi")
        together = pl.concat([enterprises, wider["enterprise_id"]]).unique()
        if together.len() == enterprises.len():
            return together
        enterprises = together
