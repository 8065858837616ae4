"""The facts the engine reads, as frames with a stated schema, checked at the door.

Amounts are fen, rates parts per million (3.00 % = 30,000), exchange rates 1e-8 (1 = 100,000,000).
Periods are half-open; a null end is open. Extra columns are ignored; row order never matters.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

import polars as pl

from settlement.engine.codes import (
    MAX_AMOUNT_FEN,
    MAX_PERIOD_DAYS,
    MAX_RATE_PPM,
    MAX_SUM_FEN,
)

Schema: TypeAlias = dict[str, type[pl.DataType]]

DEDUCT_NOTES: Schema = {
    "note_id": pl.Int64,
    "institution_code": pl.String,
    "note_number": pl.String,
    "enterprise_id": pl.Int64,
    "project_id": pl.Int64,
    "drawn_on": pl.Date,
    "principal_fen": pl.Int64,
    "rate_ppm": pl.Int64,
    "exchange_rate_e8": pl.Int64,
}
NOTES: Schema = {
    **DEDUCT_NOTES,
    "bank_id": pl.Int64,
    "signed_on": pl.Date,
    "loan_type": pl.String,
    "purpose_field": pl.String,
    "currency": pl.String,
    "matures_on": pl.Date,
    "equipment_fen": pl.Int64,
    "region_code": pl.String,
    "industry_code": pl.String,
    "size": pl.String,
    "ownership": pl.String,
    "environment_rating": pl.String,
    "tax_rating": pl.String,
    "dishonest": pl.Boolean,
}
LABELS: Schema = {"note_id": pl.Int64, "scheme_code": pl.String, "position": pl.Int64}
PARTICIPATION_HITS: Schema = {"note_id": pl.Int64, "scheme_code": pl.String}
TITLES: Schema = {
    "enterprise_id": pl.Int64,
    "title": pl.String,
    "valid_from": pl.Date,
    "valid_to": pl.Date,
}
LPR: Schema = {"published_on": pl.Date, "one_year_ppm": pl.Int64, "five_year_ppm": pl.Int64}
OVERDUE: Schema = {"enterprise_id": pl.Int64, "starts_on": pl.Date, "ends_on": pl.Date}
FUNDS: Schema = {"scheme_code": pl.String, "year": pl.Int64, "amount_fen": pl.Int64}
REJECTIONS: Schema = {
    "note_id": pl.Int64,
    "scheme_code": pl.String,
    "rejected_from": pl.Date,
}
GUARANTEES: Schema = {
    "guarantee_id": pl.Int64,
    "note_id": pl.Int64,
    "guarantee_number": pl.String,
    "principal_fen": pl.Int64,
    "starts_on": pl.Date,
    "ends_on": pl.Date,
}
ENROLMENTS: Schema = {
    "note_id": pl.Int64,
    "scheme_code": pl.String,
    "status": pl.String,
    "eligible_fen": pl.Int64,
    "principal_capped": pl.Boolean,
    "subsidised_from": pl.Date,
    "subsidised_until": pl.Date,
    "tiers_off": pl.List,
    "lpr_ppm": pl.Int64,
}
REPAYMENTS: Schema = {"note_id": pl.Int64, "repaid_on": pl.Date, "amount_fen": pl.Int64}
STOPS: Schema = {
    "note_id": pl.Int64,
    "status": pl.String,
    "starts_on": pl.Date,
    "ends_on": pl.Date,
}
COLLECTIONS: Schema = {
    "collection_id": pl.Int64,
    "note_id": pl.Int64,
    "period_start": pl.Date,
    "period_end": pl.Date,
    "interest_due_fen": pl.Int64,
    "interest_paid_fen": pl.Int64,
    "collected_on": pl.Date,
    "reference": pl.String,
}
EXTERNAL: Schema = {"note_id": pl.Int64, "year": pl.Int64, "amount_fen": pl.Int64}
LEASING: Schema = {"enterprise_id": pl.Int64, "year": pl.Int64, "amount_fen": pl.Int64}
OPENING: Schema = {
    "note_id": pl.Int64,
    "scheme_code": pl.String,
    "tier": pl.String,
    "year": pl.Int64,
    "amount_fen": pl.Int64,
    "interest_paid_fen": pl.Int64,
    "paid_through": pl.Date,
}

SCHEMAS: dict[str, Schema] = {
    "notes": NOTES,
    "labels": LABELS,
    "participation_hits": PARTICIPATION_HITS,
    "titles": TITLES,
    "lpr": LPR,
    "overdue": OVERDUE,
    "funds": FUNDS,
    "rejections": REJECTIONS,
    "guarantees": GUARANTEES,
    "enrolments": ENROLMENTS,
    "repayments": REPAYMENTS,
    "stops": STOPS,
    "collections": COLLECTIONS,
    "external": EXTERNAL,
    "leasing": LEASING,
    "opening": OPENING,
}
"""Frame name → column → dtype. `enrolments` is what `assess` returns (List means List(String))."""

_SUMS = {"external", "leasing"}  # by year: sums of amounts, each within its own bound
_NULLABLE = {("overdue", "ends_on"), ("stops", "ends_on"), ("enrolments", "lpr_ppm")}


def _dtype(kind: type[pl.DataType]) -> pl.DataType | type[pl.DataType]:
    return pl.List(pl.String) if kind is pl.List else kind


def empty(name: str) -> pl.DataFrame:
    """A frame of that name with its columns and no rows."""
    return pl.DataFrame(schema={c: _dtype(kind) for c, kind in SCHEMAS[name].items()})


def checked(name: str, frame: pl.DataFrame, schema: Schema | None = None) -> pl.DataFrame:
    """The frame cut to its schema; asserts columns, dtypes, nulls and bounds (programmer errors)."""
    wanted = schema or SCHEMAS[name]
    missing = wanted.keys() - set(frame.columns)
    assert not missing, f"{name}: missing columns {sorted(missing)}"
    for column, kind in wanted.items():
        assert frame.schema[column] == _dtype(kind), (
            f"{name}.{column}: {frame.schema[column]}, wanted {_dtype(kind)}"
        )
        series = frame[column]
        assert (name, column) in _NULLABLE or not series.null_count(), f"{name}.{column}: null"
        if column.endswith("_fen"):
            bound = MAX_SUM_FEN if name in _SUMS else MAX_AMOUNT_FEN
            assert frame.is_empty() or _largest(series) <= bound, f"{name}.{column}: bound"
        if column.endswith("_ppm"):
            assert series.drop_nulls().is_between(0, MAX_RATE_PPM).all(), f"{name}.{column}: bound"
    return frame.select(wanted.keys())


def _largest(series: pl.Series) -> int:
    low, high = series.min(), series.max()
    assert isinstance(low, int) and isinstance(high, int)
    return max(-low, high)


def _assert_unique(name: str, frame: pl.DataFrame, *keys: str) -> None:
    assert frame.select(keys).n_unique() == frame.height, f"{name}: {keys} repeat"


def checked_notes(frame: pl.DataFrame, schema: Schema = NOTES) -> pl.DataFrame:
    """Notes cut to `schema`; also asserts positive principals and one row per note."""
    notes = checked("notes", frame, schema)
    _assert_unique("notes", notes, "note_id")
    assert (notes["principal_fen"] > 0).all(), "notes.principal_fen: not above zero"
    rates = notes["exchange_rate_e8"]
    assert rates.is_between(1, MAX_AMOUNT_FEN).all(), "notes.exchange_rate_e8: bound"
    return notes


def checked_collections(frame: pl.DataFrame) -> pl.DataFrame:
    """Collections cut to their schema; also asserts period lengths, dues and one row per id."""
    rows = checked("collections", frame)
    _assert_unique("collections", rows, "collection_id")
    days = (rows["period_end"] - rows["period_start"]).dt.total_days()
    assert days.is_between(1, MAX_PERIOD_DAYS).all(), "collections: period length"
    assert (rows["interest_due_fen"] >= 0).all(), "collections.interest_due_fen: negative"
    return rows


@dataclass(frozen=True)
class AssessFacts:
    """Everything `assess` reads. `notes` carry the enterprise record in force on drawdown."""

    notes: pl.DataFrame
    labels: pl.DataFrame
    participation_hits: pl.DataFrame = field(default_factory=lambda: empty("participation_hits"))
    titles: pl.DataFrame = field(default_factory=lambda: empty("titles"))
    lpr: pl.DataFrame = field(default_factory=lambda: empty("lpr"))
    overdue: pl.DataFrame = field(default_factory=lambda: empty("overdue"))
    funds: pl.DataFrame = field(default_factory=lambda: empty("funds"))
    rejections: pl.DataFrame = field(default_factory=lambda: empty("rejections"))

    def checked(self) -> AssessFacts:
        """The same facts, asserted and cut to their schemas."""
        labels = checked("labels", self.labels)
        _assert_unique("labels", labels, "note_id", "scheme_code")
        return AssessFacts(
            notes=checked_notes(self.notes),
            labels=labels,
            participation_hits=checked("participation_hits", self.participation_hits),
            titles=checked("titles", self.titles),
            lpr=checked("lpr", self.lpr),
            overdue=checked("overdue", self.overdue),
            funds=checked("funds", self.funds),
            rejections=checked("rejections", self.rejections),
        )


@dataclass(frozen=True)
class DeductFacts:
    """Everything `deduct` reads, for whole groups of enterprises (linked by shared projects).

    `collections` hold neither plans nor rows a completion superseded. `external` are loan-interest
    subsidies by note and year, `leasing` leasing-interest subsidies by enterprise and year.
    """

    notes: pl.DataFrame
    enrolments: pl.DataFrame
    collections: pl.DataFrame
    repayments: pl.DataFrame = field(default_factory=lambda: empty("repayments"))
    stops: pl.DataFrame = field(default_factory=lambda: empty("stops"))
    external: pl.DataFrame = field(default_factory=lambda: empty("external"))
    leasing: pl.DataFrame = field(default_factory=lambda: empty("leasing"))
    opening: pl.DataFrame = field(default_factory=lambda: empty("opening"))
    funds: pl.DataFrame = field(default_factory=lambda: empty("funds"))

    def checked(self) -> DeductFacts:
        """The same facts, asserted and cut to their schemas; only eligible enrolments are kept."""
        enrolments = checked("enrolments", self.enrolments).filter(pl.col("status") == "eligible")
        _assert_unique("enrolments", enrolments, "note_id", "scheme_code")
        return DeductFacts(
            notes=checked_notes(self.notes, DEDUCT_NOTES),
            enrolments=enrolments,
            collections=checked_collections(self.collections),
            repayments=checked("repayments", self.repayments),
            stops=checked("stops", self.stops),
            external=checked("external", self.external),
            leasing=checked("leasing", self.leasing),
            opening=checked("opening", self.opening),
            funds=checked("funds", self.funds),
        )
