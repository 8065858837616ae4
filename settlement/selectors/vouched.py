"""Which ledger entries hold the money of a deduction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from config.kernel.services.bulk import rows


@dataclass(frozen=True)
class Vouched:
    """One tier of one posting and its entry; without `entry_id` the entry is out of the reader's sight."""

    sequence: int
    institution: str
    tier: str
    entry_id: int | None
    number: int | None
    posted_on: date | None


def entries_of(*, note_id: int, collection_id: int, scheme_code: str) -> list[Vouched]:
    """The entries of each posting of a collection under a scheme, by sequence and tier.

    An entry is that of the posting's run, in the chunk that had the borrower in hand, of its fund and
    month, and on the side its money is on.
    """
    found = rows(
        """
        WITH parts AS (
            SELECT d.sequence, d.run_id, d.fund_institution_id, d.scheme_id, d.collected_on, p.tier,
                p.fen, p.place, c.enterprise_id
            FROM settlement_deduction d JOIN settlement_scheme s ON s.id = d.scheme_id
            JOIN loans_note n ON n.id = d.note_id JOIN loans_contract c ON c.id = n.contract_id
            CROSS JOIN LATERAL (VALUES ('central', d.central_fen, 1),
                ('provincial', d.provincial_fen, 2), ('municipal', d.municipal_fen, 3)
            ) AS p(tier, fen, place)
            WHERE d.note_id = %s AND d.collection_id = %s AND s.code = %s AND p.fen <> 0
        )
        SELECT p.sequence, coalesce(i.name, ''), p.tier, e.id, e.number, e.posted_on
        FROM parts p
        LEFT JOIN kernel_institution i ON i.id = p.fund_institution_id
        LEFT JOIN kernel_chunk k ON k.run_id = p.run_id
            AND k.payload -> 'enterprise_ids' @> to_jsonb(p.enterprise_id)
        LEFT JOIN settlement_fund f ON f.institution_id = p.fund_institution_id
            AND f.scheme_id = p.scheme_id AND f.tier = p.tier AND f.purpose = 'interest'
        LEFT JOIN settlement_ledgerentry e ON e.fund_id = f.id AND e.source_id = k.id
            AND e.month = date_trunc('month', p.collected_on)::date
            AND e.event = CASE WHEN p.fen > 0 THEN 'deduction' ELSE 'negative_difference' END
        ORDER BY p.sequence, p.place, e.id
        """,
        [note_id, collection_id, scheme_code],
    )
    return [Vouched(*row) for row in found]
