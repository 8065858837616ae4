"""What an explanation shows beside the engine's working: postings, and how current they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from config.kernel.services.bulk import rows


@dataclass(frozen=True)
class PostingLine:
    """One posted row, in fen: what it changed per tier, and the state it left."""

    collection_id: int
    scheme_code: str
    sequence: int
    posted_on: date
    run_id: int
    version: int
    why: str
    change_fen: tuple[int, int, int]


@dataclass(frozen=True)
class GuaranteeLine:
    """The guarantee-fee subsidy of one guarantee, in fen."""

    scheme_code: str
    guarantee_number: str
    principal_fen: int
    starts_on: date
    ends_on: date
    months: int
    subsidy_fen: int
    status: str
    reasons: tuple[str, ...]


def postings(*, note_id: int) -> list[PostingLine]:
    """Everything posted for one note, by collection, scheme and sequence."""
    found = rows(
        "SELECT d.collection_id, s.code, d.sequence, d.posted_on, d.run_id, v.version, d.why, "
        "d.central_fen, d.provincial_fen, d.municipal_fen FROM settlement_deduction d "
        "JOIN settlement_scheme s ON s.id = d.scheme_id "
        "JOIN settlement_schemeversion v ON v.id = d.version_id "
        "WHERE d.note_id = %s ORDER BY d.collection_id, s.code, d.sequence",
        [note_id],
    )
    return [PostingLine(*[*keys, (first, second, third)]) for *keys, first, second, third in found]


def guarantee_subsidies(*, note_id: int) -> list[GuaranteeLine]:
    """What was judged of the guarantees of one note."""
    found = rows(
        "SELECT t.scheme_code, g.guarantee_number, g.principal_fen, g.starts_on, g.ends_on, t.months, "
        "t.subsidy_fen, t.status, t.reasons FROM settlement_guaranteesubsidy t "
        "JOIN loans_guarantee g ON g.id = t.guarantee_id WHERE t.note_id = %s "
        "ORDER BY t.scheme_code, g.starts_on, g.guarantee_number",
        [note_id],
    )
    return [GuaranteeLine(*[*keys, tuple(reasons)]) for *keys, reasons in found]


def committed_before(
    *, scheme_code: str, drawn_on: date, institution_code: str, note_number: str
) -> int:
    """What earlier notes of the drawdown year hold of a scheme's fund, in D4's order; fen."""
    ((total,),) = rows(
        """
        SELECT coalesce(sum(t.commitment_fen), 0)::bigint FROM settlement_enrolment t
        JOIN loans_note n ON n.id = t.note_id JOIN kernel_institution o ON o.id = n.origin_id
        WHERE t.scheme_code = %(scheme)s AND t.status = 'eligible'
          AND n.drawn_on BETWEEN %(first)s AND %(day)s
          AND (n.drawn_on, o.code COLLATE "C", n.note_number COLLATE "C")
            < (%(day)s, %(code)s COLLATE "C", %(number)s COLLATE "C")
        """,
        {
            "scheme": scheme_code,
            "first": date(drawn_on.year, 1, 1),
            "day": drawn_on,
            "code": institution_code,
            "number": note_number,
        },
    )
    return int(total)
