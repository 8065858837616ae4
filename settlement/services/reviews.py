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

LOCK = 0x726576696577  # one proposer at a time

_WAITING = """
SELECT r.id, r.note_id, s.id, r.month, r.amount_fen, r.reason, r.document_number
FROM loans_reviewresult r JOIN settlement_scheme s ON s.code = r.scheme_code
WHERE r.result = 'disallowed' AND r.amount_fen > 0 AND r.institution_id BETWEEN %(lo)s AND %(hi)s
    AND (%(scheme)s::text IS NULL OR s.code = %(scheme)s) AND NOT EXISTS (
        SELECT 1 FROM settlement_clawback c WHERE c.origin = 'review' AND c.origin_id = r.id)
ORDER BY r.id
"""
# What was paid for the month, less what other answers for the same month claim already.
_LEFT = """
WITH paid AS (
    SELECT d.fund_institution_id AS place, t.tier, sum(t.fen) AS fen
    FROM settlement_deduction d CROSS JOIN LATERAL (VALUES ('central', d.central_fen),
        ('provincial', d.provincial_fen), ('municipal', d.municipal_fen)) AS t(tier, fen)
    WHERE d.note_id = %(note)s AND d.scheme_id = %(scheme)s AND d.collected_on >= %(month)s
        AND d.collected_on < %(month)s::date + interval '1 month'
    GROUP BY 1, 2
), claimed AS (
    SELECT f.institution_id AS place, f.tier, sum(c.amount_fen) AS fen
    FROM settlement_clawback c JOIN loans_reviewresult r ON r.id = c.origin_id
    JOIN settlement_fund f ON f.id = c.fund_id
    WHERE c.note_id = %(note)s AND c.origin = 'review' AND c.state <> 'dismissed'
        AND f.scheme_id = %(scheme)s AND r.month = %(month)s
    GROUP BY 1, 2
)
SELECT place, array_agg(greatest(0, p.fen - coalesce(c.fen, 0))::bigint
    ORDER BY array_position(ARRAY['central', 'provincial', 'municipal'], tier))
FROM paid p LEFT JOIN claimed c USING (place, tier) GROUP BY place
ORDER BY sum(p.fen - coalesce(c.fen, 0)) DESC, place LIMIT 1
"""


@dataclass(frozen=True)
class Proposed:
    """How many clawbacks were proposed, and the reviews that disallow more than is left of what was paid."""

    clawbacks: int
    beyond_paid: tuple[str, ...]


@transaction.atomic
def propose_disallowances(
    *, actor: str, at: datetime, scheme: str | None = None, scope: tuple[int, int] = SCOPE_ALL
) -> Proposed:
    """Propose a clawback per tier for every disallowed amount that has none yet.

    `scheme` and `scope`: only of this scheme, only notes of these institutions. The amount is shared
    between the tiers as what is left of that month's payments for the note (D11). A review that
    disallows more is told and left for the next time: more may have been paid by then.
    """
    bulk.rows("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    made = 0
    beyond = []
    asked = {"scheme": scheme, "lo": scope[0], "hi": scope[1]}
    for review_id, note_id, scheme_id, month, fen, reason, document in bulk.rows(_WAITING, asked):
        ground = Ground(
            origin=Clawback.Origin.REVIEW,
            origin_id=review_id,
            why=reason or "财政审核核减 / disallowed by finance's review",
            document_number=document,
        )
        claims = _claims(note_id, scheme_id, month, fen)
        if claims and _propose(claims, ground, actor=actor, at=at):
            made += len(claims)
        else:
            beyond.append(f"{document} {month:%Y-%m}")
    return Proposed(made, tuple(beyond))


def _claims(note_id: int, scheme_id: int, month: date, fen: int) -> list[Claim]:
    """What each tier bears of a disallowed amount; nothing if less than that is left of the month."""
    left = bulk.rows(_LEFT, {"note": note_id, "scheme": scheme_id, "month": month})
    if not left or sum(left[0][1]) < fen:
        return []
    ((place, tiers),) = left
    parts = zip(TIERS, share(tuple(tiers), fen), strict=True)
    return [_claim(note_id, scheme_id, place, tier, month, part) for tier, part in parts if part]


def _propose(claims: list[Claim], ground: Ground, *, actor: str, at: datetime) -> bool:
    """All of a review or nothing; False where staff or an order claim the rest of the year already."""
    try:
        with transaction.atomic():
            for claim in claims:
                clawbacks.propose(claim=claim, ground=ground, actor=actor, at=at)
    except DomainError as refused:
        if refused.code != "clawback_beyond_paid":
            raise
        return False
    return True


def _claim(
    note_id: int, scheme_id: int, institution_id: int, tier: str, month: date, fen: int
) -> Claim:
    fund = Fund.objects.get(
        scheme_id=scheme_id, institution_id=institution_id, tier=tier, purpose="interest"
    )
    return Claim(note_id, fund.pk, month.year, fen)
