"""Posted deductions and what the ledger says of them, in fen; days of collection choose the period.

The numbers of deductions and collections carry their month, so that a period touches its own
partitions alone.
"""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

import polars as pl

from config.kernel.services.bulk import read_frame, rows
from reports.definitions.cut import Money
from reports.definitions.words import TIERS
from reports.selectors.lending import FACTS, FACTS_SQL, OF_NOTE, Of
from settlement.selectors.payout_states import AMOUNT, LATEST

_MONEY = ", ".join(f"d.{tier}_fen" for tier in TIERS)
_SUMS = ", ".join(f"sum(d.{tier}_fen)::bigint AS {tier}_fen" for tier in TIERS)
_DAYS = """d.id >= %(first)s AND d.id < %(after)s
    AND d.collected_on >= %(since)s AND d.collected_on < %(until)s"""
_HELD = f"{_DAYS} AND d.institution_id BETWEEN %(lo)s AND %(hi)s"
_SCHEME = "JOIN settlement_scheme s ON s.id = d.scheme_id AND s.code = ANY(%(codes)s)"


def months_of(of: Of) -> dict[str, Any]:
    """The query's parameters, with the first number of the first month and the one after the last."""
    last = of.until.year * 12 + of.until.month - (1 if of.until.day == 1 else 0)
    return {
        **of.params,
        "first": (of.since.year * 100 + of.since.month) * 10**12,
        "after": (last // 12 * 100 + last % 12 + 1) * 10**12,
    }


def money(of: Of) -> Money:
    """What is posted in these days for notes held here, by funds held here, and in those funds' ledger."""
    held: Counter[tuple[str, str]] = Counter()
    funded: Counter[tuple[str, str]] = Counter()
    for code, is_held, is_funded, *amounts in rows(
        "SELECT s.code, d.institution_id BETWEEN %(lo)s AND %(hi)s,"
        f" d.fund_institution_id BETWEEN %(lo)s AND %(hi)s, {_SUMS}"
        f" FROM settlement_deduction d {_SCHEME} WHERE {_DAYS}"
        " AND (d.institution_id BETWEEN %(lo)s AND %(hi)s"
        "  OR d.fund_institution_id BETWEEN %(lo)s AND %(hi)s) GROUP BY 1, 2, 3",
        months_of(of),
    ):
        for tier, fen in zip(TIERS, amounts, strict=True):
            held[code, tier] += fen if is_held else 0
            funded[code, tier] += fen if is_funded else 0
    ledger = {(code, tier): int(fen) for code, tier, fen in rows(_TURNOVER, of.params)}
    return Money(held=held, funded=funded, ledger=ledger)


def fees_fen(of: Of) -> int:
    """Guarantee-fee subsidies of these months borne by funds held here, added up from their postings."""
    found = rows(
        "SELECT coalesce(sum(d.amount_fen), 0)::bigint FROM settlement_guaranteeposting d"
        f" {_SCHEME} JOIN settlement_fund f ON f.id = d.fund_id"
        " WHERE d.month >= %(since)s AND d.month < %(until)s"
        " AND f.institution_id BETWEEN %(lo)s AND %(hi)s",
        of.params,
    )
    return int(found[0][0])


_TURNOVER = """
SELECT s.code, f.tier, sum(l.debit_fen - l.credit_fen)::bigint
FROM settlement_ledgerentry e
JOIN settlement_fund f ON f.id = e.fund_id AND f.purpose = 'interest'
JOIN settlement_scheme s ON s.id = f.scheme_id
JOIN settlement_ledgerline l ON l.entry_id = e.id AND l.account = 'subsidy_applied'
WHERE e.event IN ('deduction', 'negative_difference')
    AND e.month >= %(since)s AND e.month < %(until)s
    AND f.institution_id BETWEEN %(lo)s AND %(hi)s AND s.code = ANY(%(codes)s)
GROUP BY 1, 2
"""


def by_note(of: Of, *, period_since: date) -> pl.DataFrame:
    """Net subsidies by scheme and note: of all these days (`ytd_…`), and from `period_since` on."""
    named = [f"{prefix}{tier}_fen" for prefix in ("", "ytd_") for tier in TIERS]
    in_period = ", ".join(
        f"coalesce(sum(d.{tier}_fen) FILTER (WHERE d.collected_on >= %(start)s), 0)::bigint"
        for tier in TIERS
    )
    return read_frame(
        "SELECT t.code, e.uscc, c.purpose_field, a.region_code, t.p0, t.p1, t.p2, t.y0, t.y1, t.y2"
        " FROM (SELECT s.code, d.note_id,"
        f" {in_period}, {_SUMS} FROM settlement_deduction d {_SCHEME} WHERE {_HELD} GROUP BY 1, 2)"
        " AS t(code, note_id, p0, p1, p2, y0, y1, y2)"
        f" JOIN loans_note n ON n.id = t.note_id {OF_NOTE} ORDER BY 1, t.note_id",
        {**months_of(of), "start": period_since},
        schema={
            "scheme_code": pl.String,
            "uscc": pl.String,
            "purpose_field": pl.String,
            "region_code": pl.String,
            **dict.fromkeys(named, pl.Int64),
        },
    )


# One row per collection: the net of its postings, and the state the last of them left.
_NET = f"""
    SELECT s.code, d.note_id, d.collection_id, {_SUMS},
        (array_agg(d.days ORDER BY d.sequence DESC))[1]::bigint AS days,
        (array_agg(d.product ORDER BY d.sequence DESC))[1] AS product,
        (array_agg(d.raw_central_fen + d.raw_provincial_fen + d.raw_municipal_fen
            ORDER BY d.sequence DESC))[1] AS raw_fen
    FROM settlement_deduction d {_SCHEME} WHERE {_HELD} GROUP BY 1, 2, 3
"""
_APPLIED = f"""
WITH net AS ({_NET}), paid AS (
    SELECT net.*, x.period_start, x.period_end, x.collected_on, x.interest_paid_fen
    FROM net JOIN loans_interestcollection x ON x.id = net.collection_id
        AND x.id >= %(first)s AND x.id < %(after)s
), spans AS (
    SELECT DISTINCT ON (code, note_id, period_start, period_end)
        code, note_id, period_start, period_end, days, product FROM paid
    ORDER BY code, note_id, period_start, period_end, collected_on DESC, collection_id DESC
), lengths AS (
    SELECT code, note_id, min(period_start) AS first_on, max(period_end) AS last_on,
        sum(days)::bigint AS days, sum(product)::bigint AS product FROM spans GROUP BY 1, 2
), sums AS (
    SELECT code, note_id, count(*) AS collections, sum(interest_paid_fen)::bigint AS interest_fen,
        sum(raw_fen)::bigint AS raw_fen,
        {", ".join(f"sum({t}_fen)::bigint AS {t}_fen" for t in TIERS)}
    FROM paid GROUP BY 1, 2
), invoices AS (
    SELECT note_id, count(*) AS invoices, sum(amount_fen)::bigint AS invoiced_fen
    FROM loans_equipmentinvoice WHERE issued_on < %(until)s GROUP BY 1
), reviews AS (
    SELECT code, note_id,
        string_agg(to_char(month, 'YYYY-MM') || ' ' || result, ';' ORDER BY month) AS results,
        coalesce(sum(amount_fen) FILTER (WHERE result = 'disallowed'), 0)::bigint AS reviewed_fen,
        coalesce(string_agg(DISTINCT nullif(reason, ''), '；'), '') AS review_reasons,
        string_agg(DISTINCT document_number, '；') AS review_documents
    FROM (
        SELECT DISTINCT ON (note_id, scheme_code, month) scheme_code AS code, note_id, month,
            result, amount_fen, reason, document_number
        FROM loans_reviewresult
        WHERE month >= %(since)s AND month < %(until)s AND scheme_code = ANY(%(codes)s)
        ORDER BY note_id, scheme_code, month, id DESC
    ) answered GROUP BY 1, 2
)
SELECT u.code, {FACTS_SQL}, coalesce(t.eligible_fen, 0), u.collections, l.first_on, l.last_on,
    u.interest_fen, l.days, l.product, u.raw_fen, {", ".join(f"u.{t}_fen" for t in TIERS)},
    coalesce(i.invoices, 0), coalesce(i.invoiced_fen, 0), r.results, coalesce(r.reviewed_fen, 0),
    r.review_reasons, r.review_documents
FROM sums u JOIN lengths l ON l.code = u.code AND l.note_id = u.note_id
JOIN loans_note n ON n.id = u.note_id {OF_NOTE}
LEFT JOIN settlement_enrolment t ON t.note_id = n.id AND t.scheme_code = u.code
LEFT JOIN invoices i ON i.note_id = n.id
LEFT JOIN reviews r ON r.note_id = n.id AND r.code = u.code
ORDER BY u.code, n.id
"""


def applied_for(of: Of) -> pl.DataFrame:
    """By scheme and note: interest, days and product of the periods paid for, subsidies, and evidence.

    Days and product of a period that was paid in parts count once. `raw_fen` is before caps. A note's
    last review of each month counts; `results` says `2026-03 approved;…`.
    """
    return read_frame(
        _APPLIED,
        months_of(of),
        schema={
            "scheme_code": pl.String,
            **FACTS,
            "eligible_fen": pl.Int64,
            "collections": pl.Int64,
            "first_on": pl.Date,
            "last_on": pl.Date,
            "interest_fen": pl.Int64,
            "days": pl.Int64,
            "product": pl.Int64,
            "raw_fen": pl.Int64,
            **{f"{tier}_fen": pl.Int64 for tier in TIERS},
            "invoices": pl.Int64,
            "invoiced_fen": pl.Int64,
            "results": pl.String,
            "reviewed_fen": pl.Int64,
            "review_reasons": pl.String,
            "review_documents": pl.String,
        },
    )


_PAID = f"""
WITH net AS (
    SELECT s.code, d.note_id, d.fund_institution_id, {_SUMS},
        coalesce(sum(y.fen), 0)::bigint AS paid_out_fen,
        coalesce(sum(y.arrived_fen), 0)::bigint AS arrived_fen,
        coalesce(sum(y.offset_fen), 0)::bigint AS offset_fen
    FROM settlement_deduction d {_SCHEME}
    LEFT JOIN (
        SELECT t.collection_id, t.scheme_id, t.sequence, t.offset_fen,
            {{amount}} AS fen, CASE WHEN l.state = 'paid' THEN {{amount}} ELSE 0 END AS arrived_fen
        FROM settlement_payout t {{latest}}
        WHERE t.collection_id >= %(first)s AND t.collection_id < %(after)s
    ) y ON y.collection_id = d.collection_id AND y.scheme_id = d.scheme_id
        AND y.sequence = d.sequence
    WHERE {_HELD} GROUP BY 1, 2, 3
)
SELECT net.code, f.code, f.name, e.uscc, a.name, a.region_code, n.id,
    {", ".join(f"net.{tier}_fen" for tier in TIERS)}, net.paid_out_fen, net.arrived_fen, net.offset_fen
FROM net JOIN kernel_institution f ON f.id = net.fund_institution_id
JOIN loans_note n ON n.id = net.note_id {OF_NOTE}
ORDER BY net.code, net.fund_institution_id, n.id
""".format(amount=AMOUNT, latest=LATEST)


def paid(of: Of) -> pl.DataFrame:
    """By scheme, fund institution and note: net subsidies, and how much of them was paid out directly.

    `paid_out_fen` is what is to go to the enterprise's account, `arrived_fen` what of it the bank has
    been told is there, `offset_fen` what pay-outs were lowered by to set off clawbacks (MF-25).
    """
    return read_frame(
        _PAID,
        months_of(of),
        schema={
            "scheme_code": pl.String,
            "fund_code": pl.String,
            "fund_name": pl.String,
            "uscc": pl.String,
            "enterprise_name": pl.String,
            "region_code": pl.String,
            "note_id": pl.Int64,
            **{f"{tier}_fen": pl.Int64 for tier in TIERS},
            "paid_out_fen": pl.Int64,
            "arrived_fen": pl.Int64,
            "offset_fen": pl.Int64,
        },
    )
