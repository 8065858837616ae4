"""Labels that notes do not carry and would be eligible under: the judgement, asked what if."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from settlement.engine.missed import missed
from tests.unit.engine.build import DAY, YUAN, Case, frame, scheme

SME, EQUIPMENT = "central-sme-2026", "central-equipment-2026"
MANUFACTURING, SPORTS = "jiangsu-manufacturing-2026", "jiangsu-sports-2026"
MILLION = 1_000_000 * YUAN


def found(case: Case, strangers: tuple[int, ...] = ()) -> list[tuple[int, str, int]]:
    """(note, scheme, eligible amount); every bank takes part in every scheme, but the strangers'."""
    hits = [
        {"note_id": note["note_id"], "scheme_code": one.code}
        for note in case.notes
        for one in case.terms
        if note["note_id"] not in strangers
    ]
    facts = replace(case.assess_facts(), participation_hits=frame("participation_hits", hits))
    rows = missed(terms=case.terms, facts=facts)
    return rows.select("note_id", "scheme_code", "eligible_fen").rows()


def test_a_note_without_its_label_is_found_with_what_it_would_be_worth() -> None:
    case = Case([scheme(SME)])
    case.note(labels=())
    case.note(SME)
    case.note(labels=(), ownership="state")
    assert found(case) == [(1, SME, 10 * MILLION)]


def test_of_one_group_only_what_would_count_is_missing() -> None:
    case = Case([scheme(SME), scheme(EQUIPMENT)])
    case.note(labels=())
    case.note(EQUIPMENT)
    case.note(EQUIPMENT, purpose_field="农业")
    assert found(case) == [(1, SME, 10 * MILLION), (3, SME, 10 * MILLION)]


def test_a_refused_label_is_carried_not_missing() -> None:
    case = Case([scheme(SME)])
    case.note(SME, ownership="state")
    assert found(case) == []


def test_what_a_cap_leaves_nothing_of_is_not_missing() -> None:
    case = Case([scheme(SME)])
    case.note(SME, principal_fen=45 * MILLION)
    case.note(labels=(), principal_fen=10 * MILLION, drawn_on=DAY(2026, 2, 1))
    case.note(labels=(), principal_fen=10 * MILLION, drawn_on=DAY(2026, 3, 1))
    assert found(case) == [(2, SME, 5 * MILLION)]


def test_another_bank_first_a_bank_outside_and_no_lpr_yet() -> None:
    sport = {"labels": (), "purpose_field": "体育产业", "loan_type": "working_capital"}
    case = Case([scheme(SPORTS)])
    case.note(**sport)
    case.note(**sport, bank_id=2, drawn_on=DAY(2026, 2, 1))
    case.note(**sport, enterprise_id=2)
    case.note(**sport, enterprise_id=3)
    case.note(**sport, enterprise_id=4, rate_ppm=40_000)
    assert found(case, strangers=(4,)) == [(1, SPORTS, 10 * MILLION), (3, SPORTS, 10 * MILLION)]
    case.lpr = []
    assert found(case) == []


def test_days_that_finance_rejected_are_not_missing() -> None:
    case = Case([scheme(SME)])
    case.note(labels=())
    facts = case.assess_facts()
    hits = frame("participation_hits", [{"note_id": 1, "scheme_code": SME}])
    rejected = pl.DataFrame(
        {"note_id": [1], "scheme_code": [SME], "rejected_from": [DAY(2026, 1, 1)]},
        schema=facts.rejections.schema,
    )
    asked = replace(facts, participation_hits=hits, rejections=rejected)
    assert missed(terms=case.terms, facts=asked).height == 0


def test_nothing_at_all_gives_nothing() -> None:
    assert found(Case([scheme(MANUFACTURING)])) == []
