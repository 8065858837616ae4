"""What the duplicate check has found: in words per note, and finding by finding with both sides."""

from __future__ import annotations

from datetime import date

import polars as pl

from config.kernel.services.bulk import Schema, read_frame
from settlement.selectors import findings

SIDES = (1, 2)
_FOUND_ON = "(f.found_at AT TIME ZONE 'Asia/Shanghai')::date"  # sessions run in UTC

FINDINGS: Schema = {
    "finding_id": pl.Int64,
    "rule": pl.String,
    "severity": pl.String,
    "article": pl.String,
    "state": pl.String,
    "scheme_code": pl.String,
    "institution_code": pl.String,
    "uscc": pl.String,
    "found_on": pl.Date,
    "sides": pl.Int64,
    "central_fen": pl.Int64,
    "provincial_fen": pl.Int64,
    "municipal_fen": pl.Int64,
    "asked_fen": pl.Int64,
    "open_fen": pl.Int64,
    "why": pl.String,
    "made_by": pl.String,
    "checked_by": pl.String,
    **{
        f"{part}_{side}": pl.String
        for side in SIDES
        for part in ("institution", "note", "party", "facts")
    },
}
# The other side's book is shown only to those whose it is, as row-level security has it.
_SIDE = """
    LEFT JOIN settlement_findingside x{0} ON x{0}.finding_id = f.id AND x{0}.position = {0}
        AND x{0}.institution_id BETWEEN %(lo)s AND %(hi)s
    LEFT JOIN loans_note n{0} ON n{0}.id = x{0}.note_id
    LEFT JOIN kernel_institution i{0} ON i{0}.id = n{0}.origin_id
    LEFT JOIN loans_enterprise e{0} ON e{0}.id = x{0}.enterprise_id
"""
_SIDE_COLUMNS = "i{0}.code, n{0}.note_number, e{0}.uscc, x{0}.facts::text"
_LIST = f"""
    SELECT f.id, f.rule, f.severity, f.article, {findings.STATE}, s.code, i.code, e.uscc, {_FOUND_ON},
        (SELECT count(*) FROM settlement_findingside y WHERE y.finding_id = f.id),
        f.central_fen, f.provincial_fen, f.municipal_fen, coalesce(b.asked_fen, 0),
        coalesce(b.open_fen, 0), c.why, c.made_by, c.checked_by,
        {", ".join(_SIDE_COLUMNS.format(side) for side in SIDES)}
    FROM settlement_finding f
    JOIN kernel_institution i ON i.id = f.institution_id
    LEFT JOIN settlement_scheme s ON s.id = f.scheme_id
    LEFT JOIN loans_enterprise e ON e.id = f.enterprise_id
    LEFT JOIN settlement_findingdecision c ON c.id = f.decision_id
    {findings.OF_CLAWBACKS}
    {" ".join(_SIDE.format(side) for side in SIDES)}
    WHERE f.institution_id BETWEEN %(lo)s AND %(hi)s AND {_FOUND_ON} < %(until)s
        AND (f.gone_at IS NULL OR f.state = 'confirmed')
        AND (%(scheme)s::text IS NULL OR s.code = %(scheme)s)
    ORDER BY substr(f.rule, 2)::int, i.code COLLATE "C", f.id
"""


def found(*, until: date, scope: tuple[int, int], scheme_code: str | None) -> pl.DataFrame:
    """Findings of these institutions made before a day (in China), that stand or were confirmed.

    Of each the first two sides, as far as they lie in the scope; empty texts where they do not.
    """
    params = {"until": until, "lo": scope[0], "hi": scope[1], "scheme": scheme_code}
    return read_frame(_LIST, params, schema=FINDINGS)


def of_notes() -> pl.DataFrame:
    """Which findings concern which notes, and how far is each? One row per note and finding."""
    return findings.of_notes()
