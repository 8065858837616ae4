"""What the duplicate check has found: in words per note, and finding by finding with both sides."""

from __future__ import annotations

import polars as pl

from config.kernel.services.bulk import Schema, read_frame
from reports.selectors.register import Collected
from settlement.selectors import findings

SIDES = (1, 2)
_FOUND_ON = "(f.found_at AT TIME ZONE 'Asia/Shanghai')::date"  # sessions run in UTC

FINDINGS: Schema = {
    "finding_id": pl.Int64,
    "rule": pl.String,
    "severity": pl.String,
    "article": pl.String,
    "state": pl.String,
    "blocks": pl.String,
    "blocked_fen": pl.Int64,
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
    **{f"{part}_{side}": pl.String for side in SIDES for part in ("institution", "note", "party")},
}
# The other side's book is shown only to those whose it is, as row-level security has it.
_SIDE = """
    LEFT JOIN settlement_findingside x{0} ON x{0}.finding_id = f.id AND x{0}.position = {0}
        AND x{0}.institution_id BETWEEN %(lo)s AND %(hi)s
    LEFT JOIN loans_note n{0} ON n{0}.id = x{0}.note_id
    LEFT JOIN kernel_institution i{0} ON i{0}.id = n{0}.origin_id
    LEFT JOIN loans_enterprise e{0} ON e{0}.id = x{0}.enterprise_id
"""
_SIDE_COLUMNS = "i{0}.code, n{0}.note_number, e{0}.uscc"
# Of notes with subsidies collected in the period, or of no note at all; whenever they were found.
_OF_PERIOD = """SELECT FROM settlement_findingside y
    JOIN settlement_deduction d ON d.note_id = y.note_id
    WHERE y.finding_id = f.id AND y.institution_id BETWEEN %(lo)s AND %(hi)s
        AND d.id >= %(first_id)s AND d.id < %(last_id)s
        AND d.collected_on >= %(since)s AND d.collected_on < %(until)s"""
# Or with interest collected in it, whose subsidy the finding blocks.
_BLOCKED_OF_PERIOD = f"""SELECT FROM settlement_findingside y
    JOIN loans_interestcollection c ON c.note_id = y.note_id
    WHERE {findings.BLOCKS} AND y.finding_id = f.id AND y.institution_id BETWEEN %(lo)s AND %(hi)s
        AND (y.facts ->> 'yields')::boolean AND c.interest_paid_fen IS NOT NULL
        AND c.collected_on >= %(since)s AND c.collected_on < %(until)s"""
_OF_NOTES = """SELECT FROM settlement_findingside y
    WHERE y.finding_id = f.id AND y.note_id IS NOT NULL"""
_ASKED = f"""WHERE f.institution_id BETWEEN %(lo)s AND %(hi)s
        AND (f.gone_at IS NULL OR f.state = 'confirmed')
        AND (%(scheme)s::text IS NULL OR s.code = %(scheme)s)
        AND (EXISTS ({_OF_PERIOD}) OR EXISTS ({_BLOCKED_OF_PERIOD}) OR NOT EXISTS ({_OF_NOTES}))"""
_OF_SCHEME = "(%(scheme)s::text IS NULL OR t.code = %(scheme)s)"
_LIST = f"""
    SELECT f.id, f.rule, f.severity, f.article, {findings.STATE},
        CASE WHEN {findings.BLOCKS} THEN array_to_string(f.blocked_schemes, '；') ELSE '' END, {findings.blocked_fen(_OF_SCHEME)}, s.code, i.code, e.uscc, {_FOUND_ON},
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
    {_ASKED}
    ORDER BY substr(f.rule, 2)::int, i.code COLLATE "C", f.id
"""


def found(of: Collected) -> pl.DataFrame:
    """Findings of these institutions that stand or were confirmed, about subsidies of the period.

    A finding of notes is about it if one of them has a deduction collected in it; others always are.

    Of each the first two sides, as far as they lie in the scope; empty texts where they do not.
    """
    return read_frame(_LIST, of.params, schema=FINDINGS)


LISTED: Schema = {
    "finding_id": pl.Int64,
    "position": pl.Int64,
    "institution_code": pl.String,
    "note_number": pl.String,
    "uscc": pl.String,
    "facts": pl.String,
}
_SIDES = f"""
    SELECT f.id, y.position, i.code, n.note_number, e.uscc, y.facts::text
    FROM settlement_finding f
    JOIN settlement_findingside y ON y.finding_id = f.id AND y.institution_id BETWEEN %(lo)s AND %(hi)s
    LEFT JOIN settlement_scheme s ON s.id = f.scheme_id
    LEFT JOIN loans_note n ON n.id = y.note_id
    LEFT JOIN kernel_institution i ON i.id = n.origin_id
    LEFT JOIN loans_enterprise e ON e.id = y.enterprise_id
    {_ASKED}
    ORDER BY substr(f.rule, 2)::int, f.id, y.position
"""


def sides(of: Collected) -> pl.DataFrame:
    """Every side of these findings that lies in the scope, with its facts as JSON."""
    return read_frame(_SIDES, of.params, schema=LISTED)


def of_notes() -> pl.DataFrame:
    """Which findings concern which notes, and how far is each? One row per note and finding."""
    return findings.of_notes()
