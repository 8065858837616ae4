"""Which deductions wait because a finding of the duplicate check blocks them (F5)?

A finding blocks the schemes it names for its notes that give way, from the moment it is found until it
is dismissed or its facts are gone; a confirmed one goes on blocking.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import polars as pl

from config.kernel.services.bulk import Schema, read_frame, rows
from settlement.selectors.findings import BLOCKS

STOPS: Schema = {
    "note_id": pl.Int64,
    "scheme_id": pl.Int64,
    "finding_id": pl.Int64,
    "rule": pl.String,
    "state": pl.String,
}
# Findings `f` that block, with each side `d` that gives way and each scheme `s`.
_SIDES = """settlement_finding f
    JOIN settlement_findingside d ON d.finding_id = f.id AND (d.facts ->> 'yields')::boolean
    JOIN settlement_scheme s ON s.code = ANY(f.blocked_schemes)"""


class Waiting(NamedTuple):
    """A note under a scheme that is blocked: interest collected and not subsidised under it; fen."""

    note_id: int
    note_number: str
    scheme_code: str
    collections: int
    interest_fen: int


def stops(*, note_ids: Sequence[int]) -> pl.DataFrame:
    """What blocks each of these notes under which scheme: a row per note, scheme and finding, in order."""
    return read_frame(
        f"SELECT d.note_id, s.id, f.id, f.rule, f.state FROM {_SIDES}"
        f" WHERE {BLOCKS} AND d.note_id = ANY(%(ids)s) ORDER BY 1, 2, 3",
        {"ids": list(note_ids)},
        schema=STOPS,
    )


def blocked(*, enterprise_ids: Sequence[int] | None = None) -> dict[int, str]:
    """What of these enterprises (None: of anybody) is blocked, as note/scheme in order; others are left out."""
    narrowed = "" if enterprise_ids is None else " AND d.enterprise_id = ANY(%(ids)s)"
    return dict(
        rows(
            "SELECT enterprise_id, string_agg(note_id || '/' || id, ' ' ORDER BY note_id, id)"
            f" FROM (SELECT DISTINCT d.enterprise_id, d.note_id, s.id FROM {_SIDES}"
            f" WHERE {BLOCKS}{narrowed}) x GROUP BY 1",
            {} if enterprise_ids is None else {"ids": list(enterprise_ids)},
        )
    )


def of_plan(*, plan_id: int, limit: int) -> list[tuple[str, int]]:
    """Note number and finding of what a plan's draft holds and a finding blocks by now, the first few."""
    found = rows(
        f"""
        SELECT DISTINCT n.note_number, f.id FROM {_SIDES}
        JOIN settlement_planneddeduction p ON p.note_id = d.note_id AND p.scheme_id = s.id
        JOIN loans_note n ON n.id = d.note_id
        WHERE {BLOCKS} AND p.plan_id = %s AND p.state = 'planned' ORDER BY 1, 2 LIMIT %s
        """,
        [plan_id, limit],
    )
    return [(number, finding) for number, finding in found]


def waiting(*, finding_id: int) -> list[Waiting]:
    """What a finding blocks now, by note and scheme that the note is eligible under."""
    found = rows(
        f"""
        SELECT d.note_id, n.note_number, s.code, count(c.id), coalesce(sum(c.interest_paid_fen), 0)::bigint
        FROM {_SIDES}
        JOIN loans_note n ON n.id = d.note_id
        JOIN settlement_enrolment t ON t.note_id = d.note_id AND t.scheme_code = s.code
            AND t.status = 'eligible'
        LEFT JOIN loans_interestcollection c ON c.note_id = d.note_id
            AND c.interest_paid_fen IS NOT NULL AND NOT EXISTS (
                SELECT FROM settlement_deduction x WHERE x.collection_id = c.id AND x.scheme_id = s.id)
        WHERE {BLOCKS} AND f.id = %s
        GROUP BY d.position, d.note_id, n.note_number, s.code ORDER BY d.position, s.code
        """,
        [finding_id],
    )
    return [Waiting(*row) for row in found]
