"""The rows of the subsidy register: what is posted per collection × scheme, with what it stands on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from config.kernel.services.bulk import Schema, read_frame, read_parts

TIERS = ("central", "provincial", "municipal")
MONEY = tuple(f"{tier}_fen" for tier in TIERS)
RAW = tuple(f"raw_{tier}_fen" for tier in TIERS)

_MONTH = 10**12  # deductions and collections carry their month in the id
_PART_ROWS = 5_000  # of some seventy columns, several times over in memory as cells

# The last state and the sum of original and differences, of every scheme of the collection, so that
# what the enterprise paid itself is right whichever scheme is asked for.
_NET = f"""
    SELECT DISTINCT ON (d.collection_id, d.scheme_id)
        d.collection_id, d.scheme_id, d.note_id, d.institution_id, d.fund_institution_id,
        d.collected_on, d.version_id, d.sequence, d.days, d.product, {", ".join(f"d.{r}" for r in RAW)},
        d.cut_reasons, {", ".join(f"(sum(d.{m}) OVER w)::bigint AS {m}" for m in MONEY)},
        (sum({" + ".join(f"d.{m}" for m in MONEY)}) OVER (PARTITION BY d.collection_id))::bigint
            AS granted_fen
    FROM settlement_deduction d
    WHERE d.id >= %(first_id)s AND d.id < %(last_id)s
        AND d.collected_on >= %(since)s AND d.collected_on < %(until)s
        AND d.institution_id BETWEEN %(lo)s AND %(hi)s
    WINDOW w AS (PARTITION BY d.collection_id, d.scheme_id)
    ORDER BY d.collection_id, d.scheme_id, d.sequence DESC
"""
_ASKED = "t.product > 0 AND (%(scheme)s::text IS NULL OR s.code = %(scheme)s)"

# What of the period's interest counts as paid before and after each collection (D7, D9).
_PAID = """
    SELECT q.id, coalesce(lag(q.counted_fen) OVER p, 0) AS paid_before_fen,
        q.counted_fen AS paid_to_date_fen, coalesce(lag(q.due_fen) OVER p, q.due_fen) AS due_before_fen
    FROM (
        SELECT y.id, y.note_id, y.period_start, y.period_end, y.collected_on, y.reference,
            y.interest_due_fen AS due_fen,
            least(greatest(sum(y.interest_paid_fen) OVER o, 0), y.interest_due_fen)::bigint AS counted_fen
        FROM loans_interestcollection y
        WHERE y.interest_paid_fen IS NOT NULL AND y.id < %(last_id)s
            AND y.note_id IN (SELECT note_id FROM net)
        WINDOW o AS (PARTITION BY y.note_id, y.period_start, y.period_end
            ORDER BY y.collected_on, y.reference COLLATE "C" ROWS UNBOUNDED PRECEDING)
    ) q
    WINDOW p AS (PARTITION BY q.note_id, q.period_start, q.period_end
        ORDER BY q.collected_on, q.reference COLLATE "C")
"""
# The enterprise's record in force on the drawdown day (D13); before the first one, the first one.
_RECORDS = """
    SELECT enterprise_id, name, region_code, industry_code, size, ownership,
        CASE WHEN row_number() OVER r = 1 THEN '-infinity'::date ELSE valid_from END AS since,
        coalesce(lead(valid_from) OVER r, 'infinity'::date) AS until
    FROM loans_enterpriserecord WINDOW r AS (PARTITION BY enterprise_id ORDER BY valid_from)
"""
_OWED = """
    SELECT k.note_id, f.scheme_id, k.year FROM settlement_clawback k
    JOIN settlement_fund f ON f.id = k.fund_id WHERE k.state = 'decided' GROUP BY 1, 2, 3
"""
_COLUMNS: dict[str, tuple[str, Any]] = {
    "collection_id": ("t.collection_id", pl.Int64),
    "note_id": ("t.note_id", pl.Int64),
    "version_id": ("t.version_id", pl.Int64),
    "scheme_code": ("s.code", pl.String),
    "institution_code": ("i.code", pl.String),
    "institution_name": ("i.name", pl.String),
    "borrower": ("a.name", pl.String),
    "uscc": ("b.uscc", pl.String),
    "size": ("a.size", pl.String),
    "ownership": ("a.ownership", pl.String),
    "industry_code": ("a.industry_code", pl.String),
    "region_code": ("a.region_code", pl.String),
    "project_code": ("j.project_code", pl.String),
    "project_name": ("j.name", pl.String),
    "contract_number": ("c.contract_number", pl.String),
    "note_number": ("n.note_number", pl.String),
    "drawn_on": ("n.drawn_on", pl.Date),
    "matures_on": ("n.matures_on", pl.Date),
    "currency": ("c.currency", pl.String),
    "exchange_rate_e8": ("n.exchange_rate_e8", pl.Int64),
    "note_rate_ppm": ("n.rate_ppm", pl.Int64),
    "lpr_ppm": ("m.lpr_ppm", pl.Int64),
    "principal_fen": ("n.principal_fen", pl.Int64),
    "eligible_fen": ("m.eligible_fen", pl.Int64),
    "subsidised_from": ("m.subsidised_from", pl.Date),
    "subsidised_until": ("m.subsidised_until", pl.Date),
    "tiers_off": ("array_to_string(m.tiers_off, ';')", pl.String),
    "period_start": ("x.period_start", pl.Date),
    "period_end": ("x.period_end", pl.Date),
    "days": ("t.days", pl.Int64),
    "product": ("t.product", pl.Int64),
    "interest_due_fen": ("x.interest_due_fen", pl.Int64),
    "interest_paid_fen": ("x.interest_paid_fen", pl.Int64),
    "collected_on": ("t.collected_on", pl.Date),
    "reference": ("x.reference", pl.String),
    "paid_before_fen": ("p.paid_before_fen", pl.Int64),
    "paid_to_date_fen": ("p.paid_to_date_fen", pl.Int64),
    "due_before_fen": ("p.due_before_fen", pl.Int64),
    **{raw: (f"t.{raw}", pl.Int64) for raw in RAW},
    **{money: (f"t.{money}", pl.Int64) for money in MONEY},
    "granted_fen": ("t.granted_fen", pl.Int64),
    "cut_reasons": ("t.cut_reasons", pl.Int64),
    "sequence": ("t.sequence", pl.Int64),
    "is_owed": ("k.note_id IS NOT NULL", pl.Boolean),
}
REGISTER: Schema = {name: kind for name, (_, kind) in _COLUMNS.items()}

_ROWS = f"""
    WITH net AS MATERIALIZED ({_NET}), paid AS ({_PAID}), records AS MATERIALIZED ({_RECORDS}),
        owed AS MATERIALIZED ({_OWED})
    SELECT {", ".join(sql for sql, _ in _COLUMNS.values())}
    FROM net t
    JOIN settlement_scheme s ON s.id = t.scheme_id
    JOIN loans_interestcollection x ON x.id = t.collection_id
    JOIN loans_note n ON n.id = t.note_id
    JOIN kernel_institution i ON i.id = n.origin_id
    JOIN loans_contract c ON c.id = n.contract_id
    JOIN loans_enterprise b ON b.id = c.enterprise_id
    LEFT JOIN records a ON a.enterprise_id = b.id AND a.since <= n.drawn_on AND a.until > n.drawn_on
    LEFT JOIN loans_project j ON j.id = c.project_id
    LEFT JOIN settlement_enrolment m ON m.note_id = t.note_id AND m.scheme_code = s.code
    LEFT JOIN paid p ON p.id = t.collection_id
    LEFT JOIN owed k ON k.note_id = t.note_id AND k.scheme_id = t.scheme_id
        AND k.year = extract(year FROM t.collected_on)
    WHERE {_ASKED}
    ORDER BY t.collected_on, i.code COLLATE "C", n.note_number COLLATE "C", x.period_start,
        x.reference COLLATE "C", s.code COLLATE "C"
"""


@dataclass(frozen=True)
class Collected:
    """Interest collected from `since` until before `until` (whole months), by notes in a scope.

    `scope`: a range of institution numbers; `scheme_code`: None for every scheme.
    """

    since: date
    until: date
    scope: tuple[int, int]
    scheme_code: str | None

    @property
    def params(self) -> dict[str, Any]:
        """The queries' parameters, with the first numbers of the first month and of the month after."""
        return {
            "since": self.since,
            "until": self.until,
            "first_id": (self.since.year * 100 + self.since.month) * _MONTH,
            "last_id": (self.until.year * 100 + self.until.month) * _MONTH,
            "lo": self.scope[0],
            "hi": self.scope[1],
            "scheme": self.scheme_code,
        }


def register_parts(of: Collected) -> Iterator[pl.DataFrame]:
    """Every collection × scheme with a product above zero, in D9's order.

    The same rows and amounts as the export `deductions`; of one collection schemes by their code.
    """
    return read_parts(_ROWS, of.params, schema=REGISTER, rows=_PART_ROWS)


_SUMS = f"""
    WITH net AS ({_NET})
    SELECT s.code, f.code, f.name, count(*),
        {", ".join(f"sum(t.{name})::bigint" for name in (*RAW, *MONEY))}
    FROM net t JOIN settlement_scheme s ON s.id = t.scheme_id
    JOIN kernel_institution f ON f.id = t.fund_institution_id
    WHERE {_ASKED} GROUP BY 1, 2, 3
"""
SUMS: Schema = {
    "scheme_code": pl.String,
    "fund_code": pl.String,
    "fund_name": pl.String,
    "rows": pl.Int64,
    **dict.fromkeys((*RAW, *MONEY), pl.Int64),
}


def register_sums(of: Collected) -> pl.DataFrame:
    """The same rows added up by scheme and fund institution."""
    return read_frame(_SUMS, of.params, schema=SUMS)
