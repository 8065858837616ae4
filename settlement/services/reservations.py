"""Giving back what was set aside for planned deductions, in the transaction that makes it needless.

Order of locks everywhere: enterprises, funds by id, plans by id, planned deductions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime

from config.kernel.services import bulk
from settlement.models import Plan, PlannedDeduction
from settlement.selectors.reservations import Reservation
from settlement.services import funds

_NONE_SET_ASIDE = {
    "central_reserved_fen": 0,
    "provincial_reserved_fen": 0,
    "municipal_reserved_fen": 0,
}


def release_posted(
    *,
    settled: Collection[Reservation],
    held: Mapping[int, funds.Held],
    left_out: Collection[tuple[int, int]] = (),
) -> None:
    """Free what was reserved for collections whose results a chunk is about to post.

    `settled` from `selectors.reservations.completed`, read under the enterprises' locks; `held`: all
    funds it names, locked. What was collected at least in part becomes posted, the rest released; so is
    what is `left_out` (result, scheme) since a finding blocks it.
    """
    if not settled:
        return
    plan_ids = {one.plan_id for one in settled}
    lock_plans(plan_ids=plan_ids)
    give_back(reservations=settled, held=held)
    blocked = {one.id for one in settled if (one.result_id, one.scheme_id) in left_out}
    settled = [one for one in settled if one.id not in blocked]
    paid = [one.id for one in settled if one.is_paid]
    unpaid = [one.id for one in settled if not one.is_paid]
    end(ids=paid, state=PlannedDeduction.State.POSTED)
    end(ids=unpaid, state=PlannedDeduction.State.RELEASED, why="未收息 / nothing collected")
    end(
        ids=blocked,
        state=PlannedDeduction.State.RELEASED,
        why="因核查事项暂停 / blocked by a finding",
    )
    close_finished(plan_ids=plan_ids)


def lock_plans(*, plan_ids: Collection[int]) -> None:
    """Let nobody else end these plans' deductions before this transaction does."""
    bulk.rows(
        "SELECT id FROM settlement_plan WHERE id = ANY(%s) ORDER BY id FOR UPDATE",
        [sorted(plan_ids)],
    )


def freed(*, reservations: Collection[Reservation]) -> dict[int, int]:
    """What giving these back frees: fund → fen."""
    sums: dict[int, int] = defaultdict(int)
    for one in reservations:
        for fund_id, amount_fen in one.amounts:
            sums[fund_id] += amount_fen
    return dict(sums)


def give_back(*, reservations: Collection[Reservation], held: Mapping[int, funds.Held]) -> None:
    """Release these amounts, fund by fund."""
    for fund_id, amount_fen in freed(reservations=reservations).items():
        funds.release(fund=held[fund_id], amount_fen=amount_fen)


def end(
    *,
    ids: Collection[int],
    state: str,
    actor: str = "",
    at: datetime | None = None,
    why: str = "",
) -> None:
    """Mark planned deductions whose money has been given back; by whom and when, if by a person."""
    if ids:
        PlannedDeduction.objects.filter(pk__in=list(ids)).update(
            state=state, ended_by=actor, ended_at=at, why=why, **_NONE_SET_ASIDE
        )


def close_finished(*, plan_ids: Collection[int]) -> None:
    """Close checked plans (locked) nothing of which is left to come."""
    left = PlannedDeduction.objects.filter(
        plan_id__in=plan_ids, state__in=["planned", "reserved"]
    ).values_list("plan_id", flat=True)
    Plan.objects.filter(pk__in=set(plan_ids) - set(left), state=Plan.State.CHECKED).update(
        state=Plan.State.CLOSED
    )
