"""What must hold for any facts: laws of the engine, not figures."""

from __future__ import annotations

import datetime
import itertools
import random
from collections import defaultdict
from dataclasses import fields, replace

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from settlement.engine import Deducted, assess, deduct
from settlement.engine.codes import TIERS
from settlement.engine.facts import DeductFacts
from tests.unit.engine.build import DAY, YUAN, Case, scheme

CODES = (
    "central-sme-2026",
    "central-equipment-2026",
    "jiangsu-manufacturing-2026",
    "jiangsu-sports-2026",
)
MILLION = 1_000_000 * YUAN
FIRST = DAY(2026, 1, 21)
KEYS = ["collection_id", "scheme_code"]


def _portfolio(seed: int) -> Case:
    """A dozen notes of three enterprises with repayments, stops, part payments and reversals."""
    chance = random.Random(seed)
    case = Case([scheme(code) for code in CODES])
    for _ in range(12):
        principal = chance.choice([1, 7, 30, 400]) * MILLION + chance.randint(0, 99)
        note = case.note(
            *chance.sample(CODES, k=chance.randint(1, 3)),
            principal_fen=principal,
            equipment_fen=principal // chance.choice([1, 2, 3]),
            enterprise_id=chance.randint(1, 3),
            project_id=chance.randint(0, 3),
            bank_id=chance.randint(1, 2),
            rate_ppm=chance.choice([9_000, 23_000, 36_000]),
            purpose_field=chance.choice(["人工智能", "体育产业"]),
            drawn_on=DAY(2026, 1, chance.randint(5, 25)),
        )
        _cash(case, chance, note, principal)
    case.leasing = [{"enterprise_id": 1, "year": 2026, "amount_fen": 15 * MILLION}]
    case.external = [{"note_id": 1, "year": 2026, "amount_fen": MILLION // 50}]
    return case


def _cash(case: Case, chance: random.Random, note: int, principal: int) -> None:
    rate = case.notes[note - 1]["rate_ppm"]
    for start, end in itertools.pairwise(_edges(chance)):
        due = principal * rate * (end - start).days // (360 * 10**6)
        paid = chance.choice([due, due, due // 2, due // 3])
        case.collect(start, end, due=due, paid=paid, note=note)
        if chance.random() < 0.3:
            later = end + datetime.timedelta(days=chance.randint(0, 40))
            paid = chance.choice([due - paid, -(paid // 2)])
            case.collect(start, end, due=due, paid=paid, note=note, on=later)
    if chance.random() < 0.5:
        day = FIRST + datetime.timedelta(days=chance.randint(0, 300))
        amount = principal // chance.randint(1, 4)
        case.repayments.append({"note_id": note, "repaid_on": day, "amount_fen": amount})
    if chance.random() < 0.3:
        start = FIRST + datetime.timedelta(days=chance.randint(0, 300))
        ends = {"starts_on": start, "ends_on": start + datetime.timedelta(days=40)}
        case.stops.append({"note_id": note, "status": "overdue", **ends})


def _edges(chance: random.Random) -> list[datetime.date]:
    lengths = [chance.choice([28, 31, 92, 90]) for _ in range(6)]
    steps = itertools.accumulate(lengths, initial=0)
    return [FIRST + datetime.timedelta(days=days) for days in steps]


SEEDS = st.integers(min_value=0, max_value=10**9)


@settings(max_examples=12, deadline=None)
@given(SEEDS)
def test_row_order_never_matters(seed: int) -> None:
    case = _portfolio(seed)
    expected = case.deduct().rows.sort(KEYS)
    facts = case.deduct_facts()
    shuffled = DeductFacts(
        **{
            f.name: getattr(facts, f.name).sample(fraction=1, shuffle=True, seed=seed % 97)
            for f in fields(facts)
        }
    )
    assert deduct(terms=case.terms[::-1], facts=shuffled).rows.sort(KEYS).equals(expected)
    assert assess(terms=case.terms[::-1], facts=case.assess_facts()).equals(case.assess())


@settings(max_examples=12, deadline=None)
@given(SEEDS)
def test_the_short_way_equals_the_walk(seed: int) -> None:
    case = _portfolio(seed)
    short, walked = case.deduct(), case.deduct(trace=True)
    assert short.rows.sort(KEYS).equals(walked.rows.sort(KEYS))
    assert walked.trace is not None
    total = walked.trace.segments.group_by(KEYS).agg(pl.col("days", "product").sum()).sort(KEYS)
    assert total.filter(pl.col("product") > 0).equals(
        walked.rows.select(*KEYS, "days", "product").sort(KEYS)
    )


@settings(max_examples=12, deadline=None)
@given(SEEDS)
def test_groups_can_be_computed_apart(seed: int) -> None:
    """What one call gives is what a call per connected group gives: chunking changes nothing."""
    case = _portfolio(seed)
    for note in case.notes:
        note["project_id"] += note["enterprise_id"] * 10
    facts = case.deduct_facts()
    parts = []
    for enterprise in (1, 2, 3):
        notes = facts.notes.filter(pl.col("enterprise_id") == enterprise)
        own = pl.col("note_id").is_in(notes["note_id"].implode())
        parts.append(
            replace(
                facts,
                notes=notes,
                enrolments=facts.enrolments.filter(own),
                collections=facts.collections.filter(own),
                repayments=facts.repayments.filter(own),
                stops=facts.stops.filter(own),
                external=facts.external.filter(own),
                opening=facts.opening.filter(own),
            )
        )
    apart = pl.concat(deduct(terms=case.terms, facts=part).rows for part in parts)
    whole = deduct(terms=case.terms, facts=facts).rows
    assert apart.sort(KEYS).equals(whole.sort(KEYS))


@settings(max_examples=12, deadline=None)
@given(SEEDS)
def test_no_ceiling_or_cap_is_ever_passed_and_tiers_add_up(seed: int) -> None:
    case = _portfolio(seed)
    result = case.deduct(trace=True)
    assert result.trace is not None
    for step in result.trace.steps.iter_rows(named=True):
        assert 0 <= step["after_fen"] <= step["before_fen"]
        assert step["used_fen"] + step["after_fen"] <= max(step["limit_fen"], step["used_fen"])
    last = _last_steps(result)
    for row in result.rows.iter_rows(named=True):
        granted = [row[f"{tier}_fen"] for tier in TIERS]
        raw = [row[f"raw_{tier}_fen"] for tier in TIERS]
        if min(raw) >= 0:
            assert sum(granted) == last[row["collection_id"], row["scheme_code"]]
            assert all(0 <= g <= r for g, r in zip(granted, raw, strict=True))
        else:
            assert all(0 >= g >= r for g, r in zip(granted, raw, strict=True))


def _last_steps(result: Deducted) -> dict[tuple[int, str], int]:
    assert result.trace is not None
    steps = result.trace.steps.iter_rows(named=True)
    return {(s["collection_id"], s["scheme_code"]): s["after_fen"] for s in steps}


@settings(max_examples=12, deadline=None)
@given(SEEDS)
def test_subsidies_without_reversals_stay_within_the_interest_paid(seed: int) -> None:
    case = _portfolio(seed)
    case.collections = [c for c in case.collections if c["interest_paid_fen"] >= 0]
    by_id = {c["collection_id"]: c for c in case.collections}
    balance: dict[tuple[int, int], int] = defaultdict(int)
    for c in case.collections:
        balance[c["note_id"], c["collected_on"].year] += c["interest_paid_fen"]
    for row in case.rows():
        year = by_id[row["collection_id"]]["collected_on"].year
        balance[row["note_id"], year] -= sum(row[f"{tier}_fen"] for tier in TIERS)
    assert min(balance.values()) >= 0


@settings(max_examples=12, deadline=None)
@given(SEEDS, st.integers(min_value=1, max_value=363))
def test_cutting_a_period_changes_nothing_but_rounding_points(seed: int, after: int) -> None:
    chance = random.Random(seed)
    end = FIRST + datetime.timedelta(days=364)
    cut = FIRST + datetime.timedelta(days=after)

    def paid(*edges: datetime.date) -> list[dict[str, int]]:
        case = Case([scheme("jiangsu-manufacturing-2026")])
        case.note(principal_fen=MILLION + seed % 101, equipment_fen=MILLION // 3)
        case.repayments = repayments
        case.stops = stops
        for start, stop in itertools.pairwise(edges):
            case.collect(start, stop)
        return case.rows()

    days = sorted(FIRST + datetime.timedelta(days=chance.randint(-9, 370)) for _ in range(4))
    repayments = [{"note_id": 1, "repaid_on": day, "amount_fen": MILLION // 7} for day in days[::2]]
    stops = [{"note_id": 1, "status": "extended", "starts_on": days[1], "ends_on": days[3]}]
    (whole,), parts = paid(FIRST, end), paid(FIRST, cut, end)
    for exact in ("days", "product"):
        assert sum(part[exact] for part in parts) == whole[exact]
    for rounded in ("raw_provincial_fen", "raw_municipal_fen"):
        assert abs(sum(part[rounded] for part in parts) - whole[rounded]) <= 1


@settings(max_examples=12, deadline=None)
@given(st.lists(st.integers(min_value=0, max_value=10**6), min_size=1, max_size=6))
def test_parts_of_a_period_add_up_to_the_whole(payments: list[int]) -> None:
    due = max(sum(payments), 1)
    case = Case([scheme("central-equipment-2026")])
    case.note(principal_fen=MILLION + 1)
    for number, paid in enumerate(payments):
        on = DAY(2026, 6, 21) + datetime.timedelta(days=number)
        case.collect(DAY(2026, 3, 21), DAY(2026, 6, 21), due=due, paid=paid, on=on)
    case.opening = []
    rows = case.rows()
    whole = (2 * (MILLION + 1) * 92 * 15 * sum(payments) + 360_000 * due) // (720_000 * due)
    assert sum(row["raw_central_fen"] for row in rows) == whole


def test_running_twice_gives_the_same() -> None:
    one, two = _portfolio(3).deduct().rows, _portfolio(3).deduct().rows
    assert one.equals(two)
