"""What finance's monthly reviews cost: a disallowed amount becomes a proposal to take it back.

A rejection stops the subsidy by itself (the judgement ends at the rejected month, and what was paid
for later days becomes negative differences). A disallowed amount (核减) does not change what a note
earns; two people decide whether the enterprise owes it or the bank bears it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from config.kernel.models import SCOPE_ALL
from config.kernel.services import bulk
from loans.values.errors import DomainError
from settlement.engine import TIERS
from settlement.engine.tiers import share
from settlement.models import Clawback, Fund
from settlement.services import clawbacks
from settlement.services.clawbacks import Claim, Ground

_WAITING = """
SELECT r.id, r.note_id, s.id, r.month, r.amount_fen, r.reason, r.document_number
FROM loans_reviewresult r JOIN settlement_scheme s ON s.code = r.scheme_code
WHERE r.result = 'disallowed' AND r.amount_fen > 0
    AND r.institution_id BETWEEN %s AND %s AND NOT EXISTS (
    SELECT 1 FROM settlement_clawback c WHERE c.origin = 'review' AND c.origin_id = r.id)
ORDER BY r.id
"""
_PAID = """
SELECT d.fund_institution_id, sum(d.central_fen)::bigint, sum(d.provincial_fen)::bigint,
    sum(d.municipal_fen)::bigint
FROM settlement_deduction d WHERE d.note_id = %s AND d.scheme_id = %s
    AND d.collected_on >= %s AND d.collected_on < %s::date + interval '1 month'
GROUP BY 1 HAVING sum(d.central_fen + d.provincial_fen + d.municipal_fen) > 0
ORDER BY 2 DESC, 3 DESC, 4 DESC, 1 LIMIT 1
"""


@dataclass(frozen=True)
class Proposed:
    """How many clawbacks were proposed, and the reviews that disallow more than is left of what was paid."""

    clawbacks: int
    beyond_paid: tuple[str, ...]


@transaction.atomic
def propose_disallowances(
    *, actor: str, at: datetime, scope: tuple[int, int] = SCOPE_ALL
) -> Proposed:
    """Propose a clawback per tier for every disallowed amount that has none yet.

    The amount is shared between the tiers as what was paid for the note in that month was (D11). A
    review that disallows more than was paid in the month, or than is not claimed back yet, is told.
    """
    made = 0
    beyond = []
    for review_id, note_id, scheme_id, month, fen, reason, document in bulk.rows(_WAITING, scope):
        ground = Ground(
            origin=Clawback.Origin.REVIEW,
            origin_id=review_id,
            why=reason or "财政审核核减 / disallowed by finance's review",
            document_number=document,
        )
        claims = _claims(note_id, scheme_id, month, fen)
        if not claims or not _propose(claims, ground, actor=actor, at=at):
            beyond.append(f"{document} {month:%Y-%m}")
            continue
        made += len(claims)
    return Proposed(made, tuple(beyond))


def _propose(claims: list[Claim], ground: Ground, *, actor: str, at: datetime) -> bool:
    """All tiers of one review, or none of them if too much is claimed back already."""
    try:
        with transaction.atomic():
            for claim in claims:
                clawbacks.propose(claim=claim, ground=ground, actor=actor, at=at)
    except DomainError as refused:
        if refused.code != "clawback_beyond_paid":
            raise
        return False
    return True


def _claims(note_id: int, scheme_id: int, month: date, fen: int) -> list[Claim]:
    """The amount by tier; none if it is more than was paid in the month."""
    paid = bulk.rows(_PAID, [note_id, scheme_id, month, month])
    if not paid or sum(paid[0][1:]) < fen:
        return []
    fund_institution, *tiers = paid[0]
    return [
        _claim(note_id, scheme_id, fund_institution, tier, month, part)
        for tier, part in zip(TIERS, share(tuple(tiers), fen), strict=True)
        if part
    ]


def _claim(
    note_id: int, scheme_id: int, institution_id: int, tier: str, month: date, fen: int
) -> Claim:
    fund = Fund.objects.get(
        scheme_id=scheme_id, institution_id=institution_id, tier=tier, purpose="interest"
    )
    return Claim(note_id, fund.pk, month.year, fen)
