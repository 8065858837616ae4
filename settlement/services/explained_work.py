"""A group's facts and the engine's trace over them, indexed for questions about one note."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

import polars as pl

from loans.selectors.notes import NoteCard
from settlement.engine import TIERS, Deducted, Terms
from settlement.engine.exact import half_up_int
from settlement.engine.tiers import share
from settlement.selectors.working import PostingLine
from settlement.services.explained import Collection, TakenBack, Tiers
from settlement.services.targets import Evidence

Row: TypeAlias = dict[str, Any]
Key: TypeAlias = tuple[int, str]


@dataclass(frozen=True)
class Working:
    """A group's facts and the engine's trace over them, for questions about one of its notes."""

    note: NoteCard
    evidence: Evidence
    result: Deducted
    terms: dict[str, Terms]
    differences: dict[Key, Tiers]
    postings: dict[Key, list[PostingLine]]
    blocks: dict[str, tuple[str, ...]] = field(default_factory=dict)  # by scheme

    @cached_property
    def rows(self) -> dict[Key, Row]:
        """The engine's rows of the whole group in order of service, cut reasons included."""
        assert self.result.trace is not None
        earned = self.result.trace.earned
        if earned.is_empty():
            return {}
        reasons = self.result.rows.select("collection_id", "scheme_code", "cut_reasons")
        notes = self.evidence.facts.notes.select(
            "note_id", "institution_code", "note_number", "project_id", "enterprise_id"
        )
        ranks = {code: (one.priority, code) for code, one in self.terms.items()}
        joined = (
            earned.join(reasons, on=["collection_id", "scheme_code"])
            .join(notes, on="note_id")
            .join(
                self.evidence.facts.collections.drop("note_id", "interest_due_fen"),
                on="collection_id",
            )
        )
        served = sorted(
            joined.iter_rows(named=True),
            key=lambda r: (
                *(r["collected_on"], r["institution_code"], r["note_number"], r["period_start"]),
                *(r["reference"], ranks[r["scheme_code"]]),
            ),
        )
        return {(row["collection_id"], row["scheme_code"]): row for row in served}

    @cached_property
    def steps(self) -> dict[Key, list[Row]]:
        """The ceilings, caps and duplicate rules each row of the group met, in order."""
        assert self.result.trace is not None
        found: dict[Key, list[Row]] = defaultdict(list)
        for row in self.result.trace.steps.iter_rows(named=True):
            found[row["collection_id"], row["scheme_code"]].append(row)
        return found

    @cached_property
    def segments(self) -> dict[Key, list[Row]]:
        """The note's segments by collection and scheme."""
        assert self.result.trace is not None
        frame = self.result.trace.segments
        found: dict[Key, list[Row]] = defaultdict(list)
        if frame.height:
            own = [one.collection_id for one in self.collections]
            for row in frame.filter(pl.col("collection_id").is_in(own)).iter_rows(named=True):
                found[row["collection_id"], row["scheme_code"]].append(row)
        return found

    @cached_property
    def collections(self) -> list[Collection]:
        """The note's collections in order of service."""
        own = self.evidence.facts.collections.filter(pl.col("note_id") == self.note.note_id)
        found = [
            Collection(
                collection_id=row["collection_id"],
                reference=row["reference"],
                collected_on=row["collected_on"],
                period_start=row["period_start"],
                period_end=row["period_end"],
                due_fen=row["interest_due_fen"],
                paid_fen=row["interest_paid_fen"],
            )
            for row in own.iter_rows(named=True)
        ]
        return sorted(found, key=lambda c: (c.collected_on, c.period_start, c.reference))

    @cached_property
    def walked(self) -> dict[Key, Tiers]:
        """What each row of the group is granted before a fund is shared in proportion."""
        return {key: self._walked(key, row) for key, row in self.rows.items()}

    @cached_property
    def granted_so_far(self) -> dict[Key, Tiers]:
        """What the period of each row was granted before it, under its scheme."""
        so_far: dict[tuple[Any, ...], Tiers] = defaultdict(lambda: (0, 0, 0))
        found = {}
        for key, row in self.rows.items():
            period = (row["note_id"], row["period_start"], row["period_end"], row["scheme_code"])
            found[key] = so_far[period]
            granted = self._granted(key, row, found[key])
            first, second, third = (a + b for a, b in zip(so_far[period], granted, strict=True))
            so_far[period] = (first, second, third)
        return found

    def _walked(self, key: Key, row: Row) -> Tiers:
        return self._granted(key, row, self.granted_so_far[key])

    def _granted(self, key: Key, row: Row, so_far: Tiers) -> Tiers:
        raw = raws(row)
        if min(raw) < 0:
            back = [
                taken_back(row, tier, granted) for tier, granted in zip(TIERS, so_far, strict=True)
            ]
            return back[0].change_fen, back[1].change_fen, back[2].change_fen
        steps = self.steps[key]
        first, second, third = share(raw, steps[-1]["after_fen"] if steps else sum(raw))
        return first, second, third


def raws(row: Row) -> Tiers:
    """What a row earned per tier before any ceiling."""
    return row["raw_central_fen"], row["raw_provincial_fen"], row["raw_municipal_fen"]


def granted(row: Row) -> Tiers:
    """What a row is granted per tier in the end."""
    return row["central_fen"], row["provincial_fen"], row["municipal_fen"]


def taken_back(row: Row, tier: str, granted_fen: int) -> TakenBack:
    """What a lowering row takes back from one tier (D7)."""
    lowered, earned = -row[f"raw_{tier}_fen"], row[f"before_{tier}_fen"]
    back = -half_up_int(granted_fen * lowered, earned) if earned > 0 else 0
    return TakenBack(tier, granted_fen, lowered, earned, back)
