"""One note at a time: which notes carry a number, and what is recorded of one of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from config.kernel.services.bulk import rows


@dataclass(frozen=True)
class NoteCard:
    """A note with its contract, borrower and institutions; amounts in fen of its own currency.

    `institution_*` is the key that files use, `holder_*` where the note belongs today. The
    borrower's name is the one in force on the drawdown day.
    """

    note_id: int
    note_number: str
    origin_id: int
    institution_code: str
    institution_name: str
    holder_id: int
    holder_code: str
    holder_name: str
    contract_number: str
    signed_on: date
    loan_type: str
    purpose_field: str
    currency: str
    project_code: str
    enterprise_id: int
    uscc: str
    enterprise_name: str
    drawn_on: date
    matures_on: date
    principal_fen: int
    equipment_fen: int
    rate_ppm: int
    exchange_rate_e8: int
    scheme_codes: tuple[str, ...]


@dataclass(frozen=True)
class Participation:
    """An institution that takes part in a scheme; both days inclusive, an open end is None."""

    institution_code: str
    valid_from: date
    valid_to: date | None


_CARD = """
    SELECT n.id, n.note_number, o.id, o.code, o.name, h.id, h.code, h.name, c.contract_number,
           c.signed_on, c.loan_type, c.purpose_field, c.currency, coalesce(p.project_code, ''),
           e.id, e.uscc, a.name, n.drawn_on, n.matures_on, n.principal_fen, n.equipment_fen,
           n.rate_ppm, n.exchange_rate_e8, n.scheme_codes
    FROM loans_note n
    JOIN loans_contract c ON c.id = n.contract_id
    JOIN loans_enterprise e ON e.id = c.enterprise_id
    JOIN kernel_institution o ON o.id = n.origin_id
    JOIN kernel_institution h ON h.id = n.institution_id
    LEFT JOIN loans_project p ON p.id = c.project_id
    JOIN LATERAL (
        SELECT r.name FROM loans_enterpriserecord r WHERE r.enterprise_id = e.id
        ORDER BY r.valid_from <= n.drawn_on DESC,
                 CASE WHEN r.valid_from <= n.drawn_on THEN r.valid_from END DESC, r.valid_from
        LIMIT 1
    ) a ON true
"""


def notes_numbered(*, note_number: str) -> list[NoteCard]:
    """Every note that carries this number, whatever its bank, in order of institution code."""
    return _cards("n.note_number = %s", note_number)


def note_card(*, note_id: int) -> NoteCard | None:
    """One note by its key, if whoever asks sees it."""
    return next(iter(_cards("n.id = %s", note_id)), None)


def _cards(condition: str, value: object) -> list[NoteCard]:
    found = rows(f"{_CARD} WHERE {condition} ORDER BY o.code", [value])
    return [NoteCard(*[*fields, tuple(codes)]) for *fields, codes in found]


def participations_above(*, institution_id: int, scheme_code: str) -> list[Participation]:
    """Which participations in a scheme cover this institution, on whatever day?"""
    found = rows(
        "SELECT i.code, p.valid_from, p.valid_to FROM loans_participation p "
        "JOIN kernel_institution i ON i.id = p.institution_id "
        "WHERE p.scheme_code = %s AND %s BETWEEN i.id AND i.last_id ORDER BY p.valid_from, i.code",
        [scheme_code, institution_id],
    )
    return [Participation(*row) for row in found]


def titles_of(*, enterprise_id: int) -> list[tuple[str, date, date]]:
    """Which titles has an enterprise held, from the first to the last valid day?"""
    found = rows(
        "SELECT title, valid_from, valid_to FROM loans_enterprisetitle WHERE enterprise_id = %s "
        "ORDER BY valid_from, title",
        [enterprise_id],
    )
    return [(title, start, end) for title, start, end in found]


def planned_collections(*, note_id: int) -> list[tuple[str, date]]:
    """Reference and day of interest that is planned and has not been collected yet."""
    found = rows(
        "SELECT x.reference, x.collected_on FROM loans_interestcollection x WHERE x.note_id = %s "
        "AND x.interest_paid_fen IS NULL AND NOT EXISTS (SELECT 1 FROM loans_interestcollection d "
        "WHERE d.note_id = x.note_id AND d.completes_id = x.id) ORDER BY x.collected_on, x.reference",
        [note_id],
    )
    return [(reference, day) for reference, day in found]
