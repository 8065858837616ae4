"""Random portfolios: the columns against the independent row-by-row oracle, to the fen."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings

from settlement.engine import assess, deduct, guarantee
from settlement.engine.codes import TIERS, cut_reasons
from tests.reference import oracle
from tests.reference.portfolios import COVERING_SEEDS, portfolios, random_portfolio
from tests.unit.engine.portfolio import Rows, facts_of, fen, guarantees_of, shipped_terms

TERMS = shipped_terms()
AMOUNTS = [*(f"raw_{tier}" for tier in TIERS), *TIERS]
Facts = dict[tuple[str, ...], tuple[Any, ...]]


def _computed(rows: Rows) -> tuple[Facts, Facts, Facts]:
    facts, build = facts_of(rows)
    judged = assess(terms=TERMS, facts=facts)
    notes = {n: (r["institution_code"], r["note_number"]) for n, r in enumerate(rows["notes"], 1)}
    enrolments: Facts = {
        (r["scheme_code"], *notes[r["note_id"]]): (r["status"], ";".join(r["reasons"]))
        for r in judged.iter_rows(named=True)
    }
    deductions: Facts = {}
    for r in deduct(terms=TERMS, facts=build(judged)).rows.iter_rows(named=True):
        collection = rows["interest-collections"][r["collection_id"] - 1]
        deductions[r["scheme_code"], collection["institution_code"], collection["reference"]] = (
            r["days"],
            r["product"],
            *(r[f"{name}_fen"] for name in AMOUNTS),
            ";".join(cut_reasons(r["cut_reasons"])),
        )
    fees = guarantee.subsidies(
        terms=TERMS, guarantees=guarantees_of(rows), notes=facts.notes, enrolments=judged
    )
    given_rows = rows.get("guarantees", [])
    guarantees: Facts = {}
    for r in fees.iter_rows(named=True):
        row = given_rows[r["guarantee_id"] - 1]
        guarantees[row["institution_code"], row["guarantee_number"]] = (
            r["months"],
            r["subsidy_fen"],
            r["status"],
        )
    return enrolments, deductions, guarantees


def _expected(rows: Rows) -> tuple[Facts, Facts, Facts]:
    enrolments: Facts = {
        (r["scheme_code"], r["institution_code"], r["note_number"]): (r["status"], r["reasons"])
        for r in oracle.assess(rows)
    }
    deductions: Facts = {
        (r["scheme_code"], r["institution_code"], r["collection_reference"]): (
            int(r["days"]),
            fen(r["product"]),
            *(fen(r[name]) for name in AMOUNTS),
            r["cut_reasons"],
        )
        for r in oracle.deductions(rows)
    }
    guarantees: Facts = {
        (r["institution_code"], r["guarantee_number"]): (
            int(r["months"]),
            fen(r["subsidy"]),
            r["status"],
        )
        for r in oracle.guarantee_subsidies(rows)
    }
    return enrolments, deductions, guarantees


@pytest.mark.parametrize(("seed", "notes"), COVERING_SEEDS)
def test_portfolios_that_meet_every_feature(seed: int, notes: int) -> None:
    rows = random_portfolio(seed, notes=notes)
    assert _computed(rows) == _expected(rows)


@settings(deadline=None, max_examples=40)
@given(portfolios())
def test_random_portfolios(rows: Rows) -> None:
    assert _computed(rows) == _expected(rows)
