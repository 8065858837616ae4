"""Steps of a plan: ordered, sent, released, answered by the core."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.access import CHECKERS, own_scope
from config.kernel.admin.sections import Section, link, list_address, numbers, texts
from loans.admin.base import in_yuan, own_language, scheme_name, yuan
from loans.admin.fields import DayField
from loans.admin.result_forms import CollectionResults
from loans.admin.steps import StepForm
from loans.values.errors import DomainError
from settlement.admin import wording
from settlement.admin.orders import job_address, ring
from settlement.admin.paper_sections import kinds_in_words
from settlement.admin.previews import fund_name
from settlement.models import Fund, Plan, PlanException
from settlement.models.recomputation import PLAN, RESULTS
from settlement.selectors.plans import exception_counts, funds_of_plan, last_planned_on
from settlement.selectors.reservations import asked_of
from settlement.services import orders, planned_money, plans

State = Plan.State
EXCEPTIONS_SHOWN = 50


def by_fund(request: HttpRequest, plan: Plan) -> Section:
    """What the plan asks of each fund, and what of it is done with."""
    return Section(
        title=_("按资金"),
        columns=[
            *texts(_("资金机构"), _("贴息政策"), _("资金层级")),
            *numbers(
                in_yuan(_("待代付")),
                in_yuan(_("抵扣")),
                in_yuan(_("已预留")),
                in_yuan(_("可用")),
                in_yuan(_("缺口")),
                in_yuan(_("已入账")),
                in_yuan(_("释放或作废")),
            ),
        ],
        rows=[
            (
                one.institution_code,
                scheme_name(one.scheme_code),
                wording.tier_name(one.tier),
                *map(yuan, (one.planned_fen, one.offset_fen, one.reserved_fen)),
                *map(yuan, (one.available_fen, one.shortfall_fen)),
                *map(yuan, (one.posted_fen, one.ended_fen)),
            )
            for one in funds_of_plan(plan_id=plan.pk)
        ],
    )


def exceptions(request: HttpRequest, plan: Plan) -> Section:
    """The first exceptions, with the reason in words; the whole list is one click away."""
    found = plan.exceptions.select_related("note").order_by("pk")[:EXCEPTIONS_SHOWN]
    counts = exception_counts(plan_id=plan.pk)
    told = gettext("、").join(
        f"{PlanException.Reason(reason).label} {count:,}" for reason, count in counts
    )
    title = gettext("例外（%(told)s）") % {"told": told} if told else _("例外")
    return Section(
        title=title,
        columns=texts(_("借据"), _("贴息政策"), _("原因"), _("详情")),
        rows=[
            (
                link("loans_note", one.note_id, one.note.note_number),
                scheme_name(one.scheme_code) if one.scheme_code else "",
                one.get_reason_display(),
                exception_detail(one),
            )
            for one in found
        ],
        more=list_address("settlement_planexception", plan__id__exact=plan.pk) if counts else "",
    )


def exception_detail(row: PlanException) -> Any:
    """The reasons of a refusal as sentences, or the names of the papers that are missing."""
    codes = [code for code in row.detail.split(";") if code]
    if row.reason == PlanException.Reason.PAPERS:
        return kinds_in_words(codes)
    if row.reason == PlanException.Reason.BLOCKED:
        return "；".join(codes)
    return wording.reasons_in_words(codes)


def release_changes(plan: Plan) -> list[Section]:
    """What checking the plan does to each fund: before and after."""
    found, waiting = planned_money.if_checked(plan_id=plan.pk)
    held = Fund.objects.select_related("institution", "scheme").in_bulk([o.fund_id for o in found])
    rows = [
        (
            fund_name(held[one.fund_id]),
            *map(yuan, (one.planned_fen, one.offset_fen)),
            *map(yuan, (one.reserved_fen, one.reserved_fen + one.set_aside_fen)),
            *map(yuan, (one.available_fen, one.available_fen - one.set_aside_fen)),
            yuan(one.lacking_fen),
        )
        for one in found
    ]
    titles = (
        _("计划代付"), _("抵扣"), _("预留前"), _("预留后"), _("可用（前）"), _("可用（后）"),
        _("缺口，由银行垫付"),
    )  # fmt: skip
    changes = Section(
        title=_("放行前后资金"),
        columns=[*texts(_("资金")), *numbers(*map(in_yuan, titles))],
        rows=rows,
    )
    if not waiting:
        return [changes]
    told = gettext("%(count)d 笔因资金不足暂缓，不代付") % {"count": waiting}
    return [changes, Section(title=_("暂缓"), columns=texts(_("说明")), rows=[(told,)])]


class OrderPlan(StepForm):
    """Have the plans of the interest days up to a day drafted."""

    title = _("编制结息日计划")
    button = _("开始编制")
    icon = "event_available"
    note = _(
        "按已导入的应收利息（尚未收到的）逐个结息日编制；已在计划内的不重复编制。由后台任务完成。"
    )
    done = _("任务已提交，完成后计划列在任务页")
    at_field = {"order_open": "through", "nothing_planned": "through"}

    through = DayField(label=_("结息日截至"), help_text=_("含当日；默认为最后一个有应收利息的日子"))

    def __init__(self, request: HttpRequest, row: Any = None, data: Any = None) -> None:
        super().__init__(request, row, data)
        self.fields["through"].initial = last_planned_on()

    def act(self, *, actor: str, at: datetime) -> int:
        """Order it."""
        params = {"through": self.cleaned_data["through"].isoformat()}
        scope = own_scope(self.request)
        run_id = orders.order(kind=PLAN, params=params, scope=scope, actor=actor, at=at)
        ring(run_id)
        return run_id

    def leads_to(self, outcome: Any) -> str:
        """The job."""
        return job_address(outcome)


class OfPlan(StepForm):
    """A step of one plan."""

    def sections(self) -> list[Section]:
        """What it asks, and what is out of the ordinary."""
        return [by_fund(self.request, self.row), exceptions(self.request, self.row)]


class Send(OfPlan):
    """Its maker has looked at it."""

    title = _("送复核")
    icon = "send"
    note = _("请先查看例外；送出后由另一人复核并放行。")
    done = _("已送复核")

    @classmethod
    def fits(cls, request: HttpRequest, row: Any) -> bool:
        """A draft not sent yet."""
        return row.state == State.DRAFT and row.sent_at is None

    def act(self, *, actor: str, at: datetime) -> None:
        """Send it."""
        plans.send_plan(plan_id=self.row.pk, actor=actor, at=at)


class Release(OfPlan):
    """A second person reserves the money."""

    title = _("复核放行")
    icon = "check"
    note: Any = _("放行后预留资金，并可下载扣息指令。不能复核本人编制的计划。")
    done = _("已放行，资金已预留；可下载扣息指令")
    roles = CHECKERS

    @classmethod
    def fits(cls, request: HttpRequest, row: Any) -> bool:
        """Sent, and made by another."""
        is_sent = row.state == State.DRAFT and row.sent_at is not None
        return bool(is_sent and request.user.get_username() not in (row.made_by, row.sent_by))

    def sections(self) -> list[Section]:
        """What it changes; or why it cannot be released from here."""
        odd = exceptions(self.request, self.row)
        if self.row.state != State.DRAFT:
            return [odd]
        try:
            return [*release_changes(self.row), odd]
        except DomainError as refusal:
            self.note = own_language(str(refusal))
            return [by_fund(self.request, self.row), odd]

    def act(self, *, actor: str, at: datetime) -> None:
        """Release it."""
        plans.check_plan(plan_id=self.row.pk, actor=actor, at=at)


class TakeResults(CollectionResults):
    """The core's results of the plan's day: taken in, then posted by a worker."""

    at_field = {"order_open": "file"}

    @classmethod
    def fits(cls, request: HttpRequest, row: Any) -> bool:
        """Released."""
        return bool(row.state == State.CHECKED)

    def act(self, *, actor: str, at: datetime) -> Any:
        """Take the file in and order the posting."""
        if not self.fits(self.request, self.row):
            raise DomainError("plan_not_released", wording.NOT_RELEASED)
        taken = self.take_in(asked=asked_of(plan_id=self.row.pk), actor=actor, at=at)
        params = {"plan": self.row.pk}
        scope = self.row.institution.scope
        run_id = orders.order(kind=RESULTS, params=params, scope=scope, actor=actor, at=at)
        ring(run_id)
        return run_id, taken

    def told(self, outcome: Any) -> str:
        """How many rows, and that they are being posted."""
        _run, taken = outcome
        text = gettext("已导入 %(rows)d 行（新增 %(new)d，此前已有 %(old)d），正在入账")
        return text % {"rows": taken.rows, "new": taken.inserted, "old": taken.unchanged}

    def leads_to(self, outcome: Any) -> str:
        """The job."""
        return job_address(outcome[0])
