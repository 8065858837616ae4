"""How many notices enterprises were due of a period's deductions, and what became of them (SME-14, EQ-11)."""

from __future__ import annotations

import polars as pl

from config.kernel.services.bulk import Schema, read_frame
from reports.selectors.lending import Of
from reports.selectors.posted import months_of

COUNTED: Schema = {
    "scheme_code": pl.String,
    "due": pl.Int64,
    "corrections": pl.Int64,
    "sent": pl.Int64,
    "delivered": pl.Int64,
    "waiting": pl.Int64,
    "failed": pl.Int64,
    "no_contact": pl.Int64,
    "no_gateway": pl.Int64,
}
_STATES = ("sent", "delivered", "waiting", "failed", "no_contact")
_OF_STATE = ", ".join(f"count(*) FILTER (WHERE v.state = '{state}')" for state in _STATES)


def counted(of: Of) -> pl.DataFrame:
    """One row per scheme; none where nothing of these days was ever to be sent by this system.

    `sent` are those that a gateway has taken and of which nothing more is known. A period's days are whole
    months, as the notices' numbers are.
    """
    return read_frame(
        f"SELECT s.code, count(*), count(*) FILTER (WHERE t.is_correction), {_OF_STATE},"
        " count(*) FILTER (WHERE v.notice_id IS NULL)"
        " FROM settlement_notice t JOIN settlement_scheme s ON s.id = t.scheme_id"
        " LEFT JOIN settlement_noticedelivery v ON v.notice_id = t.deduction_id"
        " WHERE t.deduction_id >= %(first)s AND t.deduction_id < %(after)s"
        " AND t.institution_id BETWEEN %(lo)s AND %(hi)s AND s.code = ANY(%(codes)s)"
        " GROUP BY s.code HAVING count(v.notice_id) > 0 ORDER BY s.code",
        months_of(of),
        schema=COUNTED,
    )
