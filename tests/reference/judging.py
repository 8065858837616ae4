"""Which labels of which notes are eligible, for how much, and why not (D3, D4, D13–D16, D18).

Readings chosen where the domain text leaves a choice:
- a note without an LPR fixing waits only if nothing else refuses it; with another reason it is
  ineligible, and `rate_above_ceiling` is then not listed;
- a waiting label is not "found eligible": it neither refuses a later label of its group (D14), nor
  makes its bank the enterprise's bank, nor commits fund, nor takes principal cap;
- `one_bank_per_enterprise` is settled before the fund: a note the fund refuses may still have made
  its bank the enterprise's bank; a note refused for its bank is not measured against the fund;
- only the sports scheme has a fund: a `scheme-funds` row of another scheme limits nothing;
- an enterprise none of whose rows is in force on the drawdown day is judged by its earliest row;
- the principal caps of D4 are given out over notes found eligible in the end, per scheme and USCC.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

from tests.reference.facts import Facts, Key, Note, Row, add_months, day, day_or, half_up
from tests.reference.terms import (
    JIANGSU,
    LONG_TERM_MONTHS,
    LPR_MARGIN_PERCENT,
    MANUFACTURING,
    REFUSALS,
    SCHEMES,
    SPORTS,
    TITLES,
    Terms,
)


@dataclass
class Verdict:
    """One label of one note. `base` and `eligible` are fen in CNY, before and after D4."""

    scheme: str
    note: Note
    reasons: set[str] = field(default_factory=set)
    waits: bool = False
    base: int = 0
    eligible: int = 0

    @property
    def passes(self) -> bool:
        return not self.reasons and not self.waits

    @property
    def status(self) -> str:
        if self.reasons:
            return "ineligible"
        return "waiting" if self.waits else "eligible"

    @property
    def reason_codes(self) -> str:
        if self.status == "waiting":
            return "lpr_missing"
        return ";".join(code for code in REFUSALS if code in self.reasons)

    @property
    def principal_cut(self) -> bool:
        return self.eligible < self.base


Verdicts = dict[tuple[str, Key], Verdict]


def judge(facts: Facts) -> Verdicts:
    """Every label of every note. Sports is judged to its end before labels listed after it."""
    found: Verdicts = {}
    for note in facts.notes.values():
        for code in note.labels:
            found[code, note.key] = _own_reasons(facts, note, SCHEMES[code])
    for note in facts.notes.values():
        _exclude(note, found, after_sports=False)
    _one_bank(facts, found)
    _give_out(facts, found)
    for note in facts.notes.values():
        _exclude(note, found, after_sports=True)
    return found


def _exclude(note: Note, found: Verdicts, *, after_sports: bool) -> None:
    """D14. First the labels no sports label stands before; the others once sports is final."""
    for place, code in enumerate(note.labels):
        earlier = note.labels[:place]
        if (SPORTS in earlier) is not after_sports:
            continue
        group = SCHEMES[code].group
        if any(SCHEMES[e].group == group and found[e, note.key].passes for e in earlier):
            found[code, note.key].reasons.add("exclusive_group")


def _own_reasons(facts: Facts, note: Note, terms: Terms) -> Verdict:
    """Everything that depends on the note, its borrower and its bank alone."""
    verdict = Verdict(scheme=terms.code, note=note)
    reasons = verdict.reasons
    if not participates(facts, note, terms.code):
        reasons.add("institution_not_participating")
    if terms.drawn and not terms.drawn[0] <= note.drawn_on <= terms.drawn[1]:
        reasons.add("drawn_outside_window")
    if terms.signed and not terms.signed[0] <= note.signed_on <= terms.signed[1]:
        reasons.add("signed_outside_window")
    if note.loan_type not in terms.loan_types:
        reasons.add("loan_type")
    if terms.fields is not None and note.purpose not in terms.fields:
        reasons.add("purpose_field")
    if terms.on_equipment and note.equipment == 0:
        reasons.add("no_equipment_amount")
    enterprise = facts.enterprise_on(note.uscc, note.drawn_on)
    reasons |= _borrower_reasons(facts, note, terms.code, enterprise)
    if terms.code == SPORTS:
        fixing = lpr_for(facts, note)
        verdict.waits = fixing is None
        if fixing is not None and note.annual_rate > fixing + LPR_MARGIN_PERCENT:
            reasons.add("rate_above_ceiling")
    base = note.equipment if terms.on_equipment else note.principal
    verdict.base = half_up(base * note.exchange_rate)
    return verdict


def participates(facts: Facts, note: Note, scheme: str) -> bool:
    """A participation covers the institution and all below it, both its days included."""
    above = facts.ancestors(note.institution)
    return any(
        r["scheme_code"] == scheme
        and r["institution_code"] in above
        and day(r["valid_from"]) <= note.drawn_on <= day_or(r.get("valid_to"), date.max)
        for r in facts.rows["participations"]
    )


def _borrower_reasons(facts: Facts, note: Note, scheme: str, who: Row) -> set[str]:
    reasons = set()
    if scheme in (MANUFACTURING, SPORTS) and not who["region_code"].startswith(JIANGSU):
        reasons.add("region")
    if scheme == MANUFACTURING and not (
        _manufactures(who["industry_code"]) or _has_title(facts, note)
    ):
        reasons.add("industry_or_title")
    if scheme == "central-sme-2026":
        if who["ownership"] != "private":
            reasons.add("not_private")
        if who["size"] not in ("micro", "small", "medium"):
            reasons.add("not_small_or_medium")
    if scheme == SPORTS:
        if who.get("dishonest") == "yes":
            reasons.add("dishonest")
        if who.get("environment_rating") in ("red", "black"):
            reasons.add("environment_rating")
        if who.get("tax_rating") == "D":
            reasons.add("tax_rating")
        if _overdue(facts, note):
            reasons.add("overdue")
    return reasons


def _manufactures(industry: str) -> bool:
    division = industry[1:3]
    return industry[:1] == "C" and division.isdigit() and 13 <= int(division) <= 43


def _has_title(facts: Facts, note: Note) -> bool:
    return any(
        r["uscc"] == note.uscc
        and r["title"] in TITLES
        and day(r["valid_from"]) <= note.drawn_on <= day(r["valid_to"])
        for r in facts.rows["enterprise-titles"]
    )


def _overdue(facts: Facts, note: Note) -> bool:
    """Any note of the same USCC at any bank, on the drawdown day (ST-03 with D13)."""
    return any(
        status == "overdue" and starts_on <= note.drawn_on < ends_on
        for other in facts.notes.values()
        if other.uscc == note.uscc
        for status, starts_on, ends_on in other.statuses
    )


def lpr_for(facts: Facts, note: Note) -> Fraction | None:
    """D15: 5-year if the original term is longer than 60 months, the last fixing by drawdown."""
    known = [fixing for fixing in facts.lpr if fixing[0] <= note.drawn_on]
    if not known:
        return None
    is_long = note.matures_on > add_months(note.drawn_on, LONG_TERM_MONTHS)
    return known[-1][2] if is_long else known[-1][1]


def _one_bank(facts: Facts, found: Verdicts) -> None:
    """ST-22: the bank of the enterprise's first otherwise eligible note of the year wins."""
    bank_of: dict[tuple[str, int], str] = {}
    for verdict in in_order(found, SPORTS):
        if not verdict.passes:
            continue
        note = verdict.note
        bank = facts.ancestors(note.institution)[-1]
        if bank_of.setdefault((note.uscc, note.drawn_on.year), bank) != bank:
            verdict.reasons.add("one_bank_per_enterprise")


def in_order(found: Verdicts, scheme: str) -> list[Verdict]:
    """A scheme's labels in D4's order."""
    chosen = [verdict for verdict in found.values() if verdict.scheme == scheme]
    return sorted(chosen, key=lambda verdict: verdict.note.order)


def _give_out(facts: Facts, found: Verdicts) -> None:
    """Principal caps (D4) and, with them, the fund (D16), in one walk per scheme.

    Labels of the provincial group listed after sports are settled later; their scheme has neither
    principal cap nor fund, so that what is given out here stands.
    """
    taken: dict[tuple[str, str, int], int] = defaultdict(int)
    committed: dict[int, int] = defaultdict(int)
    for code, terms in SCHEMES.items():
        for verdict in in_order(found, code):
            if not verdict.passes:
                continue
            note, amount = verdict.note, verdict.base
            cap = _cap_of(note, terms)
            slot = (code, note.uscc, cap)
            if cap >= 0:
                amount = min(amount, terms.principal_caps[cap][1] - taken[slot])
            if code == SPORTS:
                year = note.drawn_on.year
                need, fund = commitment(note, terms, amount), facts.funds.get((code, year))
                if fund is not None and committed[year] + need > fund:
                    verdict.reasons.add("fund_exhausted")
                    continue
                committed[year] += need
            taken[slot] += amount
            verdict.eligible = amount


def _cap_of(note: Note, terms: Terms) -> int:
    """Which of the scheme's principal caps the note's loan type shares; -1 if none."""
    kinds = [loan_types for loan_types, _ in terms.principal_caps]
    return next((n for n, loan_types in enumerate(kinds) if note.loan_type in loan_types), -1)


def commitment(note: Note, terms: Terms, amount: int) -> int:
    """D16: amount × rate × days from drawdown to the earlier of maturity and term end ÷ basis."""
    if terms.term_months is None:
        raise ValueError(f"{terms.code} has a fund but no term")
    until = min(note.matures_on, add_months(note.drawn_on, terms.term_months))
    days = (until - note.drawn_on).days
    return half_up(amount * sum(terms.rates.values(), Fraction(0)) * days / terms.basis)
