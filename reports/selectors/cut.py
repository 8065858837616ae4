"""Where ledger and facts stand: what a report made now can know."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from config.kernel.services.bulk import rows

_FUNDS = """
SELECT f.id, f.entries, encode(f.chain, 'hex'),
    (SELECT e.id FROM settlement_ledgerentry e WHERE e.fund_id = f.id AND e.number = f.entries)
FROM settlement_fund f
JOIN kernel_institution i ON i.id = f.institution_id
JOIN settlement_scheme s ON s.id = f.scheme_id
WHERE (i.id BETWEEN %(lo)s AND %(hi)s OR (i.id <= %(lo)s AND i.last_id >= %(hi)s))
    AND (%(scheme)s::text IS NULL OR s.code = %(scheme)s)
ORDER BY f.id
"""


@dataclass(frozen=True)
class Position:
    """The last ledger entry of the funds concerned, how many there are, and their chains' digest.

    `facts`: the last file of facts taken in. Two equal positions are one cut.
    """

    entry: int
    entries: int
    chain: str
    facts: int

    @property
    def words_zh(self) -> str:
        """As a report's heading tells it."""
        return (
            f"资金账截至第 {self.entry} 号分录（共 {self.entries} 笔，链值 {self.chain[:16]}），"
            f"数据截至第 {self.facts} 号导入批次"
        )


def position(*, scope: tuple[int, int], scheme_code: str | None) -> Position:
    """Where do the funds stand that pay for the notes of these institutions (own, above and below)?"""
    funds = rows(_FUNDS, {"lo": scope[0], "hi": scope[1], "scheme": scheme_code})
    chain = hashlib.sha256(repr([row[:3] for row in funds]).encode()).hexdigest()
    facts = rows("SELECT coalesce(max(id), 0) FROM loans_importbatch")[0][0]
    return Position(
        entry=max((row[3] or 0 for row in funds), default=0),
        entries=sum(row[1] for row in funds),
        chain=chain,
        facts=int(facts),
    )
