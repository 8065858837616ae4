"""What people have claimed of notes, what is paid for them, and what has lapsed of the claims (S21)."""

from __future__ import annotations

from collections.abc import Collection

from config.kernel.services.bulk import rows
from settlement.engine.lapse import Lapsed, Standing

Key = tuple[int, int, int]
"""Note id, fund id, year of collection."""

# A claim entered in a later year than its own was decided after its year was settled (S18).
_STANDING = """
SELECT c.note_id, c.fund_id, c.year, c.claimed, c.settled, coalesce(paid.fen, 0)::bigint,
    coalesce(gone.fen, 0)::bigint, coalesce(gone.settled, 0)::bigint
FROM (
    SELECT o.note_id, o.fund_id, o.year::int, sum(o.amount_fen)::bigint AS claimed,
        coalesce(sum(o.amount_fen) FILTER (WHERE e.year > o.year), 0)::bigint AS settled
    FROM settlement_clawback o JOIN settlement_ledgerentry e ON e.fund_id = o.fund_id
        AND e.event = 'clawback_decided' AND e.source_id = o.id
    WHERE o.note_id = ANY(%s) AND o.state = 'decided' AND o.origin <> 'difference'
    GROUP BY o.note_id, o.fund_id, o.year
) c JOIN settlement_fund f ON f.id = c.fund_id
CROSS JOIN LATERAL (
    SELECT sum(p.fen) AS fen FROM (
        SELECT CASE f.tier WHEN 'central' THEN d.central_fen WHEN 'provincial' THEN d.provincial_fen
            ELSE d.municipal_fen END AS fen
        FROM settlement_deduction d WHERE f.purpose = 'interest' AND d.note_id = c.note_id
            AND d.scheme_id = f.scheme_id AND d.fund_institution_id = f.institution_id
            AND extract(year FROM d.collected_on) = c.year
        UNION ALL
        SELECT g.amount_fen FROM settlement_guaranteeposting g
        WHERE g.note_id = c.note_id AND g.fund_id = f.id AND extract(year FROM g.month) = c.year
    ) p
) paid
CROSS JOIN LATERAL (
    SELECT sum(l.amount_fen) AS fen, sum(l.settled_fen) AS settled FROM settlement_clawbacklapse l
    WHERE l.note_id = c.note_id AND l.fund_id = c.fund_id AND l.year = c.year
) gone
"""


def standing(*, note_ids: Collection[int]) -> dict[Key, Standing]:
    """Where people have claimed something of these notes; empty for nearly all of them."""
    return {
        (note, fund, year): Standing(claimed, settled, paid, Lapsed(*gone))
        for note, fund, year, claimed, settled, paid, *gone in rows(_STANDING, [list(note_ids)])
    }
