"""What the duplicate check reads, as frames: subsidised notes, what they were paid, and what else is known.

Amounts are fen. A note is subsidised if it is eligible under some scheme. `enterprise_ids` narrows a
frame to these enterprises and their notes; None means everybody's.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import polars as pl

from config.kernel.services.bulk import Schema, read_frame, rows
from loans.selectors import facts

_ELIGIBLE = "EXISTS (SELECT FROM settlement_enrolment t WHERE t.note_id = {0}.{1} AND t.status = 'eligible')"
_OWN = "SELECT w.id FROM loans_note w JOIN loans_contract v ON v.id = w.contract_id WHERE v.enterprise_id = ANY(%(ids)s)"
_OWN_OUTSIDE = f"""
    x.uscc IN (SELECT uscc FROM loans_enterprise WHERE id = ANY(%(ids)s))
    OR (x.origin_id, x.note_number) IN (SELECT origin_id, note_number FROM loans_note WHERE id IN ({_OWN}))
"""
_TIERS = ("central_fen", "provincial_fen", "municipal_fen")

NOTES: Schema = {
    "note_id": pl.Int64,
    "institution_id": pl.Int64,
    "institution_code": pl.String,
    "bank_id": pl.Int64,
    "bank_code": pl.String,
    "enterprise_id": pl.Int64,
    "uscc": pl.String,
    "contract_id": pl.Int64,
    "contract_number": pl.String,
    "contract_fen": pl.Int64,
    "signed_on": pl.Date,
    "loan_type": pl.String,
    "project_code": pl.String,
    "note_number": pl.String,
    "drawn_on": pl.Date,
    "matures_on": pl.Date,
    "principal_fen": pl.Int64,
    "equipment_fen": pl.Int64,
    "exchange_rate_e8": pl.Int64,
}


def _of(column: str, ids: facts.Ids, *, notes: bool = False) -> tuple[str, dict[str, Any]]:
    """A condition that narrows a column of enterprises, or of their notes, with its parameters."""
    if ids is None:
        return "true", {}
    return (f"{column} IN ({_OWN})" if notes else f"{column} = ANY(%(ids)s)"), {"ids": list(ids)}


def notes(*, enterprise_ids: facts.Ids = None) -> pl.DataFrame:
    """Subsidised notes with their keys, contract, project and bank (the head of its tree)."""
    own, params = _of("c.enterprise_id", enterprise_ids)
    return read_frame(
        f"""
        SELECT n.id, n.institution_id, o.code, b.id, b.code, c.enterprise_id, e.uscc, c.id,
            c.contract_number, c.amount_fen, c.signed_on, c.loan_type, coalesce(p.project_code, ''),
            n.note_number, n.drawn_on, n.matures_on, n.principal_fen, n.equipment_fen, n.exchange_rate_e8
        FROM loans_note n JOIN loans_contract c ON c.id = n.contract_id
        JOIN loans_enterprise e ON e.id = c.enterprise_id
        JOIN kernel_institution o ON o.id = n.origin_id
        JOIN kernel_institution b ON b.parent_id IS NULL AND o.id BETWEEN b.id AND b.last_id
        LEFT JOIN loans_project p ON p.id = c.project_id
        WHERE {own} AND {_ELIGIBLE.format("n", "id")}
        """,
        params,
        schema=NOTES,
    )


def enrolments(*, enterprise_ids: facts.Ids = None) -> pl.DataFrame:
    """Under which schemes is each note subsidised, for how much and from when to when?"""
    own, params = _of("note_id", enterprise_ids, notes=True)
    return read_frame(
        "SELECT note_id, scheme_code, eligible_fen, subsidised_from, subsidised_until"
        f" FROM settlement_enrolment WHERE status = 'eligible' AND {own}",
        params,
        schema={
            "note_id": pl.Int64,
            "scheme_code": pl.String,
            "eligible_fen": pl.Int64,
            "subsidised_from": pl.Date,
            "subsidised_until": pl.Date,
        },
    )


def names(*, enterprise_ids: facts.Ids = None) -> pl.DataFrame:
    """Every name ever recorded of an enterprise."""
    own, params = _of("enterprise_id", enterprise_ids)
    return read_frame(
        f"SELECT DISTINCT enterprise_id, name FROM loans_enterpriserecord WHERE {own}",
        params,
        schema={"enterprise_id": pl.Int64, "name": pl.String},
    )


def invoices(*, enterprise_ids: facts.Ids = None) -> pl.DataFrame:
    """Equipment invoices of subsidised notes."""
    own, params = _of("v.note_id", enterprise_ids, notes=True)
    return read_frame(
        "SELECT v.note_id, v.invoice_number, v.serial_number, v.supplier, v.issued_on, v.amount_fen"
        f" FROM loans_equipmentinvoice v WHERE {own} AND {_ELIGIBLE.format('v', 'note_id')}",
        params,
        schema={
            "note_id": pl.Int64,
            "invoice_number": pl.String,
            "serial_number": pl.String,
            "supplier": pl.String,
            "issued_on": pl.Date,
            "amount_fen": pl.Int64,
        },
    )


def external(*, enterprise_ids: facts.Ids = None) -> pl.DataFrame:
    """Outside subsidies net of their reversals, by the matter they name; `reference` is the first.

    Narrowed: those of the enterprises' credit codes, and those that name a note of theirs (D10).
    """
    if enterprise_ids is None:
        own, params = "true", {}
    else:
        own, params = _OWN_OUTSIDE, {"ids": list(enterprise_ids)}
    return read_frame(
        f"""
        SELECT x.source, min(x.reference), x.uscc, x.kind, x.scheme_name, coalesce(o.code, ''),
            x.note_number, x.project_code, x.invoice_number, x.year, sum(x.amount_fen)::bigint
        FROM loans_externalsubsidy x LEFT JOIN kernel_institution o ON o.id = x.origin_id
        WHERE {own}
        GROUP BY 1, 3, 4, 5, 6, 7, 8, 9, 10 HAVING sum(x.amount_fen) > 0
        """,
        params,
        schema={
            "source": pl.String,
            "reference": pl.String,
            "uscc": pl.String,
            "kind": pl.String,
            "scheme_name": pl.String,
            "institution_code": pl.String,
            "note_number": pl.String,
            "project_code": pl.String,
            "invoice_number": pl.String,
            "year": pl.Int64,
            "amount_fen": pl.Int64,
        },
    )


def paid_by_year(*, enterprise_ids: facts.Ids = None) -> pl.DataFrame:
    """What each note was paid per scheme and year of collection, net, all tiers together."""
    own, params = _of("note_id", enterprise_ids, notes=True)
    return read_frame(
        "SELECT d.note_id, s.code, d.year, d.fen FROM (SELECT note_id, scheme_id,"
        " extract(year FROM collected_on)::int AS year,"
        f" sum({' + '.join(_TIERS)})::bigint AS fen FROM settlement_deduction WHERE {own} GROUP BY 1, 2, 3) d"
        " JOIN settlement_scheme s ON s.id = d.scheme_id WHERE d.fen > 0",
        params,
        schema={
            "note_id": pl.Int64,
            "scheme_code": pl.String,
            "year": pl.Int64,
            "paid_fen": pl.Int64,
        },
    )


def interest_by_year(*, enterprise_ids: facts.Ids = None) -> pl.DataFrame:
    """What each note paid in interest per year of collection."""
    own, params = _of("note_id", enterprise_ids, notes=True)
    return read_frame(
        "SELECT note_id, extract(year FROM collected_on)::int, sum(interest_paid_fen)::bigint"
        f" FROM loans_interestcollection WHERE interest_paid_fen IS NOT NULL AND {own} GROUP BY 1, 2",
        params,
        schema={"note_id": pl.Int64, "year": pl.Int64, "interest_fen": pl.Int64},
    )


def notes_with_overlapping_periods(*, enterprise_ids: facts.Ids = None) -> list[int]:
    """Notes with two interest periods, not the same, that share days.

    In the order of their first days some two neighbours then share days, too.
    """
    own, params = _of("note_id", enterprise_ids, notes=True)
    found = rows(
        f"""
        SELECT DISTINCT note_id FROM (
            SELECT note_id, period_start, period_end, lag(period_start) OVER w AS start_before,
                lag(period_end) OVER w AS end_before
            FROM loans_interestcollection WHERE interest_paid_fen IS NOT NULL AND {own}
            WINDOW w AS (PARTITION BY note_id ORDER BY period_start, period_end)
        ) w
        WHERE period_start < end_before AND (period_start, period_end) <> (start_before, end_before)
        ORDER BY 1
        """,
        params,
    )
    return [int(row[0]) for row in found]


PAID: Schema = {
    "note_id": pl.Int64,
    "scheme_code": pl.String,
    "fund_institution_id": pl.Int64,
    "year": pl.Int64,
    "starts_on": pl.Date,
    "ends_on": pl.Date,
    **dict.fromkeys(_TIERS, pl.Int64),
}


def paid_rows(*, note_ids: Sequence[int]) -> pl.DataFrame:
    """What each collection of these notes earned per scheme and fund, net, with its period."""
    return read_frame(
        f"""
        SELECT d.note_id, s.code, d.fund_institution_id, extract(year FROM d.collected_on)::int,
            x.period_start, x.period_end, {", ".join(f"sum(d.{tier})::bigint" for tier in _TIERS)}
        FROM settlement_deduction d JOIN settlement_scheme s ON s.id = d.scheme_id
        JOIN loans_interestcollection x ON x.id = d.collection_id
        WHERE d.note_id = ANY(%(ids)s) GROUP BY 1, 2, 3, 4, 5, 6, d.collection_id
        """,
        {"ids": list(note_ids)},
        schema=PAID,
    )


def stopped_products(*, enterprise_ids: facts.Ids = None) -> pl.DataFrame:
    """The last state of every deduction of a note that was repaid, overdue, extended or worse (D6)."""
    own, params = _of("d.note_id", enterprise_ids, notes=True)
    states = read_frame(
        f"""
        SELECT d.note_id, s.code, x.period_start, x.period_end, d.product, d.sequence,
            d.collection_id
        FROM settlement_deduction d JOIN settlement_scheme s ON s.id = d.scheme_id
        JOIN loans_interestcollection x ON x.id = d.collection_id
        WHERE {own} AND d.note_id IN (SELECT note_id FROM loans_repayment UNION
            SELECT note_id FROM loans_notestatus)
        """,
        params,
        schema={
            "note_id": pl.Int64,
            "scheme_code": pl.String,
            "period_start": pl.Date,
            "period_end": pl.Date,
            "product": pl.Int64,
            "sequence": pl.Int64,
            "collection_id": pl.Int64,
        },
    )
    last = pl.col("sequence") == pl.col("sequence").max().over("collection_id", "scheme_code")
    return states.filter(last).drop("sequence", "collection_id")


def guaranteed(*, enterprise_ids: facts.Ids = None) -> pl.DataFrame:
    """Notes whose guarantee fee is subsidised, by scheme."""
    own, params = _of("note_id", enterprise_ids, notes=True)
    return read_frame(
        "SELECT note_id, scheme_code, sum(subsidy_fen)::bigint FROM settlement_guaranteesubsidy"
        f" WHERE status = 'eligible' AND {own} GROUP BY 1, 2",
        params,
        schema={"note_id": pl.Int64, "scheme_code": pl.String, "fee_fen": pl.Int64},
    )


def untouched_receipts(*, as_of: date, days: int) -> pl.DataFrame:
    """Pre-allocations of which nothing has been used, first in first out, that many days later (P12)."""
    return read_frame(
        """
        SELECT r.institution_id, i.code, s.code, r.tier, r.number, r.received_on, r.amount_fen
        FROM (
            SELECT f.institution_id, f.scheme_id, f.tier, e.number, e.event,
                coalesce(p.received_on, e.posted_on) AS received_on, l.debit_fen AS amount_fen,
                f.special_account_fen AS balance_fen,
                sum(l.debit_fen) OVER (PARTITION BY f.id
                    ORDER BY coalesce(p.received_on, e.posted_on) DESC, e.number DESC) AS since_fen
            FROM settlement_ledgerline l JOIN settlement_ledgerentry e ON e.id = l.entry_id
            JOIN settlement_fund f ON f.id = e.fund_id
            LEFT JOIN loans_preallocation p ON e.event = 'pre_allocation' AND p.id = e.source_id
            WHERE l.account = 'special_account' AND l.debit_fen > 0 AND f.purpose = 'interest'
        ) r JOIN settlement_scheme s ON s.id = r.scheme_id
        JOIN kernel_institution i ON i.id = r.institution_id
        WHERE r.event = 'pre_allocation' AND r.since_fen <= r.balance_fen
            AND %(as_of)s::date - r.received_on > %(days)s
        """,
        {"as_of": as_of, "days": days},
        schema={
            "institution_id": pl.Int64,
            "institution_code": pl.String,
            "scheme_code": pl.String,
            "tier": pl.String,
            "number": pl.Int64,
            "received_on": pl.Date,
            "amount_fen": pl.Int64,
        },
    )


def industries_of_titled(*, enterprise_ids: facts.Ids = None) -> pl.DataFrame:
    """The industry in force on the drawdown day (D13) of notes whose enterprise ever held a title."""
    own, params = _of("c.enterprise_id", enterprise_ids)
    return read_frame(
        f"""
        SELECT n.id, a.industry_code FROM loans_note n JOIN loans_contract c ON c.id = n.contract_id
        JOIN LATERAL (
            SELECT r.industry_code FROM loans_enterpriserecord r
            WHERE r.enterprise_id = c.enterprise_id
            ORDER BY r.valid_from <= n.drawn_on DESC,
                CASE WHEN r.valid_from <= n.drawn_on THEN r.valid_from END DESC, r.valid_from
            LIMIT 1
        ) a ON true
        WHERE {own} AND c.enterprise_id IN (SELECT enterprise_id FROM loans_enterprisetitle)
        """,
        params,
        schema={"note_id": pl.Int64, "industry_code": pl.String},
    )
