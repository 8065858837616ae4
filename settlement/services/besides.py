"""What a posting books besides deductions: opening positions and guarantee fees, as a trial showed them.

A trial keeps every row, so that what is booked in the end is compared row by row, under the locks by
which it is booked. Sums by fund are for people to look at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from settlement.models import Recomputation
from settlement.selectors.guarantee_postings import Due
from settlement.services.funds import FundKey
from settlement.services.guarantee_postings import due_fees, fund_keys, waiting_fees
from settlement.services.schemes import Book
from settlement.services.taken_over import Change, changes

OPENING, FEE, WAITING = "opening", "fee", "waiting"
Row = tuple[int | str, ...]


@dataclass(frozen=True)
class Besides:
    """Opening positions and guarantee fees to be booked; `waiting`: fees a holding fund lacks money for."""

    openings: tuple[Change, ...]
    fees: dict[Due, FundKey]
    waiting: frozenset[Due]

    @property
    def is_nothing(self) -> bool:
        """Whether none of it would be booked with the money there is."""
        return not self.openings and self.waiting == self.fees.keys()

    def rows(self) -> dict[str, list[Row]]:
        """Every row, as a trial keeps it."""
        return {
            "openings": [one.row for one in self.openings],
            "fees": [one.row for one in self.fees],
        }

    def sums(self) -> Iterator[dict[str, Any]]:
        """By kind, fund and year: how many, and what they add up to in fen."""
        found: dict[tuple[str, FundKey, int], list[int]] = {}
        for one in self.openings:
            found.setdefault((OPENING, one.key, one.year), []).append(one.amount_fen)
        for fee, key in self.fees.items():
            kind = WAITING if fee in self.waiting else FEE
            found.setdefault((kind, key, fee.starts_on.year), []).append(fee.change_fen)
        for (kind, key, year), amounts in sorted(found.items()):
            yield {
                "kind": kind,
                "fund_institution_id": key.institution_id,
                "scheme_id": key.scheme_id,
                "tier": key.tier,
                "year": year,
                "count": len(amounts),
                "amount_fen": sum(amounts),
            }


@dataclass(frozen=True)
class Seen:
    """The rows that a trial showed, and nothing else, may be booked."""

    openings: frozenset[Row]
    fees: frozenset[Row]

    def covers(self, found: Besides) -> bool:
        """Whether all of it was shown."""
        rows = found.rows()
        return self.openings.issuperset(rows["openings"]) and self.fees.issuperset(rows["fees"])


def besides(*, book: Book, through: date, scope: tuple[int, int]) -> Besides:
    """What is to be booked of it now, of funds and notes of these institutions."""
    fees = fund_keys(due_fees(through=through, scope=scope), book)
    return Besides(tuple(changes(scope=scope)), fees, waiting_fees(fees, book))


def seen_in(trial: dict[str, Any] | None) -> Seen:
    """What this trial showed."""
    kept = (trial or {}).get("besides", {})
    openings, fees = (frozenset(map(tuple, kept.get(name, ()))) for name in ("openings", "fees"))
    return Seen(openings, fees)


def seen_of(recomputation_id: int | None) -> Seen | None:
    """What the trial of a recomputation showed; None for a run that none stands behind."""
    if recomputation_id is None:
        return None
    return seen_in(Recomputation.objects.get(pk=recomputation_id).trial)
