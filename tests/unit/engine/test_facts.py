"""The door: wrong frames are refused before anything is computed."""

from __future__ import annotations

import polars as pl
import pytest

from settlement.engine import assess, deduct, facts
from settlement.engine.facts import AssessFacts
from tests.unit.engine.build import DAY, Case, scheme


def _case() -> Case:
    case = Case([scheme("central-equipment-2026")])
    case.note()
    case.collect(DAY(2026, 3, 21), DAY(2026, 4, 21))
    return case


@pytest.mark.parametrize("name", sorted(facts.SCHEMAS))
def test_empty_frames_pass_their_own_check(name: str) -> None:
    frame = facts.checked(name, facts.empty(name))
    assert frame.columns == list(facts.SCHEMAS[name])
    assert frame.height == 0


def test_extra_columns_are_ignored() -> None:
    frame = facts.empty("funds").with_columns(extra=pl.lit("x"))
    assert facts.checked("funds", frame).columns == ["scheme_code", "year", "amount_fen"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (pl.col("year").cast(pl.Int32), "funds.year: Int32"),
        (pl.lit(None, dtype=pl.Int64).alias("year"), "funds.year: null"),
        (pl.lit(10**13 + 1, dtype=pl.Int64).alias("amount_fen"), "funds.amount_fen: bound"),
        (pl.lit(-(10**13) - 1, dtype=pl.Int64).alias("amount_fen"), "funds.amount_fen: bound"),
    ],
)
def test_a_wrong_column_is_named(change: pl.Expr, message: str) -> None:
    frame = pl.DataFrame({"scheme_code": ["x"], "year": [2026], "amount_fen": [1]})
    with pytest.raises(AssertionError, match=message):
        facts.checked("funds", frame.with_columns(change))


def test_a_missing_column_is_named() -> None:
    with pytest.raises(AssertionError, match=r"funds: missing columns \['year'\]"):
        facts.checked("funds", facts.empty("funds").drop("year"))


def test_rates_are_bounded() -> None:
    frame = pl.DataFrame(
        {"published_on": [DAY(2026, 1, 1)], "one_year_ppm": [360_001], "five_year_ppm": [1]}
    )
    with pytest.raises(AssertionError, match=r"lpr\.one_year_ppm: bound"):
        facts.checked("lpr", frame)


def test_repeated_notes_labels_and_collections_are_refused() -> None:
    case = _case()
    judged = case.assess_facts()
    twice = pl.concat([judged.labels, judged.labels])
    with pytest.raises(AssertionError, match="labels"):
        assess(terms=case.terms, facts=AssessFacts(notes=judged.notes, labels=twice))
    with pytest.raises(AssertionError, match="notes"):
        facts.checked_notes(pl.concat([judged.notes, judged.notes]))
    collections = case.deduct_facts().collections
    with pytest.raises(AssertionError, match="collections"):
        facts.checked_collections(pl.concat([collections, collections]))


def test_impossible_values_are_refused() -> None:
    case = _case()
    notes = case.assess_facts().notes
    with pytest.raises(AssertionError, match="principal_fen"):
        facts.checked_notes(notes.with_columns(principal_fen=pl.lit(0, dtype=pl.Int64)))
    with pytest.raises(AssertionError, match="exchange_rate_e8"):
        facts.checked_notes(notes.with_columns(exchange_rate_e8=pl.lit(0, dtype=pl.Int64)))
    rows = case.deduct_facts().collections
    with pytest.raises(AssertionError, match="period length"):
        facts.checked_collections(rows.with_columns(period_end=pl.col("period_start")))
    with pytest.raises(AssertionError, match="negative"):
        facts.checked_collections(rows.with_columns(interest_due_fen=-pl.col("interest_due_fen")))


def test_labels_and_collections_must_have_their_note() -> None:
    case = _case()
    judged = case.assess_facts()
    stranger = judged.labels.with_columns(note_id=pl.lit(9, dtype=pl.Int64))
    with pytest.raises(AssertionError, match="labels: a note"):
        assess(terms=case.terms, facts=AssessFacts(notes=judged.notes, labels=stranger))
    case.collect(DAY(2026, 4, 21), DAY(2026, 5, 21), note=9)
    with pytest.raises(AssertionError, match="collections: a note"):
        case.deduct()


def test_enrolments_need_their_terms() -> None:
    case = _case()
    with pytest.raises(AssertionError, match="no terms for"):
        deduct(terms=[scheme("central-sme-2026")], facts=case.deduct_facts())


def test_nothing_in_gives_nothing_out() -> None:
    terms = [scheme("central-sme-2026")]
    judged = assess(terms=terms, facts=AssessFacts(facts.empty("notes"), facts.empty("labels")))
    assert judged.height == 0
    nothing = facts.DeductFacts(facts.empty("notes"), judged, facts.empty("collections"))
    assert deduct(terms=terms, facts=nothing).rows.height == 0
    traced = deduct(terms=terms, facts=nothing, trace=True).trace
    assert traced is not None
    assert traced.steps.height == 0
