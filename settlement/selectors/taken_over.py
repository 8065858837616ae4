"""Opening positions against what of them is booked."""

from __future__ import annotations

from config.kernel.services.bulk import rows

# Of each scheme the last year alone: its earlier years were settled before the system took over. The
# note's first institution counts: what was paid before stays where it was paid.
_POSITIONS = """
SELECT n.origin_id, s.id, s.code, o.tier, o.year, sum(o.amount_fen)::bigint
FROM (SELECT scheme_code, max(year) AS year FROM loans_openingposition GROUP BY 1) l
JOIN loans_openingposition o ON o.scheme_code = l.scheme_code AND o.year = l.year
JOIN loans_note n ON n.id = o.note_id JOIN settlement_scheme s ON s.code = o.scheme_code
GROUP BY 1, 2, 3, 4, 5
"""


def positions() -> list[tuple[int, int, str, str, int, int]]:
    """Institution, scheme id, scheme code, tier, year and fen of what is still to be settled."""
    return [(*found,) for found in rows(_POSITIONS)]


def booked() -> list[tuple[int, int, str, int, int, int]]:
    """Fund institution, scheme id, tier, year, how often something was booked, and its sum in fen."""
    return [
        (*found,)
        for found in rows(
            "SELECT f.institution_id, f.scheme_id, f.tier, t.year, count(*), sum(t.amount_fen)::bigint"
            " FROM settlement_takenover t JOIN settlement_fund f ON f.id = t.fund_id"
            " GROUP BY 1, 2, 3, 4"
        )
    ]
