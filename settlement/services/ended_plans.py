"""Planned money that is not paid: plans dropped, refused or ended, deductions left out or voided.

As long as a plan is a draft nothing is set aside: its maker drops it, makers leave deductions out of
it, and whoever checks it sees what is left. Once it is released, ending it or voiding a part of it
frees money that two people set aside, so somebody who did not make it does that. Who, when and why
stay with the row (A82); the database holds it.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from loans.values import reasons
from loans.values.errors import DomainError, bilingual
from settlement.models import Plan, PlannedDeduction
from settlement.selectors.reservations import Reservation, live, reserved_fund_ids
from settlement.services import funds, reservations

State = Plan.State


@transaction.atomic
def leave_out(*, ids: Collection[int], actor: str, at: datetime, why: str) -> int:
    """Take planned deductions out of drafts, for a reason; how many were.

    Refuses (`plan_released`) what belongs to a released plan: that is voided by a checker.
    """
    return _void(ids, released=False, actor=actor, at=at, why=why)


@transaction.atomic
def void_planned(*, ids: Collection[int], actor: str, at: datetime, why: str) -> int:
    """Take deductions out of released plans for good and free their money; how many were.

    Their results, if any come, are posted as any collection's: not while a finding blocks them. Refuses (`own_plan`) whoever made or sent the plan,
    drafts (`plan_not_released`), plans of an institution above, and to do so without a reason.
    """
    return _void(ids, released=True, actor=actor, at=at, why=why)


def _void(ids: Collection[int], *, released: bool, actor: str, at: datetime, why: str) -> int:
    why = reasons.required(why)
    found = live(ids=ids)
    plan_ids = {one.plan_id for one in found}
    held = _locked(found, plan_ids, ids=[one.id for one in found])
    own = list(Plan.objects.filter(pk__in=plan_ids).order_by("pk"))
    if len(own) < len(plan_ids):
        raise DomainError(
            "plan_out_of_scope",
            bilingual(
                "该计划由上级机构编制，请由其人员处理",
                "the plan is of an institution above yours: have it done there",
            ),
        )
    for plan in own:
        _require(plan, State.CHECKED if released else State.DRAFT)
        if released:
            refuse_own(plan=plan, actor=actor)
    reservations.give_back(reservations=found, held=held)
    reservations.end(
        ids=[one.id for one in found],
        state=PlannedDeduction.State.VOID,
        actor=actor,
        at=at,
        why=why,
    )
    if released:
        reservations.close_finished(plan_ids=plan_ids)
    return len(found)


@transaction.atomic
def drop_plan(*, plan_id: int, actor: str, at: datetime, why: str) -> None:
    """Let its maker give up a draft, sent or not, for a reason; nothing of it is set aside yet.

    Refuses another's (`not_own_plan`), and one that is released (`plan_released`) or over (`plan_ended`).
    """
    reservations.lock_plans(plan_ids=[plan_id])
    plan = Plan.objects.get(pk=plan_id)
    _require(plan, State.DRAFT)
    if plan.made_by != actor:
        raise DomainError(
            "not_own_plan",
            bilingual(
                f"计划 {plan} 由 {plan.made_by} 编制，由其本人撤销，或由复核人退回",
                "only its maker drops a draft; a checker refuses it",
            ),
        )
    _end(plan, now=State.DROPPED, actor=actor, at=at, why=why)


@transaction.atomic
def refuse_plan(*, plan_id: int, actor: str, at: datetime, why: str) -> None:
    """Let a second person refuse a draft, saying why: it is dropped and nothing reserved.

    Also one that was never sent, whose maker may be gone. Refuses one's own (`own_plan`).
    """
    reservations.lock_plans(plan_ids=[plan_id])
    plan = Plan.objects.get(pk=plan_id)
    if plan.state != State.DRAFT:
        raise DomainError(
            "plan_not_draft",
            bilingual(f"计划 {plan} 不是待复核状态", "the plan no longer waits for a check"),
        )
    refuse_own(plan=plan, actor=actor)
    _end(plan, now=State.DROPPED, actor=actor, at=at, why=why)


@transaction.atomic
def end_plan(*, plan_id: int, actor: str, at: datetime, why: str) -> None:
    """Let somebody who did not make a released plan close it: what is left of it is given back.

    Refuses one's own (`own_plan`), a draft (`plan_not_released`), one that is over (`plan_ended`), and
    to do so without a reason.
    """
    plan = Plan.objects.get(pk=plan_id)
    _require(plan, State.CHECKED)
    refuse_own(plan=plan, actor=actor)
    _end(plan, now=State.CLOSED, actor=actor, at=at, why=why)


def refuse_own(*, plan: Plan, actor: str) -> None:
    """Raise DomainError `own_plan` for whoever made the plan or sent it."""
    if actor in (plan.made_by, plan.sent_by):
        raise DomainError(
            "own_plan",
            bilingual(
                f"计划 {plan} 由 {actor} 经办，须由他人复核", "made by you: another must check it"
            ),
        )


def _require(plan: Plan, state: str) -> None:
    """Raise DomainError unless the plan is there, still or already."""
    if plan.state == state:
        return
    if plan.state in (State.CLOSED, State.DROPPED):
        raise DomainError(
            "plan_ended", bilingual("计划已结束或已撤销", "the plan has ended already")
        )
    if plan.state == State.CHECKED:
        raise DomainError(
            "plan_released",
            bilingual(
                "计划已放行并预留资金，须由未经办该计划的复核人作废或结束",
                "it is released and its money set aside: a checker who did not make it voids or ends it",
            ),
        )
    raise DomainError(
        "plan_not_released",
        bilingual(
            "计划尚未放行：由经办撤销或移出，或由复核人退回",
            "it is not released yet: its maker drops it or takes out of it, a checker refuses it",
        ),
    )


def _end(plan: Plan, *, now: str, actor: str, at: datetime, why: str) -> None:
    why = reasons.required(why)
    found = live(plan_id=plan.pk)
    ids = [one.id for one in found]
    held = _locked(found, {plan.pk}, ids=ids)
    reservations.give_back(reservations=found, held=held)
    state = PlannedDeduction.State.RELEASED
    reservations.end(ids=ids, state=state, actor=actor, at=at, why=why)
    ended = Plan.objects.filter(pk=plan.pk, state=plan.state)
    if not ended.update(state=now, why=why, ended_by=actor, ended_at=at):
        raise _moved()


def _locked(
    found: list[Reservation], plan_ids: set[int], *, ids: list[int]
) -> dict[int, funds.Held]:
    """The funds of these reservations; refuses, with nothing done, if they changed before it had the locks."""
    held = funds.lock(fund_ids=reserved_fund_ids(found))
    reservations.lock_plans(plan_ids=plan_ids)
    if live(ids=ids) != found:
        raise _moved()
    return held


def _moved() -> DomainError:
    return DomainError(
        "plan_moved",
        bilingual("计划刚刚发生变化，请重试", "the plan has just changed: look at it and retry"),
    )
