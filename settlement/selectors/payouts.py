"""Which posted deductions are paid out instead of netted, and how much of each (MF-25)."""

from __future__ import annotations

from collections.abc import Collection

from config.kernel.services.bulk import rows

# The agreement in force on the day of collection; one for the scheme goes before one for all.
AGREED = """(
    SELECT a.id FROM loans_payoutagreement a
    WHERE a.note_id = {note} AND a.scheme_code IN ('', {scheme})
        AND {day} BETWEEN a.valid_from AND coalesce(a.valid_to, 'infinity')
    ORDER BY a.scheme_code = '', a.valid_from DESC LIMIT 1)"""

COLUMNS = (
    "note_id", "collection_id", "scheme_id", "sequence", "agreement_id", "due_on", "central_fen",
    "provincial_fen", "municipal_fen", "offset_fen",
)  # fmt: skip

# What is offset in a run against an enterprise's debts to a fund is taken off its deductions of that
# run and fund in the order of collection, as it was when they were posted.
DERIVED = f"""
WITH parts AS (
    SELECT d.run_id, d.institution_id, d.note_id, d.collection_id, d.scheme_id, d.sequence,
        d.collected_on, d.posted_on, c.enterprise_id, f.id AS fund_id, t.tier, t.fen,
        sum(t.fen) OVER (PARTITION BY d.run_id, c.enterprise_id, f.id
            ORDER BY d.collected_on, d.collection_id ROWS UNBOUNDED PRECEDING) AS upto
    FROM loans_contract c JOIN loans_note n ON n.contract_id = c.id
    JOIN settlement_deduction d ON d.note_id = n.id
    CROSS JOIN LATERAL (VALUES ('central', d.central_fen), ('provincial', d.provincial_fen),
        ('municipal', d.municipal_fen)) AS t(tier, fen)
    JOIN settlement_fund f ON f.institution_id = d.fund_institution_id
        AND f.scheme_id = d.scheme_id AND f.tier = t.tier AND f.purpose = 'interest'
    WHERE t.fen > 0 AND c.enterprise_id = ANY(%(enterprises)s)
        AND (%(run)s::bigint IS NULL OR d.run_id = %(run)s)
), offsets AS (
    SELECT k.run_id, b.enterprise_id, b.fund_id, sum(m.amount_fen) AS fen
    FROM settlement_clawbackmovement m JOIN settlement_clawback b ON b.id = m.clawback_id
    JOIN kernel_chunk k ON k.id = m.chunk_id
    WHERE m.kind = 'offset' AND b.enterprise_id = ANY(%(enterprises)s)
    GROUP BY k.run_id, b.enterprise_id, b.fund_id
), net AS (
    SELECT p.*, greatest(0, least(p.fen, coalesce(o.fen, 0) - (p.upto - p.fen))) AS offset_fen
    FROM parts p LEFT JOIN offsets o USING (run_id, enterprise_id, fund_id)
), summed AS (
    SELECT x.institution_id, x.note_id, x.collection_id, x.scheme_id, x.sequence,
        CASE WHEN x.sequence = 0 THEN x.collected_on ELSE x.posted_on END AS due_on,
        {AGREED.format(note="x.note_id", scheme="s.code", day="x.collected_on")} AS agreement_id,
        coalesce(sum(x.fen - x.offset_fen) FILTER (WHERE x.tier = 'central'), 0)::bigint
            AS central_fen,
        coalesce(sum(x.fen - x.offset_fen) FILTER (WHERE x.tier = 'provincial'), 0)::bigint
            AS provincial_fen,
        coalesce(sum(x.fen - x.offset_fen) FILTER (WHERE x.tier = 'municipal'), 0)::bigint
            AS municipal_fen,
        sum(x.offset_fen)::bigint AS offset_fen
    FROM net x JOIN settlement_scheme s ON s.id = x.scheme_id
    GROUP BY x.institution_id, x.note_id, x.collection_id, x.scheme_id, x.sequence, x.collected_on,
        x.posted_on, s.code
)
SELECT institution_id, {", ".join(COLUMNS)} FROM summed
WHERE agreement_id IS NOT NULL AND central_fen + provincial_fen + municipal_fen > 0
"""


def agreed_enterprises(*, among: Collection[int] | None = None) -> list[int]:
    """Which enterprises have a note with a pay-out agreement (`among` these, or all)?"""
    found = rows(
        "SELECT DISTINCT c.enterprise_id FROM loans_payoutagreement a"
        " JOIN loans_note n ON n.id = a.note_id JOIN loans_contract c ON c.id = n.contract_id"
        " WHERE %(among)s::bigint[] IS NULL OR c.enterprise_id = ANY(%(among)s)",
        {"among": None if among is None else list(among)},
    )
    return sorted(int(row[0]) for row in found)
