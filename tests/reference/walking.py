"""What every collection earns: periods, balances, rounding and caps, one row after another (D5–D12).

Readings chosen where the domain text leaves a choice:
- "paid so far" never counts below 0, should a reversal stand before what it reverses;
- a row that lowers earned to date is any row after which it is lower than before; it passes no cap,
  has no cut reason but `principal_cap`, and gives back to the caps of its own year (D12), so that
  money taken back in a later year is new room there;
- `raw` of such a row is earned to date − earned before it (negative), `cut` = sum of raw − total;
- outside loan-interest rows count towards D10 only if they name both institution and note;
- an opening position's `interest_paid` is the note's for that year: rows of several tiers or schemes
  of one note and year repeat it, and the largest counts once. It comes on top of collections;
- an opening position's amount counts whether or not the label is eligible here, in the caps of its
  own scheme and in the note's interest ceiling, for collections of its year; in the lifetime cap for
  collections of its year or later. Its `paid_through` stops its own scheme only; of several rows of
  one scheme and note the latest counts. Days of a straddling period from that day on do earn;
- the municipal tier is 0 if the project has a note *eligible* under a central scheme, even where D4
  left that note an eligible amount of 0;
- D11 compares the rounded uncut tiers; a tier with an uncut 0 is not "present".
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction

from tests.reference.facts import Collection, Facts, Key, Note, add_months, fen, half_up
from tests.reference.judging import Verdict, Verdicts
from tests.reference.terms import MANUFACTURING, SCHEMES, SME, TIERS, Terms

Tiers = dict[str, int]


@dataclass
class Deduction:
    """One collection × scheme. Tiers in fen; `product` in fen × days."""

    scheme: str
    note: Note
    collection: Collection
    days: int
    product: int
    raw: Tiers
    granted: Tiers
    reasons: list[str]


@dataclass
class Progress:
    """Where one period (note, start, end) of one scheme stands (D7)."""

    paid: int = 0
    earned: Tiers = field(default_factory=lambda: dict.fromkeys(TIERS, 0))
    granted: Tiers = field(default_factory=lambda: dict.fromkeys(TIERS, 0))


class Walk:
    """All collections in D9's order; what each cap has seen so far is kept in plain dictionaries."""

    def __init__(self, facts: Facts, verdicts: Verdicts) -> None:
        self.facts = facts
        self.verdicts = verdicts
        self.central_projects = central_projects(verdicts)
        self.progress: dict[tuple[str, Key, date, date], Progress] = defaultdict(Progress)
        self.interest: dict[tuple[Key, int], int] = defaultdict(int)
        self.on_note: dict[tuple[Key, int], int] = defaultdict(int)
        self.on_project: dict[tuple[str, int], int] = defaultdict(int)
        self.on_enterprise: dict[tuple[str, int], int] = defaultdict(int)
        self.leasing: dict[tuple[str, int], int] = defaultdict(int)
        self.lifetime: dict[str, int] = defaultdict(int)
        self.paid_through: dict[tuple[str, Key], date] = {}
        self._openings()
        self._outside()

    def _openings(self) -> None:
        """What was subsidised before this system counts from 1 January of its year."""
        for opening in self.facts.openings:
            note = self.facts.notes[opening.note]
            slot = (opening.note, opening.year)
            self.interest[slot] = max(self.interest[slot], opening.interest)
            self.on_note[slot] += opening.amount
            if opening.scheme == MANUFACTURING:
                self.on_project[note.project, opening.year] += opening.amount
                self.on_enterprise[note.uscc, opening.year] += opening.amount
            key = (opening.scheme, opening.note)
            self.paid_through[key] = max(self.paid_through.get(key, date.min), opening.paid_through)

    def _outside(self) -> None:
        for r in self.facts.rows["external-subsidies"]:
            year, amount = int(r["year"]), fen(r["amount"])
            if r["kind"] == "leasing_interest":
                self.leasing[r["uscc"], year] += amount
            elif r["kind"] == "loan_interest" and r["institution_code"] and r["note_number"]:
                self.on_note[(r["institution_code"], r["note_number"]), year] += amount

    def run(self) -> list[Deduction]:
        found = []
        for collection in self.facts.collections:
            self.interest[collection.note, collection.on.year] += collection.paid
            note = self.facts.notes[collection.note]
            for code in sorted(note.labels, key=lambda c: SCHEMES[c].priority):
                verdict = self.verdicts[code, note.key]
                if verdict.status == "eligible":
                    deduction = self._deduct(collection, verdict)
                    if deduction is not None:
                        found.append(deduction)
        return found

    def _deduct(self, collection: Collection, verdict: Verdict) -> Deduction | None:
        note, terms = verdict.note, SCHEMES[verdict.scheme]
        days, product = self.measure(collection, verdict)
        if product == 0:
            return None
        progress = self.progress[terms.code, note.key, collection.start, collection.end]
        progress.paid += collection.paid
        counted = min(max(progress.paid, 0), collection.due)
        before, earned = progress.earned, {}
        for tier in TIERS:
            whole = product * self.rate(note, terms, tier) / terms.basis
            earned[tier] = half_up(whole * counted / collection.due) if collection.due else 0
        raw = {tier: earned[tier] - before[tier] for tier in TIERS}
        if sum(raw.values()) < 0:
            granted = {
                tier: -half_up(Fraction(progress.granted[tier] * -raw[tier], before[tier]))
                if before[tier]
                else 0
                for tier in TIERS
            }
            reasons: list[str] = []
        else:
            total, reasons = self._cap(collection, note, terms, sum(raw.values()))
            granted = share(raw, total)
        if verdict.principal_cut:
            reasons.insert(0, "principal_cap")
        progress.earned = earned
        progress.granted = {tier: progress.granted[tier] + granted[tier] for tier in TIERS}
        self._count(collection, note, terms, sum(granted.values()))
        return Deduction(terms.code, note, collection, days, product, raw, granted, reasons)

    def rate(self, note: Note, terms: Terms, tier: str) -> Fraction:
        """MF-06: a project with a note eligible under a central scheme gets no municipal part."""
        if tier == "municipal" and note.project and note.project in self.central_projects:
            return Fraction(0)
        return terms.rates.get(tier, Fraction(0))

    def measure(self, collection: Collection, verdict: Verdict) -> tuple[int, int]:
        """Days with a base above zero, and the sum of the day's base over them, day by day."""
        note, days, product = verdict.note, 0, 0
        first, last = window(note, SCHEMES[verdict.scheme])
        first = max(first, self.paid_through.get((verdict.scheme, note.key), date.min))
        on, end = max(collection.start, first), min(collection.end, last)
        while on < end:
            if not any(starts_on <= on < ends_on for _, starts_on, ends_on in note.statuses):
                base = half_up(Fraction(note.balance_on(on) * verdict.eligible, note.principal))
                product += base
                days += base > 0
            on += timedelta(days=1)
        return days, product

    def _cap(
        self, collection: Collection, note: Note, terms: Terms, total: int
    ) -> tuple[int, list[str]]:
        """D9's order; a cap is named only where it lowers what the earlier ones left."""
        year, reasons = collection.on.year, []
        for name, room in self._rooms(note, terms, year):
            if total > max(room, 0):
                total = max(room, 0)
                reasons.append(name)
        return total, reasons

    def _rooms(self, note: Note, terms: Terms, year: int) -> list[tuple[str, int]]:
        rooms = [("interest_ceiling", self.interest[note.key, year] - self.on_note[note.key, year])]
        if terms.project_cap is not None and note.project:
            used = self.on_project[note.project, year]
            rooms.append(("project_cap", terms.project_cap - used))
        used = self.on_enterprise[note.uscc, year]
        if terms.enterprise_cap is not None:
            rooms.append(("enterprise_cap", terms.enterprise_cap - used))
        if terms.joint_cap is not None:
            leasing = self.leasing[note.uscc, year]
            rooms.append(("joint_cap", terms.joint_cap - leasing - used))
        if terms.borrower_total_cap is not None:
            opened = sum(
                o.amount
                for o in self.facts.openings
                if o.scheme == SME and o.year <= year and self.facts.notes[o.note].uscc == note.uscc
            )
            used = self.lifetime[note.uscc] + opened
            rooms.append(("borrower_total_cap", terms.borrower_total_cap - used))
        return rooms

    def _count(self, collection: Collection, note: Note, terms: Terms, amount: int) -> None:
        year = collection.on.year
        self.on_note[note.key, year] += amount
        if terms.code == MANUFACTURING:
            self.on_project[note.project, year] += amount
            self.on_enterprise[note.uscc, year] += amount
        if terms.code == SME:
            self.lifetime[note.uscc] += amount


def central_projects(verdicts: Verdicts) -> set[str]:
    return {
        verdict.note.project
        for verdict in verdicts.values()
        if SCHEMES[verdict.scheme].group == "central"
        and verdict.status == "eligible"
        and verdict.note.project
    }


def window(note: Note, terms: Terms) -> tuple[date, date]:
    """The half-open days a note can be subsidised: from drawdown, within term and accrual years."""
    first, last = note.drawn_on, date.max
    if terms.term_months is not None:
        last = add_months(note.drawn_on, terms.term_months)
    if terms.accrues is not None:
        first, last = max(first, terms.accrues[0]), min(last, terms.accrues[1])
    return first, last


def share(uncut: Tiers, total: int) -> Tiers:
    """D11: lower tiers get the floor of their part, the highest tier present the rest."""
    whole = sum(uncut.values())
    if total == whole:
        return dict(uncut)
    present = [tier for tier in TIERS if uncut[tier]]
    granted = dict.fromkeys(TIERS, 0)
    for tier in present[1:]:
        granted[tier] = uncut[tier] * total // whole
    granted[present[0]] = total - sum(granted.values())
    return granted
