"""Attempts and results of pay-outs, derived again from the pay-outs, batches and results (MF-25)."""

from __future__ import annotations

from config.kernel.services import bulk

_ATTEMPTS = (
    "settlement_payoutattempt a JOIN settlement_payout p ON p.id = a.payout_id"
    " JOIN settlement_payoutbatch b ON b.id = a.batch_id"
    " LEFT JOIN settlement_payoutresult r ON r.attempt_id = a.id"
)
_PLACE = "'#' || a.payout_id || '/' || a.attempt"
_RULES = (
    (
        "拨付金额与应拨付不符 / attempt differs from its pay-out",
        f"SELECT {_PLACE} || ': ' || a.amount_fen || ' 分 fen' FROM {_ATTEMPTS}"
        " WHERE a.amount_fen <> p.central_fen + p.provincial_fen + p.municipal_fen"
        " OR a.note_id <> p.note_id ORDER BY a.id",
    ),
    (
        "拨付状态与批次、结果不符 / attempt's state differs from its batch and result",
        f"SELECT {_PLACE} || ': ' || a.state FROM {_ATTEMPTS} WHERE a.state <> CASE"
        " WHEN r.result = 'succeeded' THEN 'paid' WHEN r.result = 'failed' THEN 'failed'"
        " ELSE b.state END OR (r.id IS NOT NULL AND b.state <> 'sent') ORDER BY a.id",
    ),
    (
        "前次拨付未失败即再次拨付 / tried again although the attempt before it had not ended",
        f"SELECT {_PLACE} FROM {_ATTEMPTS} WHERE a.attempt > 1 AND NOT EXISTS (SELECT 1"
        " FROM settlement_payoutattempt o JOIN settlement_payoutbatch ob ON ob.id = o.batch_id"
        " LEFT JOIN settlement_payoutresult x ON x.attempt_id = o.id"
        " WHERE o.payout_id = a.payout_id AND o.attempt = a.attempt - 1"
        " AND (x.result = 'failed' OR ob.state = 'refused')) ORDER BY a.id",
    ),
    (
        "结果与所发拨付不符 / result differs from what was sent",
        f"SELECT {_PLACE} || ': ' || r.amount_fen || ' 分 fen, ' || r.paid_on FROM {_ATTEMPTS}"
        " WHERE r.amount_fen <> a.amount_fen OR r.paid_on < b.day ORDER BY a.id",
    ),
    (
        "批次与其明细不符 / batch differs from its attempts",
        "SELECT '#' || b.id || ': ' || b.count || ', ' || b.amount_fen || ' 分 fen'"
        " FROM settlement_payoutbatch b LEFT JOIN settlement_payoutattempt a ON a.batch_id = b.id"
        " GROUP BY b.id HAVING count(a.id) <> b.count"
        " OR coalesce(sum(a.amount_fen), 0) <> b.amount_fen ORDER BY b.id",
    ),
)


def verify_attempts() -> list[str]:
    """What differs between attempts, batches and results, each by pay-out and attempt; fen."""
    return [f"{wrong}: {place}" for wrong, query in _RULES for (place,) in bulk.rows(query)]
