"""Who has notes or money of a scheme, and since when: those who have to report on it."""

from __future__ import annotations

from datetime import date

from config.kernel.services.bulk import rows
from settlement.selectors.institutions import fund_institutions

_ACTIVE = """
SELECT code, institution_id, min(since) FROM (
    SELECT x.code, n.institution_id, min(n.drawn_on) AS since
    FROM loans_note n CROSS JOIN LATERAL unnest(n.scheme_codes) AS x(code) GROUP BY 1, 2
    UNION ALL
    SELECT s.code, f.institution_id, e.posted_on
    FROM settlement_fund f JOIN settlement_scheme s ON s.id = f.scheme_id
    JOIN settlement_ledgerentry e ON e.fund_id = f.id AND e.number = 1
) found GROUP BY 1, 2
"""


def filing_institutions() -> dict[tuple[str, str], dict[int, date]]:
    """(scheme, level) → institution that files → first day of its notes or money, or of those below."""
    active = rows(_ACTIVE)
    found: dict[tuple[str, str], dict[int, date]] = {}
    for level in ("headquarters", "provincial"):
        above = fund_institutions(level=level)
        for scheme_code, institution_id, since in active:
            of = found.setdefault((scheme_code, level), {})
            filing = above[institution_id]
            of[filing] = min(since, of.get(filing, since))
    return found
