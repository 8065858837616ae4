"""The facts a subsidy depends on, as frames.

Amounts are fen (in the note's currency for notes and repayments), rates parts per million, exchange
rates 10⁻⁸; dates are dates; a missing project is 0, a missing end date null. `enterprise_ids`
narrows a frame to the notes of these enterprises; None means everybody's.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import polars as pl

from config.kernel.services.bulk import Schema, read_frame, rows

Ids = Sequence[int] | None

ASSESSED_KINDS = (
    "participations",
    "lpr",
    "enterprises",
    "enterprise-titles",
    "contracts",
    "notes",
    "note-statuses",
    "guarantees",
    "scheme-funds",
    "review-results",
)  # what a note's eligibility is judged on

# The enterprise's record in force on the drawdown day (D13); before the first one, the first one.
_NOTES = """
    SELECT n.id, o.code, n.note_number, n.origin_id >> 48, c.enterprise_id, coalesce(c.project_id, 0),
           c.signed_on, c.loan_type, c.purpose_field, c.currency, n.drawn_on, n.matures_on,
           n.principal_fen, n.equipment_fen, n.rate_ppm, n.exchange_rate_e8,
           a.region_code, a.industry_code, a.size, a.ownership, a.environment_rating, a.tax_rating,
           a.dishonest
    FROM loans_note n
    JOIN loans_contract c ON c.id = n.contract_id
    JOIN kernel_institution o ON o.id = n.origin_id
    JOIN LATERAL (
        SELECT * FROM loans_enterpriserecord r WHERE r.enterprise_id = c.enterprise_id
        ORDER BY r.valid_from <= n.drawn_on DESC,
                 CASE WHEN r.valid_from <= n.drawn_on THEN r.valid_from END DESC, r.valid_from
        LIMIT 1
    ) a ON true
"""
NOTES: Schema = {
    "note_id": pl.Int64,
    "institution_code": pl.String,
    "note_number": pl.String,
    "bank_id": pl.Int64,
    "enterprise_id": pl.Int64,
    "project_id": pl.Int64,
    "signed_on": pl.Date,
    "loan_type": pl.String,
    "purpose_field": pl.String,
    "currency": pl.String,
    "drawn_on": pl.Date,
    "matures_on": pl.Date,
    "principal_fen": pl.Int64,
    "equipment_fen": pl.Int64,
    "rate_ppm": pl.Int64,
    "exchange_rate_e8": pl.Int64,
    "region_code": pl.String,
    "industry_code": pl.String,
    "size": pl.String,
    "ownership": pl.String,
    "environment_rating": pl.String,
    "tax_rating": pl.String,
    "dishonest": pl.Boolean,
}


def _of(column: str, ids: Ids) -> tuple[str, dict[str, Any]]:
    """A condition that narrows `column` to these enterprises, with its parameters."""
    if ids is None:
        return "true", {}
    return f"{column} = ANY(%(ids)s)", {"ids": list(ids)}


def notes(*, enterprise_ids: Ids = None, labelled: bool = False) -> pl.DataFrame:
    """Notes with their contract's terms and the borrower's attributes on the drawdown day."""
    condition, params = _of("c.enterprise_id", enterprise_ids)
    only = " AND n.scheme_codes <> '{}'" if labelled else ""
    return read_frame(f"{_NOTES} WHERE {condition}{only}", params, schema=NOTES)


def labels() -> pl.DataFrame:
    """Which schemes is each note labelled with, in which order (0 first)?"""
    return read_frame(
        "SELECT n.id, x.code, x.position - 1 FROM loans_note n "
        "CROSS JOIN LATERAL unnest(n.scheme_codes) WITH ORDINALITY AS x(code, position)",
        schema={"note_id": pl.Int64, "scheme_code": pl.String, "position": pl.Int64},
    )


def participation_hits() -> pl.DataFrame:
    """For which labels did the note's bank take part on the drawdown day (both ends inclusive)?"""
    return read_frame(
        """
        SELECT DISTINCT n.id, p.scheme_code FROM loans_note n
        CROSS JOIN LATERAL unnest(n.scheme_codes) AS code
        JOIN loans_participation p ON p.scheme_code = code
        JOIN kernel_institution i ON i.id = p.institution_id
        WHERE n.origin_id BETWEEN i.id AND i.last_id
          AND n.drawn_on >= p.valid_from AND n.drawn_on <= coalesce(p.valid_to, 'infinity')
        """,
        schema={"note_id": pl.Int64, "scheme_code": pl.String},
    )


def participations_covering() -> pl.DataFrame:
    """As `participation_hits`, for every scheme, whether the note carries its label or not."""
    return read_frame(
        """
        SELECT DISTINCT n.id, p.scheme_code FROM loans_participation p
        JOIN kernel_institution i ON i.id = p.institution_id
        JOIN loans_note n ON n.origin_id BETWEEN i.id AND i.last_id
          AND n.drawn_on >= p.valid_from AND n.drawn_on <= coalesce(p.valid_to, 'infinity')
        """,
        schema={"note_id": pl.Int64, "scheme_code": pl.String},
    )


def titles() -> pl.DataFrame:
    """Titles of enterprises, first to last valid day."""
    return read_frame(
        "SELECT enterprise_id, title, valid_from, valid_to FROM loans_enterprisetitle",
        schema={
            "enterprise_id": pl.Int64,
            "title": pl.String,
            "valid_from": pl.Date,
            "valid_to": pl.Date,
        },
    )


def lpr() -> pl.DataFrame:
    """Every LPR fixing known."""
    return read_frame(
        "SELECT published_on, one_year_ppm, five_year_ppm FROM loans_lpr",
        schema={"published_on": pl.Date, "one_year_ppm": pl.Int64, "five_year_ppm": pl.Int64},
    )


def overdue() -> pl.DataFrame:
    """When was any note of an enterprise overdue, at whatever bank? Half-open; open end null."""
    return read_frame(
        "SELECT c.enterprise_id, s.starts_on, s.ends_on FROM loans_notestatus s "
        "JOIN loans_note n ON n.id = s.note_id JOIN loans_contract c ON c.id = n.contract_id "
        "WHERE s.status = 'overdue'",
        schema={"enterprise_id": pl.Int64, "starts_on": pl.Date, "ends_on": pl.Date},
    )


def funds() -> pl.DataFrame:
    """A scheme's fund per year, where one is recorded."""
    return read_frame(
        "SELECT scheme_code, year, amount_fen FROM loans_schemefund",
        schema={"scheme_code": pl.String, "year": pl.Int64, "amount_fen": pl.Int64},
    )


def rejections(*, note_id: int | None = None) -> pl.DataFrame:
    """From which month on does finance not subsidise a note under a scheme (SME-15, EQ-07)?

    The last answer for a month counts, so that a later document may take a rejection back.
    """
    return read_frame(
        "SELECT note_id, scheme_code, min(month) FROM (SELECT DISTINCT ON (note_id, scheme_code, month)"
        " note_id, scheme_code, month, result FROM loans_reviewresult"
        " WHERE (%(note)s::bigint IS NULL OR note_id = %(note)s) AND result <> 'disallowed'"
        " ORDER BY note_id, scheme_code, month, id DESC) answered"
        " WHERE result = 'rejected' GROUP BY 1, 2",
        {"note": note_id},
        schema={"note_id": pl.Int64, "scheme_code": pl.String, "rejected_from": pl.Date},
    )


def guarantees() -> pl.DataFrame:
    """Guarantees of labelled notes."""
    return read_frame(
        "SELECT g.id, g.note_id, g.guarantee_number, g.principal_fen, g.starts_on, g.ends_on "
        "FROM loans_guarantee g JOIN loans_note n ON n.id = g.note_id WHERE n.scheme_codes <> '{}'",
        schema={
            "guarantee_id": pl.Int64,
            "note_id": pl.Int64,
            "guarantee_number": pl.String,
            "principal_fen": pl.Int64,
            "starts_on": pl.Date,
            "ends_on": pl.Date,
        },
    )


_JOINS = "JOIN loans_note n ON n.id = x.note_id JOIN loans_contract c ON c.id = n.contract_id"


def repayments(*, enterprise_ids: Ids) -> pl.DataFrame:
    """Repayments and their reversals (negative)."""
    condition, params = _of("c.enterprise_id", enterprise_ids)
    return read_frame(
        f"SELECT x.note_id, x.repaid_on, x.amount_fen FROM loans_repayment x {_JOINS} "
        f"WHERE {condition}",
        params,
        schema={"note_id": pl.Int64, "repaid_on": pl.Date, "amount_fen": pl.Int64},
    )


def stops(*, enterprise_ids: Ids) -> pl.DataFrame:
    """Overdue, extended and non-performing times of notes, half-open; open end null (D6)."""
    condition, params = _of("c.enterprise_id", enterprise_ids)
    return read_frame(
        f"SELECT x.note_id, x.status, x.starts_on, x.ends_on FROM loans_notestatus x {_JOINS} "
        f"WHERE {condition}",
        params,
        schema={
            "note_id": pl.Int64,
            "status": pl.String,
            "starts_on": pl.Date,
            "ends_on": pl.Date,
        },
    )


def collections(*, enterprise_ids: Ids) -> pl.DataFrame:
    """Interest collected: plans are not in here, what completed them is."""
    condition, params = _of("c.enterprise_id", enterprise_ids)
    return read_frame(
        "SELECT x.id, x.note_id, x.period_start, x.period_end, x.interest_due_fen, "
        f"x.interest_paid_fen, x.collected_on, x.reference FROM loans_interestcollection x {_JOINS} "
        f"WHERE {condition} AND x.interest_paid_fen IS NOT NULL",
        params,
        schema={
            "collection_id": pl.Int64,
            "note_id": pl.Int64,
            "period_start": pl.Date,
            "period_end": pl.Date,
            "interest_due_fen": pl.Int64,
            "interest_paid_fen": pl.Int64,
            "collected_on": pl.Date,
            "reference": pl.String,
        },
    )


def external(*, enterprise_ids: Ids) -> pl.DataFrame:
    """Outside loan-interest subsidies recorded for a note, by year (D10)."""
    condition, params = _of("c.enterprise_id", enterprise_ids)
    return read_frame(
        "SELECT n.id, x.year, sum(x.amount_fen) FROM loans_externalsubsidy x "
        "JOIN loans_note n ON n.origin_id = x.origin_id AND n.note_number = x.note_number "
        "JOIN loans_contract c ON c.id = n.contract_id "
        f"WHERE x.kind = 'loan_interest' AND {condition} GROUP BY 1, 2",
        params,
        schema={"note_id": pl.Int64, "year": pl.Int64, "amount_fen": pl.Int64},
    )


def leasing(*, enterprise_ids: Ids) -> pl.DataFrame:
    """Leasing-interest subsidies of an enterprise, by year (MF-13)."""
    condition, params = _of("e.id", enterprise_ids)
    return read_frame(
        "SELECT e.id, x.year, sum(x.amount_fen) FROM loans_externalsubsidy x "
        "JOIN loans_enterprise e ON e.uscc = x.uscc "
        f"WHERE x.kind = 'leasing_interest' AND {condition} GROUP BY 1, 2",
        params,
        schema={"enterprise_id": pl.Int64, "year": pl.Int64, "amount_fen": pl.Int64},
    )


def opening(*, enterprise_ids: Ids) -> pl.DataFrame:
    """What was subsidised before this system took over, per note, scheme, tier and year."""
    condition, params = _of("c.enterprise_id", enterprise_ids)
    return read_frame(
        "SELECT x.note_id, x.scheme_code, x.tier, x.year, x.amount_fen, x.interest_paid_fen, "
        f"x.paid_through FROM loans_openingposition x {_JOINS} WHERE {condition}",
        params,
        schema={
            "note_id": pl.Int64,
            "scheme_code": pl.String,
            "tier": pl.String,
            "year": pl.Int64,
            "amount_fen": pl.Int64,
            "interest_paid_fen": pl.Int64,
            "paid_through": pl.Date,
        },
    )


def project_links() -> list[tuple[int, int]]:
    """(project, enterprise) for each project that several enterprises hold contracts for."""
    return [
        (int(project), int(enterprise))
        for project, enterprise in rows(
            "SELECT DISTINCT project_id, enterprise_id FROM loans_contract WHERE project_id IN ("
            "SELECT project_id FROM loans_contract WHERE project_id IS NOT NULL "
            "GROUP BY project_id HAVING count(DISTINCT enterprise_id) > 1)"
        )
    ]


def last_collected_on() -> date | None:
    """The last day any interest was collected on, as far as recorded."""
    month = rows(
        "SELECT max(id) FROM loans_interestcollection WHERE interest_paid_fen IS NOT NULL"
    )[0][0]
    if month is None:
        return None
    found: date = rows(
        "SELECT max(collected_on) FROM loans_interestcollection "
        "WHERE interest_paid_fen IS NOT NULL AND id >= %s",
        [month // 10**12 * 10**12],
    )[0][0]
    return found


def facts_position() -> int:
    """A number that rises whenever a fact that eligibility depends on comes in or is corrected."""
    found = rows(
        "SELECT coalesce(max(id), 0) FROM loans_importbatch WHERE kind = ANY(%s)",
        [list(ASSESSED_KINDS)],
    )
    return int(found[0][0])


def enterprise_versions() -> pl.DataFrame:
    """How many times has anything been said about each enterprise, and how many notes has it?"""
    return read_frame(
        "SELECT e.id, e.facts_version, count(n.id) FROM loans_enterprise e "
        "LEFT JOIN loans_contract c ON c.enterprise_id = e.id "
        "LEFT JOIN loans_note n ON n.contract_id = c.id GROUP BY 1, 2 ORDER BY 1",
        schema={"enterprise_id": pl.Int64, "facts_version": pl.Int64, "notes": pl.Int64},
    )


def enterprises_collected(*, after: date, through: date) -> set[int]:
    """Which enterprises paid interest after one day, up to another (inclusive)?"""
    found = rows(
        "SELECT DISTINCT c.enterprise_id FROM loans_interestcollection x "
        f"{_JOINS} WHERE x.interest_paid_fen IS NOT NULL AND x.id >= %s "
        "AND x.collected_on > %s AND x.collected_on <= %s",
        [(after.year * 100 + after.month) * 10**12, after, through],
    )
    return {int(row[0]) for row in found}


def note_scopes(*, enterprise_ids: Ids) -> pl.DataFrame:
    """Where does each note of these enterprises belong today?"""
    condition, params = _of("c.enterprise_id", enterprise_ids)
    return read_frame(
        "SELECT n.id, n.institution_id, n.contract_id, c.enterprise_id FROM loans_note n "
        f"JOIN loans_contract c ON c.id = n.contract_id WHERE {condition}",
        params,
        schema={
            "note_id": pl.Int64,
            "institution_id": pl.Int64,
            "contract_id": pl.Int64,
            "enterprise_id": pl.Int64,
        },
    )
