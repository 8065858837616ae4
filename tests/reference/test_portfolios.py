"""The random portfolios keep the importer's rules, are repeatable, and together meet every feature."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from stdnum.cn import uscc as uscc_check

from tests.reference import oracle
from tests.reference.columns import COLUMNS, columns_of, key_of
from tests.reference.facts import Facts, Portfolio, Row, fen, load
from tests.reference.features import ALL_FEATURES, features
from tests.reference.histories import Step, histories
from tests.reference.portfolios import (
    COVERING_SEEDS,
    SWITCHES,
    portfolios,
    random_portfolio,
    write,
)

SOME = COVERING_SEEDS[::3]


def test_the_covering_seeds_meet_every_feature() -> None:
    met: set[str] = set()
    for seed, notes in COVERING_SEEDS:
        found = random_portfolio(seed, notes=notes)
        met |= features(
            found, oracle.assess(found), oracle.deductions(found), oracle.guarantee_subsidies(found)
        )
    assert met == ALL_FEATURES
    assert len(COVERING_SEEDS) <= 40
    assert max(notes for _, notes in COVERING_SEEDS) <= 40


def test_the_same_arguments_give_the_same_portfolio() -> None:
    assert random_portfolio(7, notes=12) == random_portfolio(7, notes=12)
    assert random_portfolio(7, notes=12) != random_portfolio(8, notes=12)


def test_switching_a_part_off_leaves_the_others_as_they_were() -> None:
    whole, less = random_portfolio(4, notes=20), random_portfolio(4, notes=20, guarantees=False)
    assert "guarantees" not in less
    assert {k: v for k, v in whole.items() if k != "guarantees"} == less


def test_unknown_switches_are_refused() -> None:
    with pytest.raises(ValueError, match="colour"):
        random_portfolio(1, notes=3, colour=True)


def test_written_and_read_again_is_the_same(tmp_path: Path) -> None:
    portfolio = random_portfolio(4, notes=25)
    write(portfolio, tmp_path)
    assert load(tmp_path) == portfolio


@settings(max_examples=40, deadline=None)
@given(portfolios())
def test_random_portfolios_keep_the_rules(portfolio: Portfolio) -> None:
    assert list(_broken(portfolio)) == []
    oracle.deductions(portfolio)


def _broken(portfolio: Portfolio) -> Iterator[str]:
    """Every breach of what an importer refuses (contract §3)."""
    for kind, rows in portfolio.items():
        yield from (f"{kind}: columns {r}" for r in rows if list(r) != columns_of(kind))
        keys = Counter(key_of(kind, r) + _stage(kind, r) for r in rows)
        yield from (f"{kind}: twice {key}" for key in keys if keys[key] > 1)
    yield from _broken_references(portfolio)
    for r in portfolio["institutions"]:
        if len(r["institution_code"]) != 14:
            yield f"institution code {r}"
    for r in portfolio["enterprises"]:
        if not uscc_check.is_valid(r["uscc"]):
            yield f"uscc {r}"
    for r in portfolio["notes"]:
        if fen(r["equipment_amount"] or "0") > fen(r["principal"]) or fen(r["principal"]) <= 0:
            yield f"equipment {r}"
        if r["matures_on"] <= r["drawn_on"]:
            yield f"maturity {r}"
    yield from _broken_periods(portfolio)
    yield from _broken_balances(portfolio)


def _stage(kind: str, row: Row) -> tuple[str, ...]:
    """A plan and its completion share a reference."""
    return ("plan" if not row["interest_paid"] else "",) if kind == "interest-collections" else ()


def _broken_references(portfolio: Portfolio) -> Iterator[str]:
    known = {kind: {key_of(kind, r) for r in rows} for kind, rows in portfolio.items()}
    enterprises = {r["uscc"] for r in portfolio["enterprises"]}
    for kind, rows in portfolio.items():
        for r in rows:
            bank = r.get("institution_code", "")
            if r.get("note_number") and (bank, r["note_number"]) not in known["notes"]:
                yield f"{kind}: unknown note {r}"
            if r.get("contract_number") and (bank, r["contract_number"]) not in known["contracts"]:
                yield f"{kind}: unknown contract {r}"
            if r.get("project_code") and (r["project_code"],) not in known["projects"]:
                yield f"{kind}: unknown project {r}"
            if r.get("uscc") and r["uscc"] not in enterprises:
                yield f"{kind}: unknown enterprise {r}"
            for column in ("institution_code", "parent_code", "new_institution_code"):
                if r.get(column) and (r[column],) not in known["institutions"]:
                    yield f"{kind}: unknown institution {r}"


def _broken_periods(portfolio: Portfolio) -> Iterator[str]:
    paid: dict[tuple[str, ...], int] = defaultdict(int)
    due: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for r in portfolio.get("interest-collections", []):
        period = tuple(list(r.values())[:4])
        due[period].add(r["interest_due"])
        if r["period_end"] <= r["period_start"]:
            yield f"period {r}"
        if r["interest_paid"] and abs(fen(r["interest_paid"])) > fen(r["interest_due"]):
            yield f"paid above due {r}"
    yield from (f"several dues of one period {period}" for period in due if len(due[period]) > 1)
    for c in Facts(portfolio).collections:
        key = (*c.note, c.start.isoformat(), c.end.isoformat())
        paid[key] += c.paid
        if paid[key] < 0:
            yield f"reversed before it was paid {c}"
    for kind, first, last in (
        ("participations", "valid_from", "valid_to"),
        ("enterprise-titles", "valid_from", "valid_to"),
        ("note-statuses", "starts_on", "ends_on"),
        ("guarantees", "starts_on", "ends_on"),
    ):
        for r in portfolio.get(kind, []):
            if r[last] and r[last] < r[first]:
                yield f"{kind}: ends before it starts {r}"
            if kind in ("note-statuses", "guarantees") and r[last] == r[first]:
                yield f"{kind}: empty {r}"


def _broken_balances(portfolio: Portfolio) -> Iterator[str]:
    """Net repayments between 0 and principal after every day; outside money never below 0."""
    for note in Facts(portfolio).notes.values():
        sums = itertools.accumulate(amount for _, amount in sorted(note.repayments, key=_by_day))
        if any(not 0 <= net <= note.principal for net in sums):
            yield f"repayments {note}"
    outside: dict[tuple[str, ...], int] = defaultdict(int)
    for r in portfolio.get("external-subsidies", []):
        outside[r["uscc"], r["kind"], r["year"], r["note_number"]] += fen(r["amount"])
    yield from (f"outside {key}" for key, net in outside.items() if net < 0)


def _by_day(repayment: tuple[date, int]) -> date:
    return repayment[0]


@pytest.mark.parametrize(("seed", "notes"), SOME)
def test_covering_portfolios_keep_the_rules(seed: int, notes: int) -> None:
    assert list(_broken(random_portfolio(seed, notes=notes))) == []


@pytest.mark.parametrize(("seed", "notes"), SOME)
def test_a_history_ends_in_the_facts_handed_back(seed: int, notes: int) -> None:
    portfolio = random_portfolio(seed, notes=notes)
    steps, final = histories(seed, portfolio)
    assert _as_stored(_replayed(steps)) == _as_stored(final)
    assert list(_broken(final)) == []
    assert steps[-1] == Step("run")
    for kind, rows in portfolio.items():
        assert all(row in final[kind] for row in rows)


def _as_stored(portfolio: Portfolio) -> dict[tuple[str, ...], Row]:
    """What a store keyed by natural key holds; evidence differs only in plan and completion."""
    return {(k, *key_of(k, r), *_stage(k, r)): r for k, rows in portfolio.items() for r in rows}


def _replayed(steps: list[Step]) -> Portfolio:
    found: Portfolio = defaultdict(list)
    for step in steps:
        found[step.kind].extend(step.rows)
    found.pop("", None)
    return found


@pytest.mark.parametrize("seed", range(6))
def test_every_file_of_a_history_can_be_accepted(seed: int) -> None:
    """After each file: everything named exists, and no rule is broken by what is stored so far."""
    steps, _ = histories(seed, random_portfolio(seed, notes=12))
    stored: dict[str, dict[tuple[str, ...], Row]] = defaultdict(dict)
    for step in steps:
        for row in step.rows:
            stored[step.kind][*key_of(step.kind, row), *_stage(step.kind, row)] = row
        so_far = {kind: list(stored[kind].values()) for kind in COLUMNS if kind in stored}
        needed = {kind: so_far.get(kind, []) for kind in ("institutions", "enterprises", "notes")}
        assert [b for b in _broken({**needed, **so_far}) if not b.startswith("several dues")] == []


def test_histories_have_everything_that_can_happen_to_a_file() -> None:
    """Wrong first versions, evidence reversed, plans completed, files twice, runs in between."""
    met: set[str] = set()
    for seed, notes in SOME:
        portfolio = random_portfolio(seed, notes=notes)
        steps, final = histories(seed, portfolio, wrong_share=0.3)
        met |= set(_happenings(portfolio, steps, final))
    corrected = {f"corrected {kind}" for kind in COLUMNS} - {
        f"corrected {kind}" for kind in ("repayments", "interest-collections", "external-subsidies")
    }
    reversed_kinds = {
        "reversed repayments",
        "reversed interest-collections",
        "reversed external-subsidies",
    }
    assert met == corrected | reversed_kinds | {
        "same file twice", "completed later", "run through a day", "run through all",
        "status closed later",
    }  # fmt: skip


def _happenings(portfolio: Portfolio, steps: list[Step], final: Portfolio) -> Iterator[str]:
    seen: dict[tuple[str, ...], Row] = {}
    for place, step in enumerate(steps):
        if step.action == "run":
            yield "run through a day" if step.through else "run through all"
        elif any(step == earlier for earlier in steps[:place]):
            yield "same file twice"
            continue
        for row in step.rows:
            before = seen.get((step.kind, *key_of(step.kind, row)))
            if before is not None and before != row:
                plan = step.kind == "interest-collections"
                yield "completed later" if plan else f"corrected {step.kind}"
                if step.kind == "note-statuses" and not before["ends_on"]:
                    yield "status closed later"
            seen[(step.kind, *key_of(step.kind, row))] = row
    for kind, rows in final.items():
        if len(rows) > len(portfolio.get(kind, [])):
            yield f"reversed {kind}"


def test_switches_can_all_be_off() -> None:
    bare = random_portfolio(3, notes=10, **dict.fromkeys(SWITCHES, False))
    assert not bare.keys() & {"repayments", "note-statuses", "external-subsidies", "guarantees"}
    assert {r["interest_paid"][:1] for r in bare["interest-collections"]}.isdisjoint({"", "-"})
