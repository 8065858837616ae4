"""What of a note may still be taken back, and which notes a number names."""

from __future__ import annotations

from typing import NamedTuple

from config.kernel.services.bulk import rows


class Claimable(NamedTuple):
    """A fund that paid for a note in a year of collection; fen. Differences are net in `paid_fen`."""

    fund_id: int
    scheme_code: str
    tier: str
    purpose: str
    year: int
    paid_fen: int
    claimed_fen: int

    @property
    def left_fen(self) -> int:
        """What is neither proposed nor decided yet; claims beyond what is paid have lapsed (S21)."""
        return max(self.paid_fen - self.claimed_fen, 0)


class Named(NamedTuple):
    """A note in sight, and the institution whose key it carries."""

    note_id: int
    institution_code: str


def claimable(*, note_id: int) -> list[Claimable]:
    """By scheme, purpose, year and tier; funds of institutions above the person's are not in sight."""
    found = rows(
        """
        SELECT f.id, s.code, f.tier, f.purpose, p.year::int, p.fen::bigint,
            coalesce(c.fen, 0)::bigint
        FROM (
            SELECT f.id AS fund_id, extract(year FROM d.collected_on) AS year, sum(t.fen) AS fen
            FROM settlement_deduction d
            CROSS JOIN LATERAL (VALUES ('central', d.central_fen),
                ('provincial', d.provincial_fen), ('municipal', d.municipal_fen)) AS t(tier, fen)
            JOIN settlement_fund f ON f.institution_id = d.fund_institution_id
                AND f.scheme_id = d.scheme_id AND f.tier = t.tier AND f.purpose = 'interest'
            WHERE d.note_id = %(note)s GROUP BY 1, 2
            UNION ALL
            SELECT g.fund_id, extract(year FROM g.month), sum(g.amount_fen)
            FROM settlement_guaranteeposting g WHERE g.note_id = %(note)s GROUP BY 1, 2
        ) p
        JOIN settlement_fund f ON f.id = p.fund_id
        JOIN settlement_scheme s ON s.id = f.scheme_id
        LEFT JOIN LATERAL (
            SELECT sum(x.amount_fen) AS fen FROM settlement_clawback x
            WHERE x.note_id = %(note)s AND x.fund_id = f.id AND x.year = p.year
                AND x.state <> 'dismissed' AND x.origin <> 'difference'
        ) c ON true
        WHERE p.fen > 0 ORDER BY s.code, f.purpose DESC, p.year, array_position(
            ARRAY['central', 'provincial', 'municipal'], f.tier::text)
        """,
        {"note": note_id},
    )
    return [Claimable(*row) for row in found]


def notes_named(*, number: str, institution_code: str = "") -> list[Named]:
    """The notes of that number in sight, of one institution if given."""
    found = rows(
        "SELECT n.id, o.code FROM loans_note n JOIN kernel_institution o ON o.id = n.origin_id"
        " WHERE n.note_number = %(number)s AND (%(code)s = '' OR o.code = %(code)s)"
        " ORDER BY o.code LIMIT 20",
        {"number": number, "code": institution_code},
    )
    return [Named(*row) for row in found]


def number_of_note(*, note_id: int) -> tuple[str, str] | None:
    """The note's number and the code of its institution, if it is in sight."""
    found = rows(
        "SELECT n.note_number, o.code FROM loans_note n"
        " JOIN kernel_institution o ON o.id = n.origin_id WHERE n.id = %s",
        [note_id],
    )
    return found[0] if found else None
