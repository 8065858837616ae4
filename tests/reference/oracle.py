"""The test oracle: a naive row-by-row reading of the domain text, sharing nothing with the product.

Python ints and `fractions.Fraction` only; slow on purpose. `judging` and `walking` list the readings
chosen where the text leaves a choice. Further choices here, for the guarantee-fee subsidy (D17):
- "notes of at most 10,000,000" is the note's principal in CNY before D4, the limit included;
- "whole months" is the largest n with starts_on + n months (as in D3) ≤ ends_on; `months` shows at
  most 12;
- "once per enterprise": the first among the guarantees that qualify, ties by institution code;
- a guarantee of a note whose sports label waits, waits too; statuses are those of enrolments, and
  a refused guarantee's reasons are `not_sports_eligible`, `above_limit` or `already_subsidised`.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from fractions import Fraction

from tests.reference.facts import (
    Facts,
    Note,
    Portfolio,
    Row,
    add_months,
    day,
    fen,
    half_up,
    load,
    yuan,
)
from tests.reference.judging import Verdict, judge
from tests.reference.terms import (
    CUTS,
    GUARANTEE_MONTHS,
    GUARANTEE_NOTE_LIMIT,
    GUARANTEE_RATE,
    SPORTS,
    TIERS,
)
from tests.reference.walking import Deduction, Walk

__all__ = ["Portfolio", "assess", "deductions", "guarantee_subsidies", "load"]


def assess(portfolio: Portfolio) -> list[Row]:
    """Every label with its status and reasons: the columns of the `enrolments` export."""
    rows = [
        {
            "scheme_code": verdict.scheme,
            "institution_code": verdict.note.institution,
            "note_number": verdict.note.number,
            "status": verdict.status,
            "reasons": verdict.reason_codes,
        }
        for verdict in judge(Facts(portfolio)).values()
    ]
    return sorted(rows, key=lambda r: tuple(r.values())[:3])


def deductions(portfolio: Portfolio) -> list[Row]:
    """Collection × scheme with a product above zero: the `deductions` export through cut_reasons."""
    facts = Facts(portfolio)
    return [_deduction_row(found) for found in Walk(facts, judge(facts)).run()]


def _deduction_row(found: Deduction) -> Row:
    total = sum(found.granted.values())
    return {
        "scheme_code": found.scheme,
        "institution_code": found.note.institution,
        "uscc": found.note.uscc,
        "contract_number": found.note.contract,
        "note_number": found.note.number,
        "collection_reference": found.collection.reference,
        "period_start": found.collection.start.isoformat(),
        "period_end": found.collection.end.isoformat(),
        "days": str(found.days),
        "product": yuan(found.product),
        **{f"raw_{tier}": yuan(found.raw[tier]) for tier in TIERS},
        **{tier: yuan(found.granted[tier]) for tier in TIERS},
        "total": yuan(total),
        "cut": yuan(sum(found.raw.values()) - total),
        "cut_reasons": ";".join(code for code in CUTS if code in found.reasons),
    }


def guarantee_subsidies(portfolio: Portfolio) -> list[Row]:
    """Every guarantee with its fee subsidy (ST-17, ST-18, ST-23; D17)."""
    facts = Facts(portfolio)
    verdicts = judge(facts)
    served: dict[str, int] = defaultdict(int)
    rows = []
    for r in sorted(facts.rows["guarantees"], key=_guarantee_order):
        note = facts.notes[r["institution_code"], r["note_number"]]
        status, reason = _guarantee_status(note, verdicts.get((SPORTS, note.key)))
        if status == "eligible":
            served[note.uscc] += 1
            if served[note.uscc] > 1:
                status, reason = "ineligible", "already_subsidised"
        rows.append(_guarantee_row(r, note.uscc, status, reason))
    return rows


def _guarantee_order(r: Row) -> tuple[str, str, str]:
    return (r["starts_on"], r["guarantee_number"], r["institution_code"])


def _guarantee_status(note: Note, verdict: Verdict | None) -> tuple[str, str]:
    if verdict is None or verdict.status == "ineligible":
        return "ineligible", "not_sports_eligible"
    if half_up(note.principal * note.exchange_rate) > GUARANTEE_NOTE_LIMIT:
        return "ineligible", "above_limit"
    if verdict.status == "waiting":
        return "waiting", "lpr_missing"
    return "eligible", ""


def _guarantee_row(r: Row, uscc: str, status: str, reason: str) -> Row:
    months = min(whole_months(day(r["starts_on"]), day(r["ends_on"])), GUARANTEE_MONTHS)
    subsidy = half_up(fen(r["principal"]) * GUARANTEE_RATE * Fraction(months, 12))
    return {
        "scheme_code": SPORTS,
        "institution_code": r["institution_code"],
        "note_number": r["note_number"],
        "guarantee_number": r["guarantee_number"],
        "uscc": uscc,
        "principal": yuan(fen(r["principal"])),
        "months": str(months),
        "subsidy": yuan(subsidy if status == "eligible" else 0),
        "status": status,
        "reasons": reason,
    }


def whole_months(start: date, end: date) -> int:
    months = 0
    while add_months(start, months + 1) <= end:
        months += 1
    return months
