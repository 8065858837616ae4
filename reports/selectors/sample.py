"""What makes a note worth an auditor's look: counts per note with subsidies in a period."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from config.kernel.services.bulk import Schema, read_frame
from reports.selectors.register import MONEY, RAW, Collected

COUNTS = (
    "collections",
    "corrections",
    "reversals",
    "capped",
    "findings",
    "stops",
    "clawbacks",
    "repaid_early",
    "lenders",
    "banks",
)
NOTES: Schema = {
    "note_id": pl.Int64,
    "principal_fen": pl.Int64,
    "raw_fen": pl.Int64,
    "granted_fen": pl.Int64,
    **dict.fromkeys(COUNTS, pl.Int64),
}
_BANK = "n.origin_id >> 48"
_RAW = " + ".join(f"d.{raw}" for raw in RAW)
_MONEY = " + ".join(f"d.{money}" for money in MONEY)

# A note's principal in CNY, half up to the fen (D18).
_PRINCIPAL = "div(2 * n.principal_fen::numeric * n.exchange_rate_e8 + 100000000, 200000000)::bigint"

_FACTS = f"""
    WITH last AS MATERIALIZED (
        SELECT d.note_id, d.sequence, {_RAW} AS raw_fen, d.cut_reasons,
            (sum({_MONEY}) OVER (PARTITION BY d.collection_id, d.scheme_id))::bigint AS granted_fen,
            d.sequence = max(d.sequence) OVER (PARTITION BY d.collection_id, d.scheme_id) AS is_last,
            d.product > 0 AS counts
        FROM settlement_deduction d JOIN settlement_scheme s ON s.id = d.scheme_id
        WHERE d.id >= %(first_id)s AND d.id < %(last_id)s
            AND d.collected_on >= %(since)s AND d.collected_on < %(until)s
            AND d.institution_id BETWEEN %(lo)s AND %(hi)s
            AND (%(scheme)s::text IS NULL OR s.code = %(scheme)s)
    ), subsidised AS MATERIALIZED (
        SELECT note_id, count(*) AS collections, sum(raw_fen)::bigint AS raw_fen,
            sum(granted_fen)::bigint AS granted_fen,
            count(*) FILTER (WHERE sequence > 0) AS corrections,
            count(*) FILTER (WHERE raw_fen < 0) AS reversals,
            count(*) FILTER (WHERE cut_reasons <> 0) AS capped
        FROM last WHERE is_last AND counts GROUP BY 1
    ), lenders AS (
        SELECT c.enterprise_id, count(DISTINCT n.origin_id) AS lenders, count(DISTINCT {_BANK}) AS banks
        FROM loans_note n JOIN loans_contract c ON c.id = n.contract_id
        WHERE n.institution_id BETWEEN %(lo)s AND %(hi)s AND n.scheme_codes <> '{{}}' GROUP BY 1
    ), found AS (
        SELECT y.note_id, count(DISTINCT f.id) AS findings
        FROM settlement_findingside y JOIN settlement_finding f ON f.id = y.finding_id
        WHERE f.state <> 'dismissed' AND (f.gone_at IS NULL OR f.state = 'confirmed') GROUP BY 1
    ), stopped AS (
        SELECT note_id, count(*) AS stops FROM loans_notestatus
        WHERE ends_on IS NULL OR ends_on > starts_on GROUP BY 1
    ), owed AS (
        SELECT note_id, count(*) AS clawbacks FROM settlement_clawback
        WHERE state = 'decided' GROUP BY 1
    ), repaid AS (
        SELECT r.note_id, sum(r.amount_fen) AS repaid_fen, max(r.repaid_on) AS last_on
        FROM loans_repayment r WHERE r.repaid_on < %(until)s GROUP BY 1
    )
    SELECT n.id, {_PRINCIPAL}, t.raw_fen, t.granted_fen, t.collections, t.corrections, t.reversals,
        t.capped, coalesce(f.findings, 0), coalesce(h.stops, 0), coalesce(k.clawbacks, 0),
        (r.repaid_fen >= n.principal_fen AND r.last_on < n.matures_on)::int,
        l.lenders, l.banks
    FROM subsidised t
    JOIN loans_note n ON n.id = t.note_id
    JOIN loans_contract c ON c.id = n.contract_id
    LEFT JOIN lenders l ON l.enterprise_id = c.enterprise_id
    LEFT JOIN found f ON f.note_id = n.id
    LEFT JOIN stopped h ON h.note_id = n.id
    LEFT JOIN owed k ON k.note_id = n.id
    LEFT JOIN repaid r ON r.note_id = n.id
"""
NAMES: Schema = {
    "note_id": pl.Int64,
    "institution_code": pl.String,
    "institution_name": pl.String,
    "note_number": pl.String,
    "contract_number": pl.String,
    "borrower": pl.String,
    "uscc": pl.String,
    "schemes": pl.String,
    "drawn_on": pl.Date,
    "matures_on": pl.Date,
    "principal_fen": pl.Int64,
}
# The borrower's name is the one in force on the drawdown day (D13).
_NAMES = f"""
    SELECT n.id, i.code, i.name, n.note_number, c.contract_number, a.name, e.uscc,
        array_to_string(n.scheme_codes, ';'), n.drawn_on, n.matures_on, {_PRINCIPAL}
    FROM loans_note n
    JOIN kernel_institution i ON i.id = n.origin_id
    JOIN loans_contract c ON c.id = n.contract_id
    JOIN loans_enterprise e ON e.id = c.enterprise_id
    LEFT JOIN LATERAL (
        SELECT r.name FROM loans_enterpriserecord r WHERE r.enterprise_id = e.id
        ORDER BY r.valid_from <= n.drawn_on DESC,
            CASE WHEN r.valid_from <= n.drawn_on THEN r.valid_from END DESC, r.valid_from
        LIMIT 1
    ) a ON true
    WHERE n.id = ANY(%(ids)s)
"""


def subsidised_notes(of: Collected) -> pl.DataFrame:
    """One row per note with a row in the register of these days, with what speaks for looking at it.

    Lenders are counted among the institutions of the scope alone.
    """
    return read_frame(_FACTS, of.params, schema=NOTES).with_columns(pl.col(COUNTS).fill_null(0))


def names(*, note_ids: Sequence[int]) -> pl.DataFrame:
    """Who borrowed what where: one row per note."""
    return read_frame(_NAMES, {"ids": list(note_ids)}, schema=NAMES)
