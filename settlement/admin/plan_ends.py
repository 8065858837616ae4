"""What is planned and not paid: drafts dropped or refused, released plans ended, deductions voided."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.access import CHECKERS, MAKERS
from config.kernel.admin.sections import Section, numbers, texts
from loans.admin.base import in_yuan, yuan
from loans.admin.fields import ReasonField
from loans.admin.steps import StepForm
from loans.values.errors import DomainError
from settlement.admin import wording
from settlement.admin.plan_forms import OfPlan
from settlement.admin.previews import fund_name
from settlement.models import Fund, Plan, PlannedDeduction
from settlement.models.plan import LIVE
from settlement.selectors.reservations import Reservation, live
from settlement.services import ended_plans, funds, reservations

State = Plan.State


def freed(found: Collection[Reservation]) -> Section:
    """What giving these back does to each fund: before and after."""
    sums = reservations.freed(reservations=found)
    seen = funds.seen(fund_ids=sums)
    named = Fund.objects.select_related("institution", "scheme").in_bulk(sums)
    titles = (_("释放"), _("预留前"), _("预留后"), _("可用（前）"), _("可用（后）"))
    return Section(
        title=_("释放前后资金"),
        columns=[*texts(_("资金")), *numbers(*map(in_yuan, titles))],
        rows=[
            (
                fund_name(named[fund_id]),
                yuan(fen),
                *map(yuan, (seen[fund_id].reserved_fen, seen[fund_id].reserved_fen - fen)),
                *map(yuan, (seen[fund_id].available_fen, seen[fund_id].available_fen + fen)),
            )
            for fund_id, fen in sorted(sums.items())
        ],
        empty=_("没有预留资金可释放"),
    )


def of_the_plan(plan: Plan, now: State) -> Section:
    """Its state and how many deductions are still to come, before and after."""
    left = PlannedDeduction.objects.filter(plan=plan, state__in=LIVE).count()
    return Section(
        title=_("计划变化"),
        columns=texts(_("要素"), _("现在"), _("之后")),
        rows=[
            (_("状态"), plan.get_state_display(), now.label),
            (_("待收息笔数"), f"{left:,}", "0"),
        ],
    )


class _Ended(OfPlan):
    """A plan that goes no further, for a reason."""

    now = State.DROPPED

    why = ReasonField()

    def sections(self) -> list[Section]:
        """What it gives back, and of what."""
        changes = [of_the_plan(self.row, self.now), freed(live(plan_id=self.row.pk))]
        return [*changes, *super().sections()]


class Drop(_Ended):
    """Its maker gives up a draft."""

    title = _("撤销计划")
    icon = "block"
    note = _("只有编制人可以撤销草稿；草稿未预留资金。撤销后可重新编制。")
    done = _("计划已撤销")

    @classmethod
    def fits(cls, request: HttpRequest, row: Any) -> bool:
        """One's own draft."""
        own = row.made_by == request.user.get_username()
        return bool(own and row.state == State.DRAFT)

    def act(self, *, actor: str, at: datetime) -> None:
        """Drop it."""
        why = self.cleaned_data["why"]
        ended_plans.drop_plan(plan_id=self.row.pk, actor=actor, at=at, why=why)


def _another(request: HttpRequest, plan: Plan) -> bool:
    return request.user.get_username() not in (plan.made_by, plan.sent_by)


class Refuse(_Ended):
    """A second person does not release it."""

    title = _("退回")
    icon = "undo"
    note = _("退回后计划撤销，不预留资金；经办更正后重新编制。不能退回本人编制的计划。")
    done = _("已退回，计划已撤销")
    roles = CHECKERS

    @classmethod
    def fits(cls, request: HttpRequest, row: Any) -> bool:
        """Another's draft, sent or not: its maker may be gone."""
        return bool(row.state == State.DRAFT and _another(request, row))

    def act(self, *, actor: str, at: datetime) -> None:
        """Refuse it."""
        why = self.cleaned_data["why"]
        ended_plans.refuse_plan(plan_id=self.row.pk, actor=actor, at=at, why=why)


class End(_Ended):
    """Somebody who did not make it gives back what is left of a released plan."""

    title = _("结束计划")
    icon = "block"
    note = _("尚未收到结果的代付不再预留资金；已入账的不变。不能结束本人编制的计划。")
    done = _("计划已结束")
    roles = CHECKERS
    now = State.CLOSED

    @classmethod
    def fits(cls, request: HttpRequest, row: Any) -> bool:
        """Released, and another's."""
        return bool(row.state == State.CHECKED and _another(request, row))

    def act(self, *, actor: str, at: datetime) -> None:
        """End it."""
        why = self.cleaned_data["why"]
        ended_plans.end_plan(plan_id=self.row.pk, actor=actor, at=at, why=why)


class _Voided(StepForm):
    """One deduction is taken out of its plan for good, for a reason."""

    icon = "block"
    states: tuple[str, ...] = ()  # of the plan

    why = ReasonField()

    @classmethod
    def fits(cls, request: HttpRequest, row: Any) -> bool:
        """Still to come, in such a plan; a branch does not see its bank's plans."""
        plan = Plan.objects.filter(pk=row.plan_id, state__in=cls.states).first()
        return plan is not None and row.state in LIVE and cls.fits_plan(request, plan)

    @classmethod
    def fits_plan(cls, request: HttpRequest, plan: Plan) -> bool:
        """May this person do it to that plan?"""
        return True

    def sections(self) -> list[Section]:
        """What it frees."""
        row: PlannedDeduction = self.row
        change = Section(
            title=_("作废前后"),
            columns=texts(_("要素"), _("作废前"), _("作废后")),
            rows=[
                (_("借据"), row.note.note_number, row.note.note_number),
                (_("状态"), row.get_state_display(), PlannedDeduction.State.VOID.label),
                (in_yuan(_("计划代付")), yuan(row.total_fen), yuan(0)),
                (in_yuan(_("已预留")), yuan(row.reserved_fen), yuan(0)),
            ],
        )
        return [change, freed(live(ids=[row.pk]))]


class LeaveOut(_Voided):
    """A maker takes it out of a draft: nothing is set aside for it yet."""

    title = _("移出计划")
    note = _("计划未放行时由经办移出，不再列入计划；移出的人不能复核该计划。")
    done = _("已移出计划")
    roles = MAKERS
    states = (State.DRAFT,)

    def act(self, *, actor: str, at: datetime) -> None:
        """Leave it out."""
        why = self.cleaned_data["why"]
        if not ended_plans.leave_out(ids=[self.row.pk], actor=actor, at=at, why=why):
            raise DomainError("not_planned", wording.NOT_PLANNED)


class Void(_Voided):
    """Somebody who did not make the released plan frees what is set aside for it."""

    title = _("作废")
    note = _(
        "作废后释放其预留资金，不再列入计划；核心系统仍有收息结果的，照常入账。不能作废本人编制的计划内代付。"
    )
    done = _("已作废，预留资金已释放")
    roles = CHECKERS
    states = (State.CHECKED,)

    @classmethod
    def fits_plan(cls, request: HttpRequest, plan: Plan) -> bool:
        """Another's."""
        return _another(request, plan)

    def act(self, *, actor: str, at: datetime) -> None:
        """Void it."""
        why = self.cleaned_data["why"]
        if not ended_plans.void_planned(ids=[self.row.pk], actor=actor, at=at, why=why):
            raise DomainError("not_planned", wording.NOT_PLANNED)
