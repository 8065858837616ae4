"""Booking what finance paid ahead, once a second person has checked it (SME-12, EQ-06, MF-23, ST-16)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from config.kernel.models import SCOPE_ALL
from config.kernel.services import bulk
from loans.values.errors import DomainError, bilingual
from settlement.engine import entries
from settlement.models import Event, Fund
from settlement.services import funds
from settlement.services.funds import FundKey, Posting


@dataclass(frozen=True)
class Booked:
    """How many receipts were booked, how many fen in all, and how many still wait for a checker."""

    receipts: int
    amount_fen: int
    waiting: int


_CHECK = """
INSERT INTO settlement_receipt
    (institution_id, pre_allocation_id, made_by, made_at, checked_by, checked_at)
SELECT p.institution_id, p.id, coalesce(b.actor, 'system'), coalesce(b.at, %(at)s), %(actor)s, %(at)s
FROM loans_preallocation p LEFT JOIN loans_importbatch b ON b.id = p.batch_id
WHERE coalesce(b.actor, 'system') <> %(actor)s AND (%(ids)s::bigint[] IS NULL OR p.id = ANY(%(ids)s))
    AND (%(made_by)s::text IS NULL OR coalesce(b.actor, 'system') = %(made_by)s)
    AND p.institution_id BETWEEN %(lo)s AND %(hi)s
    AND NOT EXISTS (SELECT 1 FROM settlement_receipt r WHERE r.pre_allocation_id = p.id)
ORDER BY p.id
ON CONFLICT (pre_allocation_id) DO NOTHING
RETURNING pre_allocation_id
"""
_CHECKED = """
SELECT p.id, p.institution_id, s.id, p.tier, p.purpose, p.received_on, p.amount_fen, p.document_number
FROM loans_preallocation p JOIN settlement_scheme s ON s.code = p.scheme_code
WHERE p.id = ANY(%s) ORDER BY p.received_on, p.id
"""
_WAITING = """
SELECT count(*) FROM loans_preallocation p
WHERE NOT EXISTS (SELECT 1 FROM settlement_receipt r WHERE r.pre_allocation_id = p.id)
"""


@transaction.atomic
def book_pre_allocations(
    *,
    actor: str,
    at: datetime,
    ids: Collection[int] | None = None,
    made_by: str | None = None,
    scope: tuple[int, int] = SCOPE_ALL,
) -> Booked:
    """Let `actor` check these pre-allocations (None: all) and book them, oldest first.

    `made_by` and `scope` narrow them to what one person brought in, and to some institutions. Left
    alone: what the actor brought in, and what is booked. The bank's own advance is repaid first
    (D19). Each belongs to the year it was received in, or to the open one if that is settled.
    """
    asked = {"ids": None if ids is None else sorted(ids), "made_by": made_by}
    checked = bulk.rows(_CHECK, {"actor": actor, "at": at, "lo": scope[0], "hi": scope[1], **asked})
    rows = bulk.rows(_CHECKED, [[row[0] for row in checked]])
    _lock({FundKey(*row[1:5]) for row in rows})
    total_fen = 0
    for key, place, scheme, tier, purpose, day, fen, document in rows:
        posting = Posting(Event.PRE_ALLOCATION, at.date(), document, key, actor)
        fund = FundKey(place, scheme, tier, purpose)
        funds.receive(key=fund, amount_fen=fen, posting=posting, year=day.year)
        total_fen += fen
    ((waiting,),) = bulk.rows(_WAITING)
    return Booked(len(rows), total_fen, waiting)


def _lock(keys: set[FundKey]) -> None:
    """All funds at once, in the order in which runs lock them: nobody waits in a circle."""
    funds.lock(fund_ids=funds.open_funds(keys=keys).values())


@transaction.atomic
def book_pre_allocation(*, pre_allocation_id: int, actor: str, at: datetime) -> None:
    """Let `actor` check and book one; DomainError `pre_allocation_not_booked` says why not."""
    if book_pre_allocations(actor=actor, at=at, ids=[pre_allocation_id]).receipts:
        return
    raise DomainError(
        "pre_allocation_not_booked",
        bilingual(
            "未入账：已入账的不再变动，本人登记的须由另一人复核",
            "not booked: what is booked stays as it is, and what you entered another must check",
        ),
    )


def lines_if_booked(*, pre_allocation_id: int) -> list[tuple[Event, entries.Lines]]:
    """What the ledger will say once it is booked, for whoever is to check it; nothing is locked."""
    ((_, place, scheme, tier, purpose, _, fen, _),) = bulk.rows(_CHECKED, [[pre_allocation_id]])
    known = Fund.objects.filter(
        institution_id=place, scheme_id=scheme, tier=tier, purpose=purpose
    ).first()
    available = known.available_fen if known is not None else 0
    owed = -known.bank_advance_fen if known is not None else 0
    received = entries.pre_allocation(fen, available_fen=available)
    available += entries.net(received, "special_account")
    owed -= entries.net(received, "bank_advance")
    repaid = entries.advance_repaid(owed_fen=owed, available_fen=available)
    found = ((Event.PRE_ALLOCATION, received), (Event.ADVANCE_REPAID, repaid))
    return [(event, lines) for event, lines in found if lines]
