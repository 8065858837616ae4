"""What enterprises owe back: opened by negative differences, offset against later deductions (D20)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import F

from settlement.models import Clawback, ClawbackMovement
from settlement.services import told

Debtor = tuple[int, int]
"""Enterprise id, fund id."""


@dataclass(frozen=True)
class Owed:
    """What one note's enterprise owes one fund after a recomputation."""

    institution_id: int
    note_id: int
    enterprise_id: int
    fund_id: int
    year: int
    amount_fen: int


@dataclass(frozen=True)
class Cause:
    """The chunk of a run that opens or offsets debts, on which day and on whose behalf."""

    chunk_id: int
    on: date
    at: datetime
    actor: str


def open_debts(
    *, enterprise_ids: Collection[int], fund_ids: Collection[int]
) -> dict[Debtor, list[Clawback]]:
    """Lock what these enterprises owe these funds and is to be offset, oldest first."""
    found: dict[Debtor, list[Clawback]] = defaultdict(list)
    waiting = Clawback.objects.filter(
        enterprise_id__in=enterprise_ids,
        fund_id__in=fund_ids,
        state=Clawback.State.DECIDED,
        is_offset=True,
        amount_fen__gt=F("received_fen") + F("offset_fen") + F("written_off_fen"),
    )
    for clawback in waiting.order_by("pk").select_for_update():
        found[clawback.enterprise_id, clawback.fund_id].append(clawback)
    return found


def owe(*, amounts: Sequence[Owed], cause: Cause) -> list[Clawback]:
    """Record what recomputations lowered and nobody had claimed; the computation decides it, not two."""
    opened = Clawback.objects.bulk_create(
        Clawback(
            institution_id=one.institution_id,
            note_id=one.note_id,
            enterprise_id=one.enterprise_id,
            fund_id=one.fund_id,
            origin=Clawback.Origin.DIFFERENCE,
            origin_id=cause.chunk_id,
            year=one.year,
            amount_fen=one.amount_fen,
            state=Clawback.State.DECIDED,
            why="事实变更后重算 / recomputed after changed facts (D20)",
            made_by=cause.actor,
            made_at=cause.at,
        )
        for one in amounts
    )
    told.clawbacks_opened(opened=opened, at=cause.at)
    return opened


def offset(
    *, debts: Mapping[Debtor, list[Clawback]], debtor: Debtor, amount_fen: int, cause: Cause
) -> int:
    """Offset a deduction against what its enterprise owes the same fund; returns how much of it."""
    left = amount_fen
    for clawback in debts.get(debtor, ()):
        part = min(left, clawback.open_fen)
        if part <= 0:
            continue
        left -= part
        clawback.offset_fen += part
        clawback.save(update_fields=["offset_fen"])
        ClawbackMovement.objects.create(
            institution_id=clawback.institution_id,
            note_id=clawback.note_id,
            clawback=clawback,
            kind=ClawbackMovement.Kind.OFFSET,
            moved_on=cause.on,
            amount_fen=part,
            chunk_id=cause.chunk_id,
            made_by=cause.actor,
            made_at=cause.at,
        )
    return amount_fen - left
