"""Small facts for tests: every field has a default, a test states only what it is about."""

from __future__ import annotations

import datetime
import itertools
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from settlement.engine import assess, deduct
from settlement.engine import facts as engine_facts
from settlement.engine.deductions import Deducted
from settlement.engine.facts import AssessFacts, DeductFacts
from settlement.engine.terms import Terms, parse

Fact = dict[str, Any]
ROOT = Path(__file__).parents[3]
FOLDERS = (ROOT / "settlement" / "schemes", ROOT / "tests" / "data" / "schemes")
YUAN = 100
DAY = datetime.date

NOTE: Fact = {
    "institution_code": "C0001110000000",
    "bank_id": 1,
    "enterprise_id": 1,
    "project_id": 0,
    "signed_on": DAY(2026, 1, 5),
    "loan_type": "fixed_asset",
    "purpose_field": "人工智能",
    "currency": "CNY",
    "drawn_on": DAY(2026, 1, 10),
    "matures_on": DAY(2029, 1, 10),
    "principal_fen": 10_000_000 * YUAN,
    "equipment_fen": 0,
    "rate_ppm": 36_000,
    "exchange_rate_e8": 10**8,
    "region_code": "320100",
    "industry_code": "C3421",
    "size": "small",
    "ownership": "private",
    "environment_rating": "",
    "tax_rating": "",
    "dishonest": False,
}
LPR: Fact = {"published_on": DAY(2025, 12, 22), "one_year_ppm": 30_000, "five_year_ppm": 35_000}


def text_of(code: str) -> str:
    """The text of a scheme file, shipped or for tests."""
    path = next(p for folder in FOLDERS if (p := folder / f"{code}.toml").exists())
    return path.read_text(encoding="utf-8")


def scheme(code: str) -> Terms:
    """A scheme by its code."""
    return variant(code, {})


def variant(code: str, changes: dict[str, str]) -> Terms:
    """A scheme with parts of its file's text replaced; every part must occur."""
    text = text_of(code)
    for old, new in changes.items():
        assert old in text, f"{code}: {old} is not in the file"
        text = text.replace(old, new)
    return parse(text, name=f"{code}.toml")


def frame(name: str, facts: list[Fact]) -> pl.DataFrame:
    """Facts as a frame of that name's schema; every column must be given."""
    schema = engine_facts.empty(name).schema
    return pl.DataFrame([{c: fact[c] for c in schema} for fact in facts], schema=schema)


@dataclass
class Case:
    """A small portfolio: lists of facts, defaults filled in when it is run."""

    terms: list[Terms]
    notes: list[Fact] = field(default_factory=list)
    collections: list[Fact] = field(default_factory=list)
    repayments: list[Fact] = field(default_factory=list)
    stops: list[Fact] = field(default_factory=list)
    external: list[Fact] = field(default_factory=list)
    leasing: list[Fact] = field(default_factory=list)
    opening: list[Fact] = field(default_factory=list)
    funds: list[Fact] = field(default_factory=list)
    titles: list[Fact] = field(default_factory=list)
    lpr: list[Fact] = field(default_factory=lambda: [LPR])
    strangers: list[int] = field(default_factory=list)

    def note(self, *labels: str, **values: Any) -> int:
        """Add a note with labels in order; returns its id."""
        number = values.get("note_id", len(self.notes) + 1)
        labels = labels or tuple(one.code for one in self.terms)
        base = {**NOTE, "note_id": number, "note_number": f"JJ{number:04d}", "labels": labels}
        self.notes.append({**base, **values})
        return int(number)

    def collect(
        self,
        start: datetime.date,
        end: datetime.date,
        *,
        due: int = 10**12,
        paid: int | None = None,
        note: int = 1,
        on: datetime.date | None = None,
        reference: str = "",
    ) -> int:
        """Add a collection (amounts in fen); unless said, paid in full on the period's end."""
        number = len(self.collections) + 1
        self.collections.append(
            {
                "collection_id": number,
                "note_id": note,
                "period_start": start,
                "period_end": end,
                "interest_due_fen": due,
                "interest_paid_fen": due if paid is None else paid,
                "collected_on": on or end,
                "reference": reference or f"S{number:06d}",
            }
        )
        return number

    def assess_facts(self) -> AssessFacts:
        """What `assess` reads; every label's institution participates but the strangers'."""
        notes = frame("notes", self.notes)
        labels = [
            {"note_id": note["note_id"], "scheme_code": code, "position": place}
            for note in self.notes
            for place, code in enumerate(note["labels"])
        ]
        hits = [label for label in labels if label["note_id"] not in self.strangers]
        overdue = frame("stops", [s for s in self.stops if s["status"] == "overdue"])
        return AssessFacts(
            notes=notes,
            labels=frame("labels", labels),
            participation_hits=frame("participation_hits", hits),
            titles=frame("titles", self.titles),
            lpr=frame("lpr", self.lpr),
            overdue=overdue.join(notes, on="note_id").select(engine_facts.OVERDUE.keys()),
            funds=frame("funds", self.funds),
        )

    def assess(self) -> pl.DataFrame:
        """The enrolments."""
        return assess(terms=self.terms, facts=self.assess_facts())

    def deduct_facts(self) -> DeductFacts:
        """What `deduct` reads, with the enrolments this case gives."""
        names = ("collections", "repayments", "stops", "external", "leasing", "opening", "funds")
        frames = {name: frame(name, getattr(self, name)) for name in names}
        return DeductFacts(notes=frame("notes", self.notes), enrolments=self.assess(), **frames)

    def deduct(self, *, trace: bool = False) -> Deducted:
        """The deductions."""
        return deduct(terms=self.terms, facts=self.deduct_facts(), trace=trace)

    def rows(self) -> list[Fact]:
        """Deductions as dicts, by collection and scheme."""
        return self.deduct().rows.sort("collection_id", "scheme_code").to_dicts()

    def amounts(self) -> list[tuple[int, int, int]]:
        """(central, provincial, municipal) in fen, by collection and scheme."""
        return [(r["central_fen"], r["provincial_fen"], r["municipal_fen"]) for r in self.rows()]

    def reasons(self) -> dict[tuple[int, str], list[str]]:
        """Refusal reasons by note and scheme."""
        rows = self.assess().iter_rows(named=True)
        return {(r["note_id"], r["scheme_code"]): r["reasons"] for r in rows}


def month_ends(start: datetime.date, months: int) -> list[tuple[datetime.date, datetime.date]]:
    """Consecutive periods from one day of the month to the same day of the next (day below 29)."""
    edges = [
        DAY(start.year + (start.month - 1 + n) // 12, (start.month - 1 + n) % 12 + 1, start.day)
        for n in range(months + 1)
    ]
    return list(itertools.pairwise(edges))
