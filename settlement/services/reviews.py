"""What finance's monthly reviews cost: a disallowed amount becomes a proposal to take it back.

A rejection stops the subsidy by itself (the judgement ends at the rejected month, and what was paid
for later days becomes negative differences). A disallowed amount (核减) does not change what a note
earns; two people decide whether the enterprise owes it or the bank bears it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from config.kernel.services import bulk
from settlement.engine import TIERS
from settlement.engine.tiers import share
from settlement.models import Clawback, Fund
from settlement.services import clawbacks
from settlement.services.clawbacks import Claim, Ground

_WAITING = """
SELECT r.id, r.note_id, s.id, r.month, r.amount_fen, r.reason, r.document_number
FROM loans_reviewresult r JOIN settlement_scheme s ON s.code = r.scheme_code
WHERE r.result = 'disallowed' AND r.amount_fen > 0 AND NOT EXISTS (
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
    """How many clawbacks were proposed, and the reviews that disallow more than was paid."""

    clawbacks: int
    beyond_paid: tuple[str, ...]


@transaction.atomic
def propose_disallowances(*, actor: str, at: datetime) -> Proposed:
    """Propose a clawback per tier for every disallowed amount that has none yet.

    The amount is shared between the tiers as what was paid for the note in that month was (D11).
    """
    made = 0
    beyond = []
    for review_id, note_id, scheme_id, month, fen, reason, document in bulk.rows(_WAITING):
        paid = bulk.rows(_PAID, [note_id, scheme_id, month, month])
        if not paid or sum(paid[0][1:]) < fen:
            beyond.append(f"{document} {month:%Y-%m}")
            continue
        ground = Ground(
            origin=Clawback.Origin.REVIEW,
            origin_id=review_id,
            why=reason or "财政审核核减 / disallowed by finance's review",
            document_number=document,
        )
        fund_institution, *tiers = paid[0]
        for tier, part in zip(TIERS, share(tuple(tiers), fen), strict=True):
            if part:
                claim = _claim(note_id, scheme_id, fund_institution, tier, month, part)
                clawbacks.propose(claim=claim, ground=ground, actor=actor, at=at)
                made += 1
    return Proposed(made, tuple(beyond))


def _claim(
    note_id: int, scheme_id: int, institution_id: int, tier: str, month: date, fen: int
) -> Claim:
    fund = Fund.objects.get(
        scheme_id=scheme_id, institution_id=institution_id, tier=tier, purpose="interest"
    )
    return Claim(note_id, fund.pk, month.year, fen)
