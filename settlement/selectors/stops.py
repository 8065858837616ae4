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
}
# Findings `f` that block, with each side `d` that gives way and each scheme `s`.
_SIDES = """settlement_finding f
    JOIN settlement_findingside d ON d.finding_id = f.id AND (d.facts ->> 'yields')::boolean
    JOIN settlement_scheme s ON s.code = ANY(f.blocked_schemes)"""


class Waiting(NamedTuple):
    """What a finding keeps waiting of a note under a scheme, as of the last run; fen by tier."""

    note_id: int
    note_number: str
    scheme_code: str
    collections: int
    fen: tuple[int, ...]


def stops(*, note_ids: Sequence[int]) -> pl.DataFrame:
    """What blocks each of these notes under which scheme: a row per note, scheme and finding, in order."""
    return read_frame(
        f"SELECT d.note_id, s.id, f.id, f.rule FROM {_SIDES}"
        f" WHERE {BLOCKS} AND d.note_id = ANY(%(ids)s) ORDER BY 1, 2, 3",
        {"ids": list(note_ids)},
        schema=STOPS,
    )


def of_enterprises(*, enterprise_ids: Sequence[int]) -> list[tuple[int, int, int]]:
    """What is blocked of these enterprises: (enterprise, note, scheme), in order."""
    return rows(
        f"SELECT DISTINCT d.enterprise_id, d.note_id, s.id FROM {_SIDES}"
        f" WHERE {BLOCKS} AND d.enterprise_id = ANY(%s) ORDER BY 1, 2, 3",
        [list(enterprise_ids)],
    )


def changed_since() -> list[int]:
    """Enterprises of which other notes or schemes are blocked now than when they were brought up to date."""
    found = rows(
        f"""
        SELECT coalesce(b.enterprise_id, x.enterprise_id)
        FROM (SELECT DISTINCT d.enterprise_id, d.note_id, s.id AS scheme_id FROM {_SIDES} WHERE {BLOCKS}) x
        FULL JOIN settlement_blockedsubsidy b ON b.note_id = x.note_id AND b.scheme_id = x.scheme_id
        WHERE b.id IS NULL OR x.note_id IS NULL GROUP BY 1 ORDER BY 1
        """
    )
    return [int(enterprise) for (enterprise,) in found]


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
    """What a finding keeps waiting, by note and scheme, as of the last run."""
    found = rows(
        f"""
        SELECT b.note_id, n.note_number, s.code, b.collections, b.central_fen, b.provincial_fen, b.municipal_fen
        FROM {_SIDES}
        JOIN settlement_blockedsubsidy b ON b.note_id = d.note_id AND b.scheme_id = s.id
        JOIN loans_note n ON n.id = d.note_id
        WHERE {BLOCKS} AND f.id = %s AND b.collections > 0 ORDER BY d.position, s.code
        """,
        [finding_id],
    )
    return [
        Waiting(note, number, code, count, tuple(fen)) for note, number, code, count, *fen in found
    ]
