"""What a settlement claims and where it leaves a fund: entries in, figures out (domain §5, §6).

A settlement covers the entries of one year that no earlier one has covered, up to an entry number; a
liquidation covers whatever is left of all years. Coverings never overlap, so the parts of a year add
up to the year, and all settlements with the liquidation add up to the ledger.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

SETTLING = frozenset({"use_approved", "use_disallowed", "surplus_returned"})
"""Events by which settlements themselves are booked: nothing to be settled in turn."""
CLAIMING = ("clawback_decided", "clawback_lapsed")
"""Events by which people claim something back, and by which that lapses again."""


@dataclass(frozen=True)
class Entry:
    """One ledger entry of a fund: what it moved in each account, debit − credit, in fen."""

    number: int
    event: str
    year: int
    special_account: int = 0
    treasury_advance: int = 0
    subsidy_applied: int = 0
    bank_advance: int = 0
    clawback_receivable: int = 0
    disallowed: int = 0

    @property
    def position(self) -> int:
        """What it moved in the special account less the bank's own advance."""
        return self.special_account + self.bank_advance


@dataclass(frozen=True)
class Covered:
    """Up to which entry number a fund is settled: of each year, and of all years by liquidation."""

    years: Mapping[int, int] = field(default_factory=dict)
    liquidated: int = 0

    def holds(self, entry: Entry) -> bool:
        """Has an earlier settlement counted this entry?"""
        return entry.number <= max(self.liquidated, self.years.get(entry.year, 0))

    def and_(self, *, year: int | None, through: int) -> Covered:
        """The same after one more settlement (no year: a liquidation)."""
        if year is None:
            return Covered(self.years, max(self.liquidated, through))
        before = self.years.get(year, 0)
        return Covered({**self.years, year: max(before, through)}, self.liquidated)


@dataclass(frozen=True)
class Figures:
    """One fund in one settlement, in fen. Two lines tie, and the database checks both:

    opening + received − used + clawed_back + made_good − returned = surplus − gap, and
    receivable_opening − adjusted + clawback_decided + clawback_settled − clawed_back − written_off =
    receivable.
    """

    through_number: int
    opening_fen: int  # special account less bank advance, before the covered entries
    received_fen: int  # from finance; taken back counts against it
    used_fen: int  # subsidies paid on the treasury's behalf, here and before the system took over
    adjusted_fen: int  # negative differences, as a negative amount (D20)
    clawback_decided_fen: int  # lowers the claim; what lapsed into differences counts against it
    clawback_settled_fen: int  # decided of a settled year: owed to finance, no part of the claim
    clawed_back_fen: int  # received from enterprises, or offset against their subsidies
    written_off_fen: int  # clawbacks the bank bears
    made_good_fen: int  # paid in by the bank for what it bears
    returned_fen: int  # surplus returned by an earlier liquidation
    claimed_fen: int  # used + adjusted − clawback_decided
    surplus_fen: int  # left in the special account after repaying the bank's own advance
    gap_fen: int  # or: what the bank has advanced beyond it
    receivable_opening_fen: int  # owed by enterprises before the covered entries
    receivable_fen: int  # … and after them


def uncovered(entries: Iterable[Entry], covered: Covered, *, year: int | None) -> list[Entry]:
    """Entries of the year (None: of all years) that no settlement has counted yet."""
    return [entry for entry in entries if year in (None, entry.year) and not covered.holds(entry)]


def is_anything_to_settle(entries: Iterable[Entry]) -> bool:
    """Is there more than the bookings of settlements themselves?"""
    return any(entry.event not in SETTLING for entry in entries)


def figures(
    entries: Sequence[Entry], covered: Covered, *, year: int | None, through: int
) -> Figures:
    """What does a settlement of the year (None: a liquidation) up to that entry number say?

    `entries` are all entries of one fund.
    """
    before = [entry for entry in entries if covered.holds(entry)]
    taken = [one for one in uncovered(entries, covered, year=year) if one.number <= through]
    opening = sum(entry.position for entry in before)
    position = opening + sum(entry.position for entry in taken)
    owed = sum(entry.clawback_receivable for entry in before)
    return Figures(
        through_number=through,
        opening_fen=opening,
        received_fen=-_sum(taken, "treasury_advance", "pre_allocation"),
        used_fen=_sum(taken, "subsidy_applied", "deduction", "taken_over"),
        adjusted_fen=_sum(taken, "subsidy_applied", "negative_difference"),
        clawback_decided_fen=-_sum(taken, "subsidy_applied", *CLAIMING),
        clawback_settled_fen=-_sum(taken, "treasury_advance", *CLAIMING),
        clawed_back_fen=-_sum(taken, "clawback_receivable", "clawback_received", "deduction"),
        written_off_fen=-_sum(taken, "clawback_receivable", "clawback_written_off"),
        made_good_fen=-_sum(taken, "disallowed", "made_good"),
        returned_fen=_sum(taken, "treasury_advance", "surplus_returned"),
        claimed_fen=sum(one.subsidy_applied for one in taken if one.event not in SETTLING),
        surplus_fen=max(position, 0),
        gap_fen=max(-position, 0),
        receivable_opening_fen=owed,
        receivable_fen=owed + sum(entry.clawback_receivable for entry in taken),
    )


def _sum(entries: Iterable[Entry], account: str, *events: str) -> int:
    return sum(getattr(entry, account) for entry in entries if entry.event in events)


def fault_of_decision(claimed_fen: int, approved_fen: int) -> tuple[str, str] | None:
    """Why can finance not approve this much of a claim? In Chinese and English; None if it can.

    A claim below zero (corrections outweigh use) is in finance's favour: there is nothing to refuse.
    """
    if claimed_fen < 0 and approved_fen != claimed_fen:
        return "申报额为负数时须全额认可", "a claim below zero is approved as it is"
    if claimed_fen >= 0 and not 0 <= approved_fen <= claimed_fen:
        return "认可额须在 0 与申报额之间", "approve between zero and what is claimed"
    return None
