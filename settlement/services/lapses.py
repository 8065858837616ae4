"""Letting people's claims lapse where a difference takes the same money back, and back again (S21)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from settlement.engine import entries
from settlement.engine.lapse import Lapsed
from settlement.models import ClawbackLapse, Event
from settlement.services import funds
from settlement.services.funds import Held, Posting


@dataclass(frozen=True)
class Lapse:
    """Which claims: of which note and year of collection, and the chunk or guarantee posting that tells."""

    institution_id: int
    note_id: int
    year: int
    origin_id: int


def book(*, lapse: Lapse, lapsed: Lapsed, fund: Held, on: date, actor: str) -> None:
    """Record and enter what lapses (below zero: comes back) of a note's claims, if anything does."""
    if not lapsed.amount_fen:
        return
    row = ClawbackLapse.objects.create(
        institution_id=lapse.institution_id,
        note_id=lapse.note_id,
        fund_id=fund.id,
        origin_id=lapse.origin_id,
        year=lapse.year,
        amount_fen=lapsed.amount_fen,
        settled_fen=lapsed.settled_fen,
        posted_on=on,
        actor=actor,
    )
    funds.post(
        fund=fund,
        posting=Posting(Event.CLAWBACK_LAPSED, on, f"lapse {row.pk}", row.pk, actor),
        lines=entries.clawback_lapsed(lapsed.amount_fen, settled_fen=lapsed.settled_fen),
        year=fund.open_year(lapse.year),
    )
