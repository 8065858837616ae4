"""Guarantee-fee subsidies: what is judged against what is posted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from config.kernel.services.bulk import rows


@dataclass(frozen=True)
class Due:
    """What is still to be posted of one guarantee, on one note under one scheme; amounts in fen."""

    guarantee_id: int
    note_id: int
    institution_id: int
    enterprise_id: int
    scheme_id: int
    scheme_code: str
    guarantee_number: str
    starts_on: date
    posted: int  # how often anything of this guarantee was posted under the scheme
    change_fen: int

    @property
    def row(self) -> tuple[int, ...]:
        """What tells this posting from every other: guarantee, note, scheme, its number and fen."""
        return self.guarantee_id, self.note_id, self.scheme_id, self.posted, self.change_fen


# Keyed by the note as well: a guarantee corrected to another note is taken back there and paid here.
_DUE = """
SELECT g.id, n.id, n.institution_id, c.enterprise_id, s.id, s.code, g.guarantee_number, g.starts_on,
    (SELECT count(*) FROM settlement_guaranteeposting q
     WHERE q.guarantee_id = g.id AND q.scheme_id = s.id), d.fen
FROM (
    SELECT guarantee_id, note_id, scheme_id, sum(fen)::bigint AS fen, bool_or(kept) AS kept FROM (
        SELECT t.guarantee_id, t.note_id, k.id AS scheme_id, t.subsidy_fen AS fen, false AS kept
        FROM settlement_guaranteesubsidy t JOIN settlement_scheme k ON k.code = t.scheme_code
        UNION ALL
        SELECT p.guarantee_id, p.note_id, p.scheme_id, -p.amount_fen, true
        FROM settlement_guaranteeposting p
    ) x GROUP BY 1, 2, 3 HAVING sum(fen) <> 0
) d
JOIN loans_guarantee g ON g.id = d.guarantee_id JOIN loans_note n ON n.id = d.note_id
JOIN loans_contract c ON c.id = n.contract_id JOIN settlement_scheme s ON s.id = d.scheme_id
WHERE d.kept OR %(through)s::date IS NULL OR g.starts_on <= %(through)s
ORDER BY g.id, s.id, d.fen
"""


def due(*, through: date | None) -> list[Due]:
    """What has to be posted so that every guarantee has been paid what is judged now?

    Of guarantees nothing is posted of yet only those that start up to `through`; None means all.
    """
    return [Due(*row) for row in rows(_DUE, {"through": through})]
