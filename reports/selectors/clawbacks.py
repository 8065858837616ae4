"""Clawbacks that are decided and not recovered yet, as they stand today; fen."""

from __future__ import annotations

import polars as pl

from config.kernel.services.bulk import read_frame
from reports.selectors.funds import FUND
from reports.selectors.lending import OF_NOTE, Of

_OPEN = "t.amount_fen - t.received_fen - t.offset_fen - t.written_off_fen"


def unrecovered(of: Of) -> pl.DataFrame:
    """One row per clawback of funds held here, or of notes held here; `is_funded` says which of both."""
    return read_frame(
        "SELECT s.code, i.code, i.name, f.tier, f.purpose, o.code, h.name, e.uscc, a.name,"
        " c.contract_number, n.note_number, t.id, t.origin, t.year, t.amount_fen, t.received_fen,"
        f" t.offset_fen, t.written_off_fen, {_OPEN}, t.why,"
        " f.institution_id BETWEEN %(lo)s AND %(hi)s"
        " FROM settlement_clawback t JOIN settlement_fund f ON f.id = t.fund_id"
        " JOIN settlement_scheme s ON s.id = f.scheme_id"
        " JOIN kernel_institution i ON i.id = f.institution_id"
        f" JOIN loans_note n ON n.id = t.note_id {OF_NOTE}"
        f" WHERE t.state = 'decided' AND {_OPEN} > 0 AND s.code = ANY(%(codes)s)"
        " AND (f.institution_id BETWEEN %(lo)s AND %(hi)s"
        " OR t.institution_id BETWEEN %(lo)s AND %(hi)s) ORDER BY s.code, t.id",
        of.params,
        schema={
            **FUND,
            "institution_code": pl.String,
            "institution_name": pl.String,
            "uscc": pl.String,
            "enterprise_name": pl.String,
            "contract_number": pl.String,
            "note_number": pl.String,
            "clawback": pl.Int64,
            "origin": pl.String,
            "year": pl.Int64,
            "amount_fen": pl.Int64,
            "received_fen": pl.Int64,
            "offset_fen": pl.Int64,
            "written_off_fen": pl.Int64,
            "open_fen": pl.Int64,
            "why": pl.String,
            "is_funded": pl.Boolean,
        },
    )


def receivable_fen(of: Of) -> int:
    """What enterprises owe funds held here today, by the funds' own counters."""
    found = read_frame(
        "SELECT coalesce(sum(f.clawback_receivable_fen), 0)::bigint FROM settlement_fund f"
        " JOIN settlement_scheme s ON s.id = f.scheme_id"
        " WHERE f.institution_id BETWEEN %(lo)s AND %(hi)s AND s.code = ANY(%(codes)s)",
        of.params,
        schema={"fen": pl.Int64},
    )
    return int(found["fen"][0])
