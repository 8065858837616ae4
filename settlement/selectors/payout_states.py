"""Where each pay-out stands, and how long those not paid by the end of their day are overdue (MF-25)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from config.kernel.services.bulk import rows

# The last attempt at the pay-out `t`, as `l`.
LATEST = """LEFT JOIN LATERAL (
    SELECT a.attempt, a.state, r.paid_on FROM settlement_payoutattempt a
    LEFT JOIN settlement_payoutresult r ON r.attempt_id = a.id
    WHERE a.payout_id = t.id ORDER BY a.attempt DESC LIMIT 1) l ON true"""
STATE = "CASE WHEN l.state IS NULL OR l.state = 'refused' THEN 'waiting' ELSE l.state END"
OVERDUE = "greatest(0, CASE WHEN l.state = 'paid' THEN l.paid_on ELSE {today} END - t.due_on)"
FREE = "(l.state IS NULL OR l.state IN ('refused', 'failed'))"
AMOUNT = "(t.central_fen + t.provincial_fen + t.municipal_fen)"
STATES = ("waiting", "prepared", "sent", "failed", "paid")


@dataclass(frozen=True)
class Standing:
    """The pay-outs in one state: how many, how much in fen, and what of it is unpaid after its day."""

    state: str
    count: int
    fen: int
    overdue_count: int
    overdue_fen: int
    oldest_days: int


def standings(*, day: date, scope: tuple[int, int]) -> list[Standing]:
    """The pay-outs due by `day` at these institutions, by state; days overdue are counted to `day`."""
    found = rows(
        f"""
        SELECT state, count(*), sum(fen)::bigint, count(*) FILTER (WHERE days > 0),
            coalesce(sum(fen) FILTER (WHERE days > 0), 0)::bigint, max(days)
        FROM (SELECT {STATE} AS state, {AMOUNT} AS fen,
                CASE WHEN l.state = 'paid' THEN 0 ELSE %(day)s::date - t.due_on END AS days
            FROM settlement_payout t {LATEST}
            WHERE t.due_on <= %(day)s AND t.institution_id BETWEEN %(lo)s AND %(hi)s) x
        GROUP BY state
        """,
        {"day": day, "lo": scope[0], "hi": scope[1]},
    )
    return sorted((Standing(*row) for row in found), key=lambda one: STATES.index(one.state))
