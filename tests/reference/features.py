"""What a portfolio and its results contain, by name, so that a test can ask for everything."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date

from tests.reference.facts import Facts, Portfolio, Row, add_months, fen
from tests.reference.judging import judge, lpr_for
from tests.reference.terms import CUTS, LONG_TERM_MONTHS, MANUFACTURING, REFUSALS, SPORTS

RESULT_FEATURES = frozenset(
    {"eligible", "waiting", "municipal_dropped", "zero_raw", "taken_back", "taken_back_less",
     "two_caps_on_one", "two_schemes_on_one_note", "last_sports_label_refused",
     "guarantee_served", "guarantee_second", "guarantee_waiting", "guarantee_refused"}
)  # fmt: skip
INPUT_FEATURES = frozenset(
    {"repayment", "repayment_reversal", "part_payment", "parts_of_one_day", "parts_over_a_year_end",
     "reversal", "part_reversal", "reversal_over_a_year_end", "paid_again", "paid_above_due", "zero_paid", "zero_due",
     "plan", "completed_plan", "completed_in_part", "overdue_status", "extended_status",
     "non_performing_status", "open_status", "overlapping_statuses", "foreign_currency",
     "shared_project", "no_project", "little_giant", "specialized", "dated_enterprise",
     "enterprise_not_in_force", "leasing_interest", "loan_interest", "grant", "outside_reversal",
     "transfer", "opening_position", "opening_straddled", "opening_two_years", "opening_two_tiers",
     "guarantee", "fund", "no_fund", "participation_below_head_office", "participation_interrupted",
     "two_notes_of_a_contract", "same_number_at_two_banks", "long_tenor", "exactly_60_months",
     "month_end_drawdown", "period_before_drawdown", "after_maturity", "drawn_before_2026",
     "leading_zeros"}
)  # fmt: skip
ALL_FEATURES = frozenset(REFUSALS) | frozenset(CUTS) | RESULT_FEATURES | INPUT_FEATURES


def features(
    portfolio: Portfolio, enrolments: list[Row], deductions: list[Row], guarantees: list[Row]
) -> set[str]:
    """Names from `ALL_FEATURES` met by a portfolio and what the oracle says of it."""
    facts = Facts(portfolio)
    found = set(_of_enrolments(enrolments)) | set(_of_deductions(facts, deductions))
    found |= set(_of_guarantees(guarantees)) | set(_of_judging(facts))
    found |= set(_of_notes(facts)) | set(_of_statuses(facts)) | set(_of_collections(facts))
    found |= set(_of_repayments(facts)) | set(_of_parties(facts)) | set(_of_outside(facts))
    if extra := found - ALL_FEATURES:
        raise ValueError(f"features without a place in the list: {sorted(extra)}")
    return found


def _of_enrolments(rows: list[Row]) -> Iterator[str]:
    for row in rows:
        yield from (code for code in row["reasons"].split(";") if code in REFUSALS)
        if row["status"] != "ineligible":
            yield row["status"]


def _of_deductions(facts: Facts, rows: list[Row]) -> Iterator[str]:
    schemes: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in rows:
        reasons = set(row["cut_reasons"].split(";")) - {""}
        yield from reasons
        if len(reasons - {"principal_cap"}) > 1:
            yield "two_caps_on_one"
        raw = sum(fen(row[f"raw_{tier}"]) for tier in ("central", "provincial", "municipal"))
        if raw == 0:
            yield "zero_raw"
        if raw < 0:
            yield "taken_back" if fen(row["total"]) == raw else "taken_back_less"
        if row["scheme_code"] == MANUFACTURING and raw > 1 and fen(row["raw_municipal"]) == 0:
            yield "municipal_dropped"
        schemes[row["institution_code"], row["note_number"]].add(row["scheme_code"])
    if any(len(codes) > 1 for codes in schemes.values()):
        yield "two_schemes_on_one_note"


def _of_guarantees(rows: list[Row]) -> Iterator[str]:
    names = {"eligible": "guarantee_served", "waiting": "guarantee_waiting"}
    for row in rows:
        yield "guarantee"
        second = row["reasons"] == "already_subsidised"
        yield "guarantee_second" if second else names.get(row["status"], "guarantee_refused")


def _of_judging(facts: Facts) -> Iterator[str]:
    """D14 read backwards: a sports label refused in the end leaves room for a later one."""
    for verdict in judge(facts).values():
        labels = verdict.note.labels
        if (
            verdict.scheme == SPORTS
            and verdict.reasons & set(REFUSALS[-2:])
            and labels[-1] != SPORTS
        ):
            yield "last_sports_label_refused"


def _of_notes(facts: Facts) -> Iterator[str]:
    contracts = Counter((note.institution, note.contract) for note in facts.notes.values())
    if max(contracts.values()) > 1:
        yield "two_notes_of_a_contract"
    if len({note.number for note in facts.notes.values()}) < len(facts.notes):
        yield "same_number_at_two_banks"
    holders: dict[str, set[str]] = defaultdict(set)
    for note in facts.notes.values():
        holders[note.project].add(note.uscc)
        sixty = add_months(note.drawn_on, LONG_TERM_MONTHS)
        checks = {
            "no_project": not note.project,
            "foreign_currency": note.exchange_rate != 1,
            "long_tenor": note.matures_on > sixty and SPORTS in note.labels
            and lpr_for(facts, note) is not None,
            "exactly_60_months": note.matures_on == sixty and SPORTS in note.labels,
            "month_end_drawdown": note.drawn_on.day == 31,
            "drawn_before_2026": note.drawn_on.year < 2026,
            "leading_zeros": note.number.startswith("0"),
        }  # fmt: skip
        yield from (name for name, met in checks.items() if met)
    if any(len(who) > 1 for project, who in holders.items() if project):
        yield "shared_project"


def _of_statuses(facts: Facts) -> Iterator[str]:
    for note in facts.notes.values():
        spans = sorted(note.statuses, key=lambda s: s[1])
        for status, _, ends_on in spans:
            yield f"{status}_status"
            if ends_on == date.max:
                yield "open_status"
        if any(a[2] > b[1] for a, b in itertools.pairwise(spans)):
            yield "overlapping_statuses"


def _of_collections(facts: Facts) -> Iterator[str]:
    periods = defaultdict(list)
    rows = facts.rows["interest-collections"]
    plans = {(r["institution_code"], r["reference"]) for r in rows if not r["interest_paid"]}
    done = {(c.note[0], c.reference): c for c in facts.collections}
    if plans - done.keys():
        yield "plan"
    for key in plans & done.keys():
        yield "completed_in_part" if done[key].paid < done[key].due else "completed_plan"
    for c in facts.collections:
        periods[c.note, c.start, c.end].append(c)
        note = facts.notes[c.note]
        checks = {
            "zero_due": c.due == 0,
            "zero_paid": c.paid == 0 < c.due,
            "period_before_drawdown": c.start < note.drawn_on,
            "after_maturity": c.start >= note.matures_on,
        }
        yield from (name for name, met in checks.items() if met)
    for parts in periods.values():
        if sum(c.paid for c in parts) > parts[0].due:
            yield "paid_above_due"
        yield from _of_parts([(c.on, c.paid) for c in parts])


def _of_parts(parts: list[tuple[date, int]]) -> Iterator[str]:
    positive = [on for on, paid in parts if paid > 0]
    negative = [(on, paid) for on, paid in parts if paid < 0]
    if len(positive) > 1:
        yield "part_payment"
        if len(set(positive)) < len(positive):
            yield "parts_of_one_day"
        if len({on.year for on in positive}) > 1:
            yield "parts_over_a_year_end"
    for on, paid in negative:
        yield "reversal" if any(other == -paid for _, other in parts) else "part_reversal"
        if on.year > positive[0].year:
            yield "reversal_over_a_year_end"
        if positive[-1] > on:
            yield "paid_again"


def _of_repayments(facts: Facts) -> Iterator[str]:
    for note in facts.notes.values():
        for _, amount in note.repayments:
            yield "repayment" if amount > 0 else "repayment_reversal"


def _of_parties(facts: Facts) -> Iterator[str]:
    heads = {code for code, parent in facts.parent.items() if not parent}
    spans = Counter((r["scheme_code"], r["institution_code"]) for r in facts.rows["participations"])
    if max(spans.values(), default=0) > 1:
        yield "participation_interrupted"
    if any(code not in heads for _, code in spans):
        yield "participation_below_head_office"
    yield from {r["title"] for r in facts.rows["enterprise-titles"]}
    dated = defaultdict(list)
    for r in facts.rows["enterprises"]:
        dated[r["uscc"]].append(r["valid_from"])
    if any(len(dates) > 1 for dates in dated.values()):
        yield "dated_enterprise"
    if any(min(dated[n.uscc]) > n.drawn_on.isoformat() for n in facts.notes.values()):
        yield "enterprise_not_in_force"


def _of_outside(facts: Facts) -> Iterator[str]:
    yield "fund" if (SPORTS, 2026) in facts.funds else "no_fund"
    for r in facts.rows["external-subsidies"]:
        yield r["kind"] if fen(r["amount"]) >= 0 else "outside_reversal"
    if facts.rows["note-transfers"]:
        yield "transfer"
    years, tiers = defaultdict(set), defaultdict(set)
    for opening in facts.openings:
        yield "opening_position"
        years[opening.note].add(opening.year)
    for r in facts.rows["opening-positions"]:
        tiers[r["institution_code"], r["note_number"], r["scheme_code"]].add(r["tier"])
    if any(len(found) > 1 for found in years.values()):
        yield "opening_two_years"
    if any(len(found) > 1 for found in tiers.values()):
        yield "opening_two_tiers"
    through = {o.note: o.paid_through for o in facts.openings}
    if any(c.start < through.get(c.note, date.min) < c.end for c in facts.collections):
        yield "opening_straddled"
