"""Records behind ledger entries, tied to them both ways: receipts, clawbacks, movements, plans.

What a record says must be what its entry booked, and an entry must have its record. Every check
returns lines that name the record or, where that is gone, the entry.
"""

from __future__ import annotations

from config.kernel.services import bulk

# Records that one entry each books: (event, source_id, fund, wording, checker, year, fen moved in an
# account, and what to call the record).
_RECEIPT = """
SELECT 'pre_allocation' AS event, p.id AS source_id, f.fund_id, p.document_number AS source,
    r.checked_by AS actor, extract(year FROM p.received_on) AS year,
    'treasury_advance' AS account, -p.amount_fen AS fen, p.document_number AS place
FROM settlement_receipt r JOIN loans_preallocation p ON p.id = r.pre_allocation_id
LEFT JOIN settlement_scheme s ON s.code = p.scheme_code
-- The fund is that of the institution named, or of one above it; its entry says of which.
LEFT JOIN LATERAL (
    SELECT f.id AS fund_id FROM settlement_fund f JOIN kernel_institution i ON i.id = f.institution_id
    LEFT JOIN settlement_ledgerentry e ON e.fund_id = f.id AND e.event = 'pre_allocation'
        AND e.source_id = p.id
    WHERE f.scheme_id = s.id AND f.tier = p.tier AND f.purpose = p.purpose
        AND p.institution_id BETWEEN i.id AND i.last_id
    ORDER BY e.id IS NULL, f.institution_id DESC LIMIT 1
) f ON true
WHERE p.amount_fen <> 0
"""
_DECIDED = """
SELECT 'clawback_decided', c.id, c.fund_id, 'clawback ' || c.id, c.checked_by, c.year,
    'clawback_receivable', c.amount_fen, '#' || c.id
FROM settlement_clawback c WHERE c.state = 'decided' AND c.origin <> 'difference'
"""
_MOVEMENT = """
SELECT 'clawback_' || m.kind, m.id, c.fund_id, 'clawback ' || c.id, m.checked_by, c.year,
    'clawback_receivable', -m.amount_fen, '#' || c.id || '/' || m.id
FROM settlement_clawbackmovement m JOIN settlement_clawback c ON c.id = m.clawback_id
WHERE m.kind IN ('received', 'written_off') AND m.checked_by IS NOT NULL AND m.refused_why = ''
"""
_LAPSED = """
SELECT 'clawback_lapsed', l.id, l.fund_id, 'lapse ' || l.id, l.actor, l.year, b.account, b.fen,
    'lapse #' || l.id
FROM settlement_clawbacklapse l CROSS JOIN LATERAL (VALUES
    ('clawback_receivable', -l.amount_fen), ('treasury_advance', l.settled_fen)) AS b(account, fen)
"""
_MADE_GOOD = """
SELECT 'made_good', m.id, m.fund_id, m.reference, m.checked_by, extract(year FROM m.moved_on),
    'special_account', m.amount_fen, m.reference
FROM settlement_madegood m WHERE m.checked_by IS NOT NULL AND m.refused_why = ''
"""
_SETTLED = """
SELECT b.event, i.id, i.fund_id, s.document_number, s.booked_by, s.year, b.account, b.fen,
    '#' || s.id
FROM settlement_settlementitem i JOIN settlement_settlement s ON s.id = i.settlement_id
CROSS JOIN LATERAL (VALUES ('use_approved', 'treasury_advance', i.approved_fen),
    ('use_disallowed', 'disallowed', i.disallowed_fen)) AS b(event, account, fen)
WHERE s.state = 'booked' AND b.fen <> 0
"""
_BOOKED = f"""
WITH said AS ({" UNION ALL ".join((_RECEIPT, _DECIDED, _LAPSED, _MOVEMENT, _MADE_GOOD, _SETTLED))})
SELECT DISTINCT coalesce(said.event, e.event) || ' ' || coalesce(said.place, '分录 entry #' || e.id)
FROM said FULL JOIN (
    SELECT * FROM settlement_ledgerentry WHERE event IN ('pre_allocation', 'clawback_decided',
        'clawback_lapsed', 'clawback_received', 'clawback_written_off', 'made_good', 'use_approved', 'use_disallowed')
) e ON e.event = said.event AND e.source_id = said.source_id AND e.fund_id = said.fund_id
WHERE said.source_id IS NULL OR e.id IS NULL OR e.source <> said.source OR e.actor <> said.actor
    OR e.year < said.year OR said.fen <> (
        SELECT coalesce(sum(l.debit_fen - l.credit_fen), 0) FROM settlement_ledgerline l
        WHERE l.entry_id = e.id AND l.account = said.account)
ORDER BY 1
"""
# What recomputations lowered of a note and no claim lapsed by, against what its enterprise owes for it.
_DIFFERENCES = """
SELECT coalesce(string_agg('#' || x.clawback_id, ' ' ORDER BY x.clawback_id),
    '借据 note ' || (SELECT n.note_number FROM loans_note n WHERE n.id = x.note_id) || ' ' || x.year)
FROM (
    SELECT d.run_id, d.note_id, f.id AS fund_id, extract(year FROM d.collected_on) AS year,
        NULL::bigint AS clawback_id, -t.fen AS fen
    FROM settlement_deduction d CROSS JOIN LATERAL (VALUES ('central', d.central_fen),
        ('provincial', d.provincial_fen), ('municipal', d.municipal_fen)) AS t(tier, fen)
    LEFT JOIN settlement_fund f ON f.institution_id = d.fund_institution_id
        AND f.scheme_id = d.scheme_id AND f.tier = t.tier AND f.purpose = 'interest'
    WHERE t.fen < 0
    UNION ALL
    SELECT k.run_id, l.note_id, l.fund_id, l.year, NULL, -l.amount_fen
    FROM settlement_clawbacklapse l JOIN settlement_fund f ON f.id = l.fund_id
    LEFT JOIN kernel_chunk k ON k.id = l.origin_id WHERE f.purpose = 'interest'
    UNION ALL
    SELECT k.run_id, c.note_id, c.fund_id, c.year, c.id, -c.amount_fen
    FROM settlement_clawback c JOIN settlement_fund f ON f.id = c.fund_id
    LEFT JOIN kernel_chunk k ON k.id = c.origin_id
    WHERE c.origin = 'difference' AND f.purpose = 'interest'
) x GROUP BY x.run_id, x.note_id, x.fund_id, x.year HAVING sum(x.fen) <> 0
ORDER BY 1
"""
# What people claimed beyond what was paid, against what has lapsed of it.
_CLAIMS = """
SELECT '借据 note ' || n.note_number || ' ' || coalesce(c.year, l.year) || ': ' || coalesce(l.fen, 0) || ' ≠ ' || coalesce(c.fen, 0)
FROM (
    SELECT o.note_id, o.fund_id, o.year, least(sum(o.amount_fen), greatest(0, sum(o.amount_fen) - (
        SELECT coalesce(sum(t.fen), 0) FROM settlement_deduction d CROSS JOIN LATERAL (VALUES
            ('central', d.central_fen), ('provincial', d.provincial_fen),
            ('municipal', d.municipal_fen)) AS t(tier, fen)
        WHERE f.purpose = 'interest' AND d.note_id = o.note_id AND d.scheme_id = f.scheme_id
            AND d.fund_institution_id = f.institution_id AND t.tier = f.tier
            AND extract(year FROM d.collected_on) = o.year
    ) - (
        SELECT coalesce(sum(g.amount_fen), 0) FROM settlement_guaranteeposting g
        WHERE g.note_id = o.note_id AND g.fund_id = f.id AND extract(year FROM g.month) = o.year
    ))) AS fen
    FROM settlement_clawback o JOIN settlement_fund f ON f.id = o.fund_id
    WHERE o.state = 'decided' AND o.origin <> 'difference' GROUP BY o.note_id, o.fund_id, f.id, o.year
) c FULL JOIN (
    SELECT note_id, fund_id, year, sum(amount_fen) AS fen FROM settlement_clawbacklapse
    GROUP BY 1, 2, 3
) l ON l.note_id = c.note_id AND l.fund_id = c.fund_id AND l.year = c.year
JOIN loans_note n ON n.id = coalesce(c.note_id, l.note_id)
WHERE coalesce(c.fen, 0) <> coalesce(l.fen, 0) ORDER BY 1
"""
# … and how much of it was owed to finance, each claim by its own entry.
_CLAIMS_SETTLED = """
SELECT '借据 note ' || n.note_number || ' ' || l.year || ': ' || l.settled || ' ≠ ' ||
    least(l.fen, coalesce(s.fen, 0))
FROM (
    SELECT note_id, fund_id, year, sum(amount_fen) AS fen, sum(settled_fen) AS settled
    FROM settlement_clawbacklapse GROUP BY 1, 2, 3
) l LEFT JOIN LATERAL (
    SELECT sum(x.credit_fen) AS fen FROM settlement_clawback o
    JOIN settlement_ledgerentry e ON e.fund_id = o.fund_id AND e.event = 'clawback_decided'
        AND e.source_id = o.id
    JOIN settlement_ledgerline x ON x.entry_id = e.id AND x.account = 'treasury_advance'
    WHERE o.note_id = l.note_id AND o.fund_id = l.fund_id AND o.year = l.year
) s ON true JOIN loans_note n ON n.id = l.note_id
WHERE l.settled <> least(l.fen, coalesce(s.fen, 0)) ORDER BY 1
"""
_OFFSETS = """
SELECT coalesce(m.places, '分块 chunk ' || e.source_id) || ': ' || coalesce(m.fen, 0) || ' ≠ ' ||
    coalesce(e.fen, 0)
FROM (
    SELECT m.chunk_id, c.fund_id, sum(m.amount_fen) AS fen,
        string_agg('#' || c.id || '/' || m.id, ' ' ORDER BY m.id) AS places
    FROM settlement_clawbackmovement m JOIN settlement_clawback c ON c.id = m.clawback_id
    WHERE m.kind = 'offset' GROUP BY 1, 2
) m FULL JOIN (
    SELECT e.source_id, e.fund_id, sum(l.credit_fen) AS fen
    FROM settlement_ledgerentry e JOIN settlement_ledgerline l ON l.entry_id = e.id
    WHERE e.event = 'deduction' AND l.account = 'clawback_receivable' GROUP BY 1, 2
) e ON e.source_id = m.chunk_id AND e.fund_id = m.fund_id
WHERE coalesce(m.fen, 0) <> coalesce(e.fen, 0) ORDER BY 1
"""
_SWITCHED = """
SELECT '#' || c.id FROM settlement_clawback c CROSS JOIN LATERAL (
    SELECT m.kind FROM settlement_clawbackmovement m WHERE m.clawback_id = c.id
        AND m.kind IN ('offset_on', 'offset_off') AND m.checked_by IS NOT NULL AND m.refused_why = ''
    ORDER BY m.checked_at DESC, m.id DESC LIMIT 1
) last WHERE c.is_offset <> (last.kind = 'offset_on') ORDER BY c.id
"""
_PLANS = """
SELECT '#' || p.id || ': ' || p.planned_fen || ' ≠ ' ||
    coalesce(sum(d.central_fen + d.provincial_fen + d.municipal_fen), 0)
FROM settlement_plan p LEFT JOIN settlement_planneddeduction d ON d.plan_id = p.id GROUP BY p.id
HAVING p.planned_fen <> coalesce(sum(d.central_fen + d.provincial_fen + d.municipal_fen), 0)
ORDER BY p.id
"""
_PARTS = """
SELECT string_agg('#' || s.id, ' ' ORDER BY s.id) FROM settlement_settlement s
WHERE s.state <> 'withdrawn' GROUP BY s.institution_id, s.scheme_id, s.kind, s.year
HAVING max(s.part) <> count(*) ORDER BY 1
"""
_RULES = (
    ("记录与其分录不符 / a record differs from its entry", _BOOKED),
    ("重算追回与负差额不符 / a clawback differs from what was lowered", _DIFFERENCES),
    ("并入差额的追回与应并入不符 / lapsed claims differ from what is claimed twice", _CLAIMS),
    ("并入差额的已结算年度追回不符 / lapsed claims of settled years differ", _CLAIMS_SETTLED),
    ("抵扣与入账不符 / offsets differ from their entry", _OFFSETS),
    ("抵扣方式与最后一次变更不符 / whether to offset differs from the last change", _SWITCHED),
    ("计划与其明细不符 / a plan differs from its rows", _PLANS),
    ("结算期次不连续 / parts of a settlement with gaps", _PARTS),
)


def verify_records() -> list[str]:
    """What does not agree between records and what was booked of them; empty if all does."""
    return [f"{wrong}: {place}" for wrong, query in _RULES for (place,) in bulk.rows(query)]
