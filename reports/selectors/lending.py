"""Labelled notes as reports list them: amounts in fen of the note's currency, rates in parts per million.

A note belongs to the institution that holds it today; `institution_code` is the key that files and
exports use. Borrowers are as on the drawdown day (D13).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from config.kernel.services.bulk import Schema, read_frame, rows

# The enterprise's record in force on the drawdown day; before the first one, the first one.
BORROWER = """JOIN LATERAL (
    SELECT * FROM loans_enterpriserecord r WHERE r.enterprise_id = c.enterprise_id
    ORDER BY r.valid_from <= n.drawn_on DESC,
             CASE WHEN r.valid_from <= n.drawn_on THEN r.valid_from END DESC, r.valid_from
    LIMIT 1
) a ON true"""
OF_NOTE = f"""
    JOIN loans_contract c ON c.id = n.contract_id
    JOIN loans_enterprise e ON e.id = c.enterprise_id
    JOIN kernel_institution o ON o.id = n.origin_id
    JOIN kernel_institution h ON h.id = n.institution_id
    LEFT JOIN loans_project p ON p.id = c.project_id
    {BORROWER}"""
FACTS: Schema = {
    "note_id": pl.Int64,
    "institution_code": pl.String,
    "holder_code": pl.String,
    "institution_name": pl.String,
    "uscc": pl.String,
    "enterprise_name": pl.String,
    "size": pl.String,
    "ownership": pl.String,
    "industry_code": pl.String,
    "region_code": pl.String,
    "purpose_field": pl.String,
    "project_code": pl.String,
    "project_name": pl.String,
    "contract_number": pl.String,
    "note_number": pl.String,
    "drawn_on": pl.Date,
    "matures_on": pl.Date,
    "currency": pl.String,
    "exchange_rate_e8": pl.Int64,
    "rate_ppm": pl.Int64,
    "principal_fen": pl.Int64,
}
FACTS_SQL = """n.id, o.code, h.code, h.name, e.uscc, a.name, a.size, a.ownership, a.industry_code,
    a.region_code, c.purpose_field, coalesce(p.project_code, ''), coalesce(p.name, ''),
    c.contract_number, n.note_number, n.drawn_on, n.matures_on, c.currency, n.exchange_rate_e8,
    n.rate_ppm, n.principal_fen"""
_LABELS = """loans_note n
    CROSS JOIN LATERAL unnest(n.scheme_codes) AS x(code)
    LEFT JOIN settlement_enrolment t ON t.note_id = n.id AND t.scheme_code = x.code"""
_WHERE = """n.institution_id BETWEEN %(lo)s AND %(hi)s AND x.code = ANY(%(codes)s)
    AND n.drawn_on >= %(since)s AND n.drawn_on < %(until)s"""


@dataclass(frozen=True)
class Of:
    """Whose notes, under which schemes, over which days (half-open)."""

    scope: tuple[int, int]
    codes: Sequence[str]
    since: date
    until: date

    @property
    def params(self) -> dict[str, Any]:
        """As queries name them."""
        return {
            "lo": self.scope[0],
            "hi": self.scope[1],
            "codes": list(self.codes),
            "since": self.since,
            "until": self.until,
        }


def drawdowns(of: Of) -> pl.DataFrame:
    """The notes drawn in these days, one row per label, with what was judged of it."""
    return read_frame(
        f"SELECT x.code, {FACTS_SQL}, coalesce(t.status, 'unjudged'), coalesce(t.eligible_fen, 0),"
        f" coalesce(array_to_string(t.reasons, ';'), '') FROM {_LABELS} {OF_NOTE}"
        f" WHERE {_WHERE} ORDER BY x.code, n.id",
        of.params,
        schema={
            "scheme_code": pl.String,
            **FACTS,
            "status": pl.String,
            "eligible_fen": pl.Int64,
            "reasons": pl.String,
        },
    )


def drawn_fen(of: Of, *, eligible_only: bool = False) -> dict[str, int]:
    """What was drawn in these days under each scheme, in fen of CNY (D18), added up by the database."""
    judged = " AND t.status = 'eligible'" if eligible_only else ""
    found = rows(
        "SELECT x.code, sum(div(n.principal_fen::numeric * n.exchange_rate_e8 * 2 + 100000000,"
        f" 200000000))::bigint FROM {_LABELS} WHERE {_WHERE}{judged} GROUP BY 1",
        of.params,
    )
    return {str(code): int(fen) for code, fen in found}


def book_at(of: Of) -> pl.DataFrame:
    """The eligible notes drawn before `until`, with what was repaid of them and how they stand then.

    `since` is not looked at. `last_repaid_on` and `subsidised_until` may be null.
    """
    return read_frame(
        f"SELECT x.code, {FACTS_SQL}, coalesce(r.fen, 0), r.last_on,"
        " coalesce(s.overdue, false), coalesce(s.bad, false), t.subsidised_until"
        f" FROM {_LABELS} {OF_NOTE}"
        " LEFT JOIN (SELECT note_id, sum(amount_fen)::bigint AS fen, max(repaid_on) FILTER (WHERE amount_fen > 0) AS last_on"
        "  FROM loans_repayment WHERE repaid_on < %(until)s GROUP BY 1) r ON r.note_id = n.id"
        " LEFT JOIN (SELECT note_id, bool_or(status = 'overdue') AS overdue,"
        "  bool_or(status = 'non_performing') AS bad FROM loans_notestatus"
        "  WHERE starts_on < %(until)s AND (ends_on IS NULL OR ends_on >= %(until)s)"
        "  GROUP BY 1) s ON s.note_id = n.id"
        " WHERE n.institution_id BETWEEN %(lo)s AND %(hi)s AND x.code = ANY(%(codes)s)"
        " AND n.drawn_on < %(until)s AND t.status = 'eligible' ORDER BY x.code, n.id",
        of.params,
        schema={
            "scheme_code": pl.String,
            **FACTS,
            "repaid_fen": pl.Int64,
            "last_repaid_on": pl.Date,
            "overdue": pl.Boolean,
            "non_performing": pl.Boolean,
            "subsidised_until": pl.Date,
        },
    )


def balance_fen(of: Of) -> dict[str, int]:
    """What eligible notes owe before `until` under each scheme, in fen of CNY, added up by the database."""
    found = rows(
        "SELECT x.code, sum(div(greatest(n.principal_fen - coalesce(r.fen, 0), 0)::numeric"
        " * n.exchange_rate_e8 * 2 + 100000000, 200000000))::bigint"
        f" FROM {_LABELS} LEFT JOIN (SELECT note_id, sum(amount_fen) AS fen FROM loans_repayment"
        "  WHERE repaid_on < %(until)s GROUP BY 1) r ON r.note_id = n.id"
        " WHERE n.institution_id BETWEEN %(lo)s AND %(hi)s AND x.code = ANY(%(codes)s)"
        " AND n.drawn_on < %(until)s AND t.status = 'eligible' GROUP BY 1",
        of.params,
    )
    return {str(code): int(fen) for code, fen in found}
