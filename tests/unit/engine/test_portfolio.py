"""The whole portfolio, to the fen: what the independent working expects."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from settlement.engine import assess, deduct
from settlement.engine.codes import TIERS, cut_reasons
from tests.unit.engine.portfolio import PORTFOLIO, facts_of, fen, read, shipped_terms

Enrolments = dict[tuple[str, str, str], tuple[str, frozenset[str]]]
Deductions = dict[tuple[str, str, str], tuple[object, ...]]
AMOUNTS = [*(f"raw_{tier}" for tier in TIERS), *TIERS]


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def _computed() -> tuple[Enrolments, Deductions]:
    rows = read(PORTFOLIO)
    facts, build = facts_of(rows)
    terms = shipped_terms()
    judged = assess(terms=terms, facts=facts)
    notes = {n: (r["institution_code"], r["note_number"]) for n, r in enumerate(rows["notes"], 1)}
    enrolments = {
        (r["scheme_code"], *notes[r["note_id"]]): (r["status"], frozenset(r["reasons"]))
        for r in judged.iter_rows(named=True)
    }
    collections = rows["interest-collections"]
    deductions: Deductions = {}
    for r in deduct(terms=terms, facts=build(judged)).rows.iter_rows(named=True):
        collection = collections[r["collection_id"] - 1]
        key = (r["scheme_code"], collection["institution_code"], collection["reference"])
        amounts = [r[f"{name}_fen"] for name in AMOUNTS]
        total = sum(amounts[3:])
        numbers = (r["days"], r["product"], *amounts, total, sum(amounts[:3]) - total)
        deductions[key] = (*numbers, frozenset(cut_reasons(r["cut_reasons"])))
    return enrolments, deductions


@pytest.fixture(scope="module")
def computed() -> tuple[Enrolments, Deductions]:
    return _computed()


def test_enrolments_equal_the_expected_ones(computed: tuple[Enrolments, Deductions]) -> None:
    expected = {
        (r["scheme_code"], r["institution_code"], r["note_number"]): (
            r["status"],
            frozenset(filter(None, r["reasons"].split(";"))),
        )
        for r in _rows(PORTFOLIO / "expected" / "enrolments.csv")
    }
    assert len(expected) == 307
    assert computed[0] == expected


def test_deductions_equal_the_expected_ones(computed: tuple[Enrolments, Deductions]) -> None:
    expected = {
        (r["scheme_code"], r["institution_code"], r["collection_reference"]): (
            int(r["days"]),
            *(fen(r[name]) for name in ("product", *AMOUNTS, "total", "cut")),
            frozenset(filter(None, r["cut_reasons"].split(";"))),
        )
        for r in _rows(PORTFOLIO / "expected" / "deductions.csv")
    }
    assert len(expected) == 1400
    assert computed[1] == expected
