"""Which reservations concern a chunk, a plan or a person's choice, and which funds hold them?"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from config.kernel.services.bulk import read_frame, rows

TIERS = ("central", "provincial", "municipal")

_COLUMNS = ", ".join(
    (
        "p.id",
        "p.plan_id",
        "p.scheme_id",
        *(f"f{i}.id, p.{tier}_reserved_fen" for i, tier in enumerate(TIERS)),
    )
)
_FUNDS = " ".join(
    f"LEFT JOIN settlement_fund f{i} ON f{i}.institution_id = p.fund_institution_id"
    f" AND f{i}.scheme_id = p.scheme_id AND f{i}.tier = '{tier}' AND f{i}.purpose = 'interest'"
    f" AND p.{tier}_reserved_fen > 0"
    for i, tier in enumerate(TIERS)
)
_LIVE = "p.state IN ('planned', 'reserved')"


@dataclass(frozen=True)
class Reservation:
    """A live planned deduction, and what each fund holds for it (fund → fen).

    `result_id`: the collection that completes the planned one, where it is known.
    """

    id: int
    plan_id: int
    scheme_id: int
    amounts: tuple[tuple[int, int], ...]
    result_id: int = 0
    is_paid: bool = False


def completed(
    *,
    note_ids: list[int],
    through: date,
    scheme_id: int | None = None,
    scope: tuple[int, int] | None = None,
    plan_id: int | None = None,
) -> list[Reservation]:
    """Live planned deductions of these notes whose result is known by `through`.

    `scheme_id`, `scope` and `plan_id` narrow them as they narrow what the run posts. One index look-up where
    nothing is planned. `is_paid`: any of the interest was.
    """
    lo, hi = scope or (0, 2**63 - 1)
    found = rows(
        f"SELECT {_COLUMNS}, x.id, x.interest_paid_fen > 0 FROM settlement_planneddeduction p"
        " JOIN loans_interestcollection x ON x.note_id = p.note_id"
        f" AND x.completes_id = p.collection_id {_FUNDS}"
        f" WHERE p.note_id = ANY(%s) AND {_LIVE} AND x.collected_on <= %s"
        " AND p.scheme_id = coalesce(%s, p.scheme_id) AND p.plan_id = coalesce(%s, p.plan_id)"
        " AND p.institution_id BETWEEN %s AND %s ORDER BY p.id",
        [note_ids, through, scheme_id, plan_id, lo, hi],
    )
    return [_reservation(row[:-2], result_id=row[-2], is_paid=row[-1]) for row in found]


def deducted(*, note_ids: Sequence[int]) -> list[tuple[int, int]]:
    """Results (collection, scheme) of what a released plan let the core deduct of these notes.

    Also where the plan was ended since; not what was held for want of money, nor what a checker voided.
    """
    return rows(
        "SELECT x.id, p.scheme_id FROM settlement_planneddeduction p"
        " JOIN loans_interestcollection x ON x.note_id = p.note_id"
        " AND x.completes_id = p.collection_id JOIN settlement_plan l ON l.id = p.plan_id"
        " WHERE p.note_id = ANY(%s) AND l.checked_at IS NOT NULL"
        " AND (p.state IN ('reserved', 'posted') OR p.state = 'released' AND p.ended_at > l.checked_at)",
        [list(note_ids)],
    )


def answered(*, plan_id: int) -> pl.DataFrame:
    """Results of what a plan was released with: collection_id (the result), scheme_id, enterprise_id, collected_on.

    Also of deductions ended since; not of those taken out of the draft, or collected before the release:
    two people have not seen these together.
    """
    return read_frame(
        "SELECT x.id, p.scheme_id, c.enterprise_id, x.collected_on"
        " FROM settlement_planneddeduction p"
        " JOIN loans_interestcollection x ON x.note_id = p.note_id"
        " AND x.completes_id = p.collection_id"
        " JOIN loans_note n ON n.id = p.note_id JOIN loans_contract c ON c.id = n.contract_id"
        " JOIN settlement_plan l ON l.id = p.plan_id"
        " WHERE p.plan_id = %(plan)s"
        " AND (p.state IN ('reserved', 'held', 'posted') OR p.ended_at > l.checked_at)",
        {"plan": plan_id},
        schema={
            "collection_id": pl.Int64,
            "scheme_id": pl.Int64,
            "enterprise_id": pl.Int64,
            "collected_on": pl.Date,
        },
    )


def asked_of(*, plan_id: int) -> set[int]:
    """The planned collections that a plan was released with: not those taken out of its draft."""
    found = rows(
        "SELECT DISTINCT p.collection_id FROM settlement_planneddeduction p"
        " JOIN settlement_plan l ON l.id = p.plan_id"
        " WHERE p.plan_id = %s AND (p.state <> 'void' OR p.ended_at > l.checked_at)",
        [plan_id],
    )
    return {int(row[0]) for row in found}


def live(*, plan_id: int | None = None, ids: Collection[int] = ()) -> list[Reservation]:
    """Live planned deductions of a plan, or those chosen."""
    condition, value = ("p.plan_id = %s", plan_id) if plan_id else ("p.id = ANY(%s)", list(ids))
    found = rows(
        f"SELECT {_COLUMNS} FROM settlement_planneddeduction p {_FUNDS}"
        f" WHERE {condition} AND {_LIVE} ORDER BY p.id",
        [value],
    )
    return [_reservation(row) for row in found]


def reserved_fund_ids(reservations: Collection[Reservation]) -> set[int]:
    """The funds to lock before these are released."""
    return {fund_id for one in reservations for fund_id, _ in one.amounts}


def _reservation(row: tuple[int, ...], *, result_id: int = 0, is_paid: bool = False) -> Reservation:
    key, plan_id, scheme_id, *pairs = row
    parts = tuple(zip(pairs[::2], pairs[1::2], strict=True))
    amounts = tuple(part for part in parts if part[1])
    return Reservation(key, plan_id, scheme_id, amounts, result_id, is_paid)
