"""Serves ceilings and caps row by row, for the groups that meet one (domain D7, D9–D12)."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from settlement.engine.codes import cut_bit
from settlement.engine.exact import half_up_int
from settlement.engine.terms_model import AmountCap, Dated, Terms
from settlement.engine.tiers import share

CEILING_KEY = "interest_ceiling"
DUPLICATE_KEY = "duplicate_rule"
Used: TypeAlias = dict[tuple[int, int], dict[int, int]]
_CAP_ORDER = ("note_cap", "project_cap", "enterprise_cap", "joint_cap", "borrower_total_cap")


class Row(NamedTuple):
    """One collection × scheme in the order of service."""

    number: int
    rank: int
    note: int
    period: int
    collection_id: int
    year: int
    project_id: int
    enterprise_id: int
    drawn_on: datetime.date
    collected_on: datetime.date
    period_end: datetime.date
    interest_to_date_fen: int
    outside_fen: int
    raw: tuple[int, int, int]
    before: tuple[int, int, int]


class Step(NamedTuple):
    """One ceiling, cap or duplicate rule as it met one row, in fen."""

    number: int
    step: str
    key: str
    limit_fen: int
    used_fen: int
    before_fen: int
    after_fen: int


class Cut(NamedTuple):
    """What one row is granted per tier and the bits of the reasons that lowered it."""

    number: int
    granted: tuple[int, ...]
    mask: int


@dataclass
class Opening:
    """What was used before the system took over, by (rank, entity): amounts by year, in fen."""

    project: Used = field(default_factory=dict)
    enterprise: Used = field(default_factory=dict)
    note: Used = field(default_factory=dict)
    leasing: dict[tuple[int, int], int] = field(default_factory=dict)

    def of(self, cap: AmountCap, rank: int, entity: int, year: int) -> int:
        """Opening amounts that count in a cap: of its year, or of all years up to it."""
        used: Used = getattr(self, cap.per)
        by_year = used.get((rank, entity), {})
        if cap.span == "year":
            return by_year.get(year, 0)
        return sum(amount for past, amount in by_year.items() if past <= year)


class Walk:
    """The running totals of the walk. Rows must come in D9's order, schemes by priority."""

    def __init__(self, ranked: Sequence[Terms], opening: Opening, *, trace: bool) -> None:
        self.ranked = ranked
        self.opening = opening
        self.trace = trace
        self.steps: list[Step] = []
        self.note_year: dict[tuple[int, int], int] = defaultdict(int)
        self.own_year: dict[tuple[int, int, int], int] = defaultdict(int)
        self.raw_year: dict[tuple[int, int, int], int] = defaultdict(int)
        self.offered_year: dict[tuple[int, int, int], int] = defaultdict(int)
        self.used: dict[tuple[int, int, int, int], int] = defaultdict(int)
        self.period: dict[tuple[int, int], list[int]] = defaultdict(lambda: [0, 0, 0])
        self.caps = [
            sorted(enumerate(terms.amount_caps), key=lambda cap: _CAP_ORDER.index(cap[1].reason))
            for terms in ranked
        ]

    def run(self, rows: Iterable[Row]) -> list[Cut]:
        """Grant every row in turn."""
        return [self._serve(row) for row in rows]

    def _serve(self, row: Row) -> Cut:
        total = sum(row.raw)
        own = (row.note, row.year, row.rank)
        self.raw_year[own] += total
        if min(row.raw) < 0:
            granted, mask = self._taken_back(row), 0
            self.offered_year[own] += sum(granted)
        else:
            final, mask = self._within_limits(row, own, total)
            granted = share(row.raw, final)
        self._record(row, own, granted)
        return Cut(row.number, granted, mask)

    def _taken_back(self, row: Row) -> tuple[int, ...]:
        """A lowering row takes back its part of what its period was granted so far (D7)."""
        so_far = self.period[row.period, row.rank]
        return tuple(
            -half_up_int(granted * -lowered, earned) if earned > 0 else 0
            for granted, lowered, earned in zip(so_far, row.raw, row.before, strict=True)
        )

    def _within_limits(self, row: Row, own: tuple[int, int, int], total: int) -> tuple[int, int]:
        terms = self.ranked[row.rank]
        left, mask = self._after_duplicates(row, own, total, terms)
        self.offered_year[own] += left
        if terms.interest_ceiling:
            used = row.outside_fen + self.note_year[row.note, row.year]
            left, mask = self._limit(
                row, "interest_ceiling", CEILING_KEY, row.interest_to_date_fen, used, left, mask
            )
        for place, cap in self.caps[row.rank]:
            entity = _entity(cap, row)
            if cap.per == "project" and not entity:
                continue
            block = cap.limit_fen.on(_cap_day(cap.limit_fen, row))
            used = self._used(place, cap, row, entity)
            left, mask = self._limit(row, cap.reason, block.key, block.amount, used, left, mask)
        return left, mask

    def _used(self, place: int, cap: AmountCap, row: Row, entity: int) -> int:
        used = self.used[_slot(place, cap, row, entity)]
        used += self.opening.of(cap, row.rank, entity, row.year)
        return used + (self.opening.leasing.get((entity, row.year), 0) if cap.joint else 0)

    def _limit(
        self, row: Row, reason: str, key: str, limit: int, used: int, left: int, mask: int
    ) -> tuple[int, int]:
        final = min(left, max(limit - used, 0))
        if self.trace:
            self.steps.append(Step(row.number, reason, key, limit, used, left, final))
        return final, mask | (cut_bit(reason) if final < left else 0)

    def _after_duplicates(
        self, row: Row, own: tuple[int, int, int], total: int, terms: Terms
    ) -> tuple[int, int]:
        """Net-off and higher-of, to date: own of the note and year against all others (§4)."""
        if terms.duplicate_rule not in ("net_off", "higher_of"):
            return total, 0
        opened = self.opening.note.get((row.rank, row.note), {}).get(row.year, 0)
        others = row.outside_fen - opened
        others += self.note_year[row.note, row.year] - self.own_year[own]
        to_date = self.raw_year[own]
        target = max(to_date - others, 0)
        if terms.duplicate_rule == "higher_of":
            target = to_date if to_date > others else 0
        left = max(target - self.offered_year[own], 0)
        if total == 0:
            left = 0
        if self.trace:
            step = terms.duplicate_rule
            self.steps.append(Step(row.number, step, DUPLICATE_KEY, to_date, others, total, left))
        return left, cut_bit(terms.duplicate_rule) if left < total else 0

    def _record(self, row: Row, own: tuple[int, int, int], granted: tuple[int, ...]) -> None:
        total = sum(granted)
        self.note_year[row.note, row.year] += total
        self.own_year[own] += total
        so_far = self.period[row.period, row.rank]
        for place, amount in enumerate(granted):
            so_far[place] += amount
        for place, cap in self.caps[row.rank]:
            self.used[_slot(place, cap, row, _entity(cap, row))] += total


def _entity(cap: AmountCap, row: Row) -> int:
    if cap.per == "note":
        return row.note
    return row.project_id if cap.per == "project" else row.enterprise_id


def _slot(place: int, cap: AmountCap, row: Row, entity: int) -> tuple[int, int, int, int]:
    return row.rank, place, entity, row.year if cap.span == "year" else 0


def _cap_day(limit: Dated, row: Row) -> datetime.date:
    if limit.by == "drawdown":
        return row.drawn_on
    if limit.by == "collection":
        return row.collected_on
    return row.period_end - datetime.timedelta(days=1)
