"""The subsidy of every collection: from facts to granted amounts in one pure call (D2–D12)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from settlement.engine import caps, prorata
from settlement.engine import trace as tracing
from settlement.engine.accrual import BEFORE, RATES, RAWS, Accrued, accrue
from settlement.engine.book import Book, open_book
from settlement.engine.codes import TIERS, cut_bit
from settlement.engine.facts import DeductFacts
from settlement.engine.prorata import GRANTED
from settlement.engine.rates import denominator
from settlement.engine.terms_model import Terms
from settlement.engine.walk import Opening, Row, Used, Walk

ROWS: dict[str, type[pl.DataType]] = {
    "collection_id": pl.Int64,
    "note_id": pl.Int64,
    "scheme_code": pl.String,
    "days": pl.Int64,
    "product": pl.Int64,
    **dict.fromkeys(RAWS, pl.Int64),
    **dict.fromkeys(GRANTED, pl.Int64),
    "cut_reasons": pl.Int16,
}
"""Columns of `Deducted.rows`: product in fen-days, amounts in fen, `cut_reasons` a bit mask."""


@dataclass(frozen=True)
class Deducted:
    """One row per collection × scheme with a product above zero, and the working if asked for."""

    rows: pl.DataFrame
    trace: tracing.Trace | None = None


def deduct(*, terms: Sequence[Terms], facts: DeductFacts, trace: bool = False) -> Deducted:
    """What does each collection deduct under each scheme, by tier, and what cut it?

    A pure function of the facts: row order never matters. The caller passes whole groups (all
    enterprises linked by shared projects, all of a pro-rata scheme). Amounts in fen, `product` in
    fen-days; `raw_*` before caps, `*_fen` after. With `trace` every row is walked and its working
    kept. Wrong frames are programmer errors (AssertionError).
    """
    checked = facts.checked()
    ranked = sorted(terms, key=lambda one: (one.priority, one.code))
    unknown = set(checked.enrolments["scheme_code"].unique()) - {t.code for t in ranked}
    assert not unknown, f"enrolments: no terms for {sorted(unknown)}"
    book = open_book(checked)
    parts = _accrue_all(ranked, checked, book, trace=trace)
    if not parts:
        return Deducted(pl.DataFrame(schema=ROWS), _no_trace() if trace else None)
    rows = pl.concat(part.rows for part in parts.values())
    segments = [(code, part.segments) for code, part in parts.items()] if trace else []
    parts.clear()
    opening = caps.opening_by_note(checked, book, [one.code for one in ranked])
    rows = caps.with_context(rows, book, caps.outside(checked, opening, book))
    rows = rows.with_columns(number=pl.int_range(pl.len(), dtype=pl.Int64))
    granted, walk = _grant(rows, ranked, checked, book, opening, trace=trace)
    granted = prorata.apply(granted, ranked, checked.funds)
    named = _named(granted, ranked, book)
    return Deducted(_result(named), _trace(named, segments, walk, book) if trace else None)


def _accrue_all(
    ranked: Sequence[Terms], facts: DeductFacts, book: Book, *, trace: bool
) -> dict[str, Accrued]:
    found = {}
    columns = ["row", "order", "note", "period", "rank", "days", "product", "principal_capped"]
    columns += [*RAWS, *BEFORE]
    if trace:
        columns += ["interest_due_fen", "paid_fen", "scale", "full_product", *RATES]
    for rank, one in enumerate(ranked):
        part = accrue(one, facts, book, trace=trace)
        if part is not None:
            rows = part.rows.with_columns(
                rank=pl.lit(rank, dtype=pl.Int64),
                scale=pl.lit(denominator(one), dtype=pl.Int64),
            )
            found[one.code] = Accrued(rows=rows.select(columns), segments=part.segments)
    return found


def _grant(
    rows: pl.DataFrame,
    ranked: Sequence[Terms],
    facts: DeductFacts,
    book: Book,
    opening: pl.DataFrame,
    *,
    trace: bool,
) -> tuple[pl.DataFrame, Walk]:
    """Amounts after ceilings and caps: as earned, except for the groups that must be walked."""
    if trace:
        walked = rows["enterprise_id"].unique()
    else:
        walked = caps.to_walk(rows, ranked, opening, facts.leasing, book.notes)
    own_bit = pl.lit(cut_bit("principal_cap"), dtype=pl.Int64)
    rows = rows.with_columns(
        *[pl.col(raw).alias(name) for raw, name in zip(RAWS, GRANTED, strict=True)],
        mask=pl.when(pl.col("principal_capped")).then(own_bit).otherwise(0),
    )
    walk = Walk(ranked, _opening(opening, facts.leasing), trace=trace)
    if walked.is_empty():
        return rows, walk
    served = rows.filter(pl.col("enterprise_id").is_in(walked.implode()))
    cuts = walk.run(_walk_rows(served.sort("collected_on", "order", "rank")))
    changed = pl.DataFrame(
        [(cut.number, *cut.granted, cut.mask) for cut in cuts],
        schema={"number": pl.Int64, **dict.fromkeys(GRANTED, pl.Int64), "cut": pl.Int64},
        orient="row",
    )
    return (
        rows.update(changed.drop("cut"), on="number")
        .join(changed.select("number", "cut"), on="number", how="left", maintain_order="left")
        .with_columns(mask=pl.col("mask") | pl.col("cut").fill_null(0))
        .drop("cut"),
        walk,
    )


def _walk_rows(rows: pl.DataFrame) -> Iterator[Row]:
    """Rows of the frame as the walk takes them: the tiers' amounts come last, three and three."""
    single = Row._fields[:-2]
    for one in rows.select(*single, *RAWS, *BEFORE).iter_rows():
        yield Row._make((*one[: len(single)], one[-6:-3], one[-3:]))


def _opening(opening: pl.DataFrame, leasing: pl.DataFrame) -> Opening:
    def by(entity: str) -> Used:
        used: Used = defaultdict(dict)
        sums = opening.group_by("rank", entity, "year").agg(pl.col("amount_fen").sum())
        for rank, key, year, amount in sums.iter_rows():
            used[rank, key][year] = amount
        return used

    paid = leasing.group_by("enterprise_id", "year").agg(pl.col("amount_fen").sum())
    return Opening(
        project=by("project_id"),
        enterprise=by("enterprise_id"),
        note=by("note"),
        leasing={(key, year): amount for key, year, amount in paid.iter_rows()},
    )


def _named(rows: pl.DataFrame, ranked: Sequence[Terms], book: Book) -> pl.DataFrame:
    codes = pl.DataFrame({"scheme_code": [one.code for one in ranked]})["scheme_code"]
    ids = book.notes["note_id"]
    return rows.with_columns(
        codes.gather(rows["rank"]).alias("scheme_code"), ids.gather(rows["note"]).alias("note_id")
    )


def _result(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(cut_reasons=pl.col("mask").cast(pl.Int16, strict=True)).select(
        list(ROWS)
    )


def _no_trace() -> tracing.Trace:
    return tracing.Trace(pl.DataFrame(), pl.DataFrame(), pl.DataFrame())


def _trace(
    rows: pl.DataFrame,
    segments: list[tuple[str, pl.DataFrame]],
    walk: Walk,
    book: Book,
) -> tracing.Trace:
    earned = rows.select(
        "collection_id", "note_id", "scheme_code", "days", "product", "interest_due_fen",
        "paid_fen", "scale", "full_product", *(pl.col(rate).alias(f"numerator_{t}") for rate, t in
        zip(RATES, TIERS, strict=True)), *BEFORE, *RAWS, "raw_fen", *GRANTED,
        "interest_to_date_fen", "outside_fen",
    )  # fmt: skip
    return tracing.Trace(
        segments=tracing.segments(segments, book.collections),
        earned=earned,
        steps=tracing.steps([tuple(step) for step in walk.steps], rows),
    )
