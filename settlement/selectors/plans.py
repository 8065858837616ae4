"""What is planned for collection and not collected yet, and what plans say of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from config.kernel.services.bulk import Schema, read_frame, rows

OPEN: Schema = {
    "collection_id": pl.Int64,
    "note_id": pl.Int64,
    "enterprise_id": pl.Int64,
    "institution_id": pl.Int64,
    "root_id": pl.Int64,
    "institution_code": pl.String,
    "note_number": pl.String,
    "period_start": pl.Date,
    "period_end": pl.Date,
    "interest_due_fen": pl.Int64,
    "before_fen": pl.Int64,
    "collected_on": pl.Date,
    "reference": pl.String,
}
_NOT_COMPLETED = (
    "x.interest_paid_fen IS NULL AND NOT EXISTS (SELECT 1 FROM loans_interestcollection d"
    " WHERE d.note_id = x.note_id AND d.completes_id = x.id)"
)


def last_planned_on() -> date | None:
    """The last day on which interest is planned to be collected and has not been."""
    found: date | None = rows(
        f"SELECT max(x.collected_on) FROM loans_interestcollection x WHERE {_NOT_COMPLETED}"
    )[0][0]
    return found


def open_collections(*, through: date) -> pl.DataFrame:
    """Planned collections up to a day that no result has completed.

    `before_fen`: what was collected of the same period by then; `root_id`: the note's bank.
    """
    return read_frame(
        f"""
        SELECT x.id, x.note_id, c.enterprise_id, n.institution_id, r.id, o.code, n.note_number,
            x.period_start, x.period_end, x.interest_due_fen, coalesce(b.fen, 0), x.collected_on,
            x.reference
        FROM loans_interestcollection x
        JOIN loans_note n ON n.id = x.note_id JOIN loans_contract c ON c.id = n.contract_id
        JOIN kernel_institution o ON o.id = n.origin_id
        JOIN kernel_institution r ON r.parent_id IS NULL
            AND n.institution_id BETWEEN r.id AND r.last_id
        LEFT JOIN LATERAL (
            SELECT sum(y.interest_paid_fen) AS fen FROM loans_interestcollection y
            WHERE y.note_id = x.note_id AND y.period_start = x.period_start
                AND y.period_end = x.period_end
        ) b ON true
        WHERE {_NOT_COMPLETED} AND x.collected_on <= %(through)s
        """,
        {"through": through},
        schema=OPEN,
    )


def changed_by(*, plan_id: int) -> frozenset[str]:
    """Who took deductions out of this draft."""
    found = rows(
        "SELECT DISTINCT ended_by FROM settlement_planneddeduction"
        " WHERE plan_id = %s AND ended_by <> ''",
        [plan_id],
    )
    return frozenset(name for (name,) in found)


def judgements(*, note_ids: Sequence[int]) -> pl.DataFrame:
    """How each label of these notes was judged, with the reasons."""
    return read_frame(
        "SELECT note_id, scheme_code, status, array_to_string(reasons, ';')"
        " FROM settlement_enrolment WHERE note_id = ANY(%(ids)s)",
        {"ids": list(note_ids)},
        schema={
            "note_id": pl.Int64,
            "scheme_code": pl.String,
            "status": pl.String,
            "detail": pl.String,
        },
    )


def covered() -> pl.DataFrame:
    """Collection × scheme that no new plan takes up: planned, void, or held in an open plan."""
    return read_frame(
        "SELECT DISTINCT p.collection_id, s.code FROM settlement_planneddeduction p"
        " JOIN settlement_scheme s ON s.id = p.scheme_id JOIN settlement_plan l ON l.id = p.plan_id"
        " WHERE p.state IN ('planned', 'reserved', 'void')"
        " OR (p.state = 'held' AND l.state IN ('draft', 'checked'))",
        schema={"collection_id": pl.Int64, "scheme_code": pl.String},
    )


def known_exceptions(*, days: Sequence[date]) -> pl.DataFrame:
    """Exceptions that plans of these days name; `dropped`: only plans that were dropped do."""
    return read_frame(
        "SELECT e.collection_id, e.scheme_code, e.reason, bool_and(l.state = 'dropped')"
        " FROM settlement_planexception e JOIN settlement_plan l ON l.id = e.plan_id"
        " WHERE l.collected_on = ANY(%(days)s) GROUP BY 1, 2, 3",
        {"days": list(days)},
        schema={
            "collection_id": pl.Int64,
            "scheme_code": pl.String,
            "reason": pl.String,
            "dropped": pl.Boolean,
        },
    )


def borrowers(*, plan_id: int) -> list[int]:
    """The enterprises a plan concerns."""
    found = rows(
        "SELECT DISTINCT c.enterprise_id FROM settlement_planneddeduction p"
        " JOIN loans_note n ON n.id = p.note_id JOIN loans_contract c ON c.id = n.contract_id"
        " WHERE p.plan_id = %s",
        [plan_id],
    )
    return sorted(int(row[0]) for row in found)


def enterprises_of(*, plan_id: int) -> dict[int, int]:
    """Note → enterprise, of the notes a plan concerns."""
    return dict(
        rows(
            "SELECT DISTINCT n.id, c.enterprise_id FROM settlement_planneddeduction p"
            " JOIN loans_note n ON n.id = p.note_id JOIN loans_contract c ON c.id = n.contract_id"
            " WHERE p.plan_id = %s",
            [plan_id],
        )
    )


def promised(*, enterprise_ids: Collection[int]) -> dict[tuple[int, int], int]:
    """What reserved deductions of these enterprises will be offset by: (enterprise, fund) → fen."""
    found = rows(
        """
        SELECT c.enterprise_id, f.id, sum(t.fen)::bigint
        FROM settlement_planneddeduction p JOIN loans_note n ON n.id = p.note_id
        JOIN loans_contract c ON c.id = n.contract_id
        CROSS JOIN LATERAL (VALUES ('central', p.central_offset_fen),
            ('provincial', p.provincial_offset_fen), ('municipal', p.municipal_offset_fen))
            AS t(tier, fen)
        JOIN settlement_fund f ON f.institution_id = p.fund_institution_id
            AND f.scheme_id = p.scheme_id AND f.tier = t.tier AND f.purpose = 'interest'
        WHERE p.state = 'reserved' AND t.fen > 0 AND c.enterprise_id = ANY(%s)
        GROUP BY 1, 2
        """,
        [list(enterprise_ids)],
    )
    return {(enterprise, fund): int(fen) for enterprise, fund, fen in found}


def already_collected(*, plan_id: int) -> set[int]:
    """Which planned deductions of a plan have a result by now?"""
    found = rows(
        "SELECT p.id FROM settlement_planneddeduction p JOIN loans_interestcollection x"
        " ON x.note_id = p.note_id AND x.completes_id = p.collection_id WHERE p.plan_id = %s",
        [plan_id],
    )
    return {int(row[0]) for row in found}


@dataclass(frozen=True)
class FundOfPlan:
    """What a plan asks of one fund; fen. `available_fen` is what the fund has left today.

    `planned_fen` is what is live or held; `posted_fen` and `ended_fen` (released or void) were planned too.
    """

    institution_code: str
    scheme_code: str
    tier: str
    planned_fen: int
    offset_fen: int
    reserved_fen: int
    available_fen: int
    posted_fen: int
    ended_fen: int

    @property
    def shortfall_fen(self) -> int:
        """What the fund does not have: the bank's advance, or held (D19)."""
        asked = self.planned_fen - self.offset_fen - self.reserved_fen
        return max(0, asked - self.available_fen)


def funds_of_plan(*, plan_id: int) -> list[FundOfPlan]:
    """By fund: what the plan's live and held deductions ask, offset and reserve, what is available.

    Funds stay listed when all that was planned of them is posted or ended.
    """
    found = rows(
        """
        SELECT i.code, s.code, t.tier,
            (coalesce(sum(t.fen) FILTER (WHERE p.state IN ('planned', 'reserved', 'held')), 0))::bigint,
            (coalesce(sum(t.offset_fen) FILTER (WHERE p.state IN ('planned', 'reserved', 'held')), 0))::bigint,
            sum(t.reserved)::bigint, f.special_account_fen - f.reserved_fen,
            (coalesce(sum(t.fen) FILTER (WHERE p.state = 'posted'), 0))::bigint,
            (coalesce(sum(t.fen) FILTER (WHERE p.state IN ('released', 'void')), 0))::bigint
        FROM settlement_planneddeduction p
        CROSS JOIN LATERAL (VALUES
            ('central', p.central_fen, p.central_offset_fen, p.central_reserved_fen),
            ('provincial', p.provincial_fen, p.provincial_offset_fen, p.provincial_reserved_fen),
            ('municipal', p.municipal_fen, p.municipal_offset_fen, p.municipal_reserved_fen))
            AS t(tier, fen, offset_fen, reserved)
        JOIN settlement_fund f ON f.institution_id = p.fund_institution_id
            AND f.scheme_id = p.scheme_id AND f.tier = t.tier AND f.purpose = 'interest'
        JOIN kernel_institution i ON i.id = f.institution_id
        JOIN settlement_scheme s ON s.id = p.scheme_id
        WHERE p.plan_id = %s AND t.fen > 0
        GROUP BY f.id, i.code, s.code, t.tier ORDER BY i.code, s.code, t.tier
        """,
        [plan_id],
    )
    return [FundOfPlan(*row) for row in found]


def exception_counts(*, plan_id: int) -> list[tuple[str, int]]:
    """How many exceptions of each reason a plan has."""
    found = rows(
        "SELECT reason, count(*) FROM settlement_planexception WHERE plan_id = %s"
        " GROUP BY reason ORDER BY reason",
        [plan_id],
    )
    return [(str(reason), int(count)) for reason, count in found]


@dataclass(frozen=True)
class StateOfPlan:
    """How many deductions of a plan are in one state, and what they come to; fen."""

    state: str
    count: int
    planned_fen: int
    reserved_fen: int


def states_of_plan(*, plan_id: int) -> list[StateOfPlan]:
    """What became of a plan's deductions so far."""
    found = rows(
        "SELECT state, count(*), sum(central_fen + provincial_fen + municipal_fen)::bigint,"
        " sum(central_reserved_fen + provincial_reserved_fen + municipal_reserved_fen)::bigint"
        " FROM settlement_planneddeduction WHERE plan_id = %s GROUP BY state ORDER BY state",
        [plan_id],
    )
    return [StateOfPlan(*row) for row in found]
