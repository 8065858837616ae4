"""Published figures, each in a file that names its source (domain §10)."""

from __future__ import annotations

import decimal
import tomllib
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from settlement.engine import guarantee
from settlement.engine.codes import TIERS, cut_reasons
from tests.unit.engine.build import Case, frame, scheme

FOLDER = Path(__file__).parent
SCENARIOS = sorted(path.stem for path in FOLDER.glob("*.toml"))
MONEY = ("principal", "equipment", "due", "paid", "amount")


def _fen(text: str) -> int:
    scaled = decimal.Decimal(text).scaleb(2)
    assert scaled == int(scaled), text
    return int(scaled)


def _money(table: dict[str, Any]) -> dict[str, Any]:
    return {f"{k}_fen" if k in MONEY else k: _fen(v) if k in MONEY else v for k, v in table.items()}


def _case(scenario: dict[str, Any]) -> Case:
    case = Case([scheme(code) for code in scenario["schemes"]])
    for note in scenario["notes"]:
        case.note(*note.pop("labels", ()), **_money(note))
    for row in scenario.get("collections", []):
        given = _money(row)
        case.collect(
            given["start"],
            given["end"],
            due=given["due_fen"],
            paid=given.get("paid_fen"),
            note=given.get("note", 1),
            on=given.get("on"),
        )
    case.external = [_money(row) for row in scenario.get("external", [])]
    case.repayments = [_money(row) for row in scenario.get("repayments", [])]
    case.funds = [_money(row) for row in scenario.get("funds", [])]
    return case


def _totals(case: Case) -> dict[tuple[str, str], int]:
    totals: dict[tuple[str, str], int] = defaultdict(int)
    for row in case.rows():
        for tier in TIERS:
            totals[row["scheme_code"], tier] += row[f"{tier}_fen"]
    return totals


def _guarantees(case: Case, scenario: dict[str, Any]) -> list[int]:
    rows = frame("guarantees", [_money(row) for row in scenario["guarantees"]])
    found = guarantee.subsidies(
        terms=case.terms,
        guarantees=rows,
        notes=frame("notes", case.notes),
        enrolments=case.assess(),
    )
    return found["subsidy_fen"].to_list()


@pytest.mark.parametrize("name", SCENARIOS)
def test_published_figure(name: str) -> None:
    """The engine gives what the source printed, to the fen, and cuts only for the reasons named."""
    scenario = tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    assert scenario["source"]
    case = _case(scenario)
    expected = scenario["expected"]
    totals = _totals(case)
    said = {(t["scheme"], t["tier"]): _fen(t["amount"]) for t in expected.get("totals", [])}
    assert {key: amount for key, amount in totals.items() if amount or key in said} == said
    cut = {reason for row in case.rows() for reason in cut_reasons(row["cut_reasons"])}
    assert cut == set(expected.get("cut_reasons", []))
    if "guarantees" in scenario:
        assert _guarantees(case, scenario) == [_fen(x) for x in expected["guarantees"]]


def test_every_published_figure_has_its_file() -> None:
    assert len(SCENARIOS) == 15
