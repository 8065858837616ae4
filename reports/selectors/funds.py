"""What funds received, paid and hold, from their ledger entries; fen.

An entry counts on its own day: money of finance on the day it arrived, deductions in their month of
collection, everything else on the day it was posted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

from config.kernel.services.bulk import Schema, read_frame, rows
from reports.selectors.lending import Of

FUND: Schema = {
    "scheme_code": pl.String,
    "fund_code": pl.String,
    "fund_name": pl.String,
    "tier": pl.String,
    "purpose": pl.String,
}
MOVED = (
    "opening_fen", "received_fen", "received_ytd_fen", "used_fen", "used_ytd_fen", "recovered_ytd_fen",
    "other_ytd_fen", "balance_fen", "later_fen", "held_fen",
)  # fmt: skip

_USES = "('deduction', 'negative_difference')"
_OWED = "('deduction', 'negative_difference', 'clawback_received')"
_MOVEMENTS = """
WITH moves AS (
    SELECT e.fund_id, e.event, coalesce(e.month, p.received_on, e.posted_on) AS day,
        sum(l.debit_fen - l.credit_fen)
            FILTER (WHERE l.account IN ('special_account', 'bank_advance')) AS position,
        sum(l.debit_fen - l.credit_fen) FILTER (WHERE l.account = 'subsidy_applied') AS applied,
        sum(l.credit_fen - l.debit_fen) FILTER (WHERE l.account = 'treasury_advance') AS advance,
        sum(l.credit_fen - l.debit_fen) FILTER (WHERE l.account = 'clawback_receivable') AS settled
    FROM settlement_ledgerentry e JOIN settlement_ledgerline l ON l.entry_id = e.id
    LEFT JOIN loans_preallocation p ON e.event = 'pre_allocation' AND p.id = e.source_id
    WHERE e.institution_id BETWEEN %(lo)s AND %(hi)s
    GROUP BY e.id, p.received_on
)
SELECT s.code, i.code, i.name, f.tier, f.purpose, {columns},
    coalesce(sum(m.position) FILTER (WHERE m.day >= %(until)s), 0)::bigint,
    (f.special_account_fen + f.bank_advance_fen)::bigint
FROM settlement_fund f JOIN settlement_scheme s ON s.id = f.scheme_id
JOIN kernel_institution i ON i.id = f.institution_id LEFT JOIN moves m ON m.fund_id = f.id
WHERE f.institution_id BETWEEN %(lo)s AND %(hi)s AND s.code = ANY(%(codes)s)
GROUP BY s.code, i.code, i.name, f.id ORDER BY 1, f.institution_id, f.id
"""
_YTD = "m.day >= %(year)s AND m.day < %(until)s"
_PERIOD = "m.day >= %(since)s AND m.day < %(until)s"
_SUMS = (
    ("m.position", "m.day < %(year)s"),
    ("m.advance", f"m.event = 'pre_allocation' AND {_PERIOD}"),
    ("m.advance", f"m.event = 'pre_allocation' AND {_YTD}"),
    ("m.applied", f"m.event IN {_USES} AND {_PERIOD}"),
    ("m.applied", f"m.event IN {_USES} AND {_YTD}"),
    ("m.settled", f"m.event IN {_OWED} AND {_YTD}"),
    ("m.position", f"m.event NOT IN {_OWED} AND m.event <> 'pre_allocation' AND {_YTD}"),
    ("m.position", "m.day < %(until)s"),
)
_COLUMNS = ", ".join(
    f"coalesce(sum({amount}) FILTER (WHERE {when}), 0)::bigint" for amount, when in _SUMS
)


def movements(of: Of) -> pl.DataFrame:
    """One row per fund held here; the year's figures begin on 1 January of the period's year.

    opening + received + recovered + other − used (each of the year) = balance, which is the special
    account less the bank's own advance at the period's end; `held_fen` is that balance today by the
    fund's own counters, and `later_fen` what moved it after the period.
    """
    return read_frame(
        _MOVEMENTS.format(columns=_COLUMNS),
        {**of.params, "year": of.since.replace(month=1, day=1)},
        schema={**FUND, **dict.fromkeys(MOVED, pl.Int64)},
    )


@dataclass(frozen=True)
class Turnover:
    """What the ledger's entries of a year, or of all years, add up to, in fen.

    Each is above zero where money was received, used, is held (less the bank's advance), or is owed.
    """

    received_fen: int
    used_fen: int
    position_fen: int
    receivable_fen: int


_YEAR_TURNOVER = """
SELECT
    coalesce(sum(l.credit_fen - l.debit_fen) FILTER (WHERE l.account = 'treasury_advance'
        AND e.event = 'pre_allocation' AND e.year >= %(first_year)s), 0)::bigint,
    coalesce(sum(l.debit_fen - l.credit_fen) FILTER (WHERE l.account = 'subsidy_applied'
        AND e.event IN ('deduction', 'taken_over', 'negative_difference')
        AND e.year >= %(first_year)s), 0)::bigint,
    coalesce(sum(l.debit_fen - l.credit_fen)
        FILTER (WHERE l.account IN ('special_account', 'bank_advance')), 0)::bigint,
    coalesce(sum(l.debit_fen - l.credit_fen)
        FILTER (WHERE l.account = 'clawback_receivable'), 0)::bigint
FROM settlement_ledgerentry e JOIN settlement_ledgerline l ON l.entry_id = e.id
JOIN settlement_fund f ON f.id = e.fund_id JOIN settlement_scheme s ON s.id = f.scheme_id
LEFT JOIN loans_preallocation p ON e.event = 'pre_allocation' AND p.id = e.source_id
WHERE f.institution_id BETWEEN %(lo)s AND %(hi)s AND s.code = ANY(%(codes)s)
    AND e.year <= %(last_year)s
    AND (%(before)s::date IS NULL OR coalesce(e.month, p.received_on, e.posted_on) < %(before)s)
"""


def turnover(of: Of, *, year: int | None, before: date | None) -> Turnover:
    """Received and used in a year (None: ever), held and owed at its end; of entries before a day, if any."""
    years = (0, 32_767) if year is None else (year, year)
    bounds = {"first_year": years[0], "last_year": years[1], "before": before}
    ((received, used, position, receivable),) = rows(_YEAR_TURNOVER, {**of.params, **bounds})
    return Turnover(received, used, position, receivable)
