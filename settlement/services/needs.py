"""What schemes will need in each year of what is known today: every target, posted or not."""

from __future__ import annotations

from datetime import datetime

import polars as pl

from loans.selectors import facts
from settlement.engine import TIERS
from settlement.selectors.institutions import fund_institutions
from settlement.services import groups
from settlement.services.assessments import assess_notes
from settlement.services.schemes import terms_in_force
from settlement.services.targets import gather, targets

NEEDS = {
    "scheme_code": pl.String,
    "institution_id": pl.Int64,
    "year": pl.Int32,
    "tier": pl.String,
    "fen": pl.Int64,
}


def computed_needs(*, at: datetime) -> pl.DataFrame:
    """Fen by scheme_code, institution_id (fund institution), year of collection and tier."""
    assess_notes(at=at, only_if_stale=True)
    book = terms_in_force()
    places = {terms.code: fund_institutions(level=terms.fund_level) for terms in book.terms}
    notes = dict(facts.enterprise_versions().select("enterprise_id", "notes").iter_rows())
    found = []
    for enterprise_ids in groups.chunks(notes=notes, book=book):
        evidence = gather(enterprise_ids=enterprise_ids)
        rows = targets(book=book, evidence=evidence, through=None).rows
        dates = evidence.facts.collections.select("collection_id", "collected_on")
        placed = rows.join(evidence.scopes, on="note_id").join(dates, on="collection_id")
        found += [
            part.with_columns(pl.col("institution_id").replace_strict(places[code]))
            for (code,), part in placed.group_by("scheme_code")
        ]
    if not found:
        return pl.DataFrame(schema=NEEDS)
    return (
        pl.concat(found)
        .with_columns(year=pl.col("collected_on").dt.year())
        .unpivot(
            [f"{tier}_fen" for tier in TIERS],
            index=["scheme_code", "institution_id", "year"],
            variable_name="tier",
            value_name="fen",
        )
        .with_columns(pl.col("tier").str.strip_suffix("_fen"))
        .group_by("scheme_code", "institution_id", "year", "tier")
        .agg(pl.col("fen").sum())
        .filter(pl.col("fen") > 0)
        .sort("scheme_code", "institution_id", "year", "tier")
    )
