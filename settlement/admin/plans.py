"""Plans of interest days: sent by their makers, released by a second person, answered by the core."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import admin
from django.contrib.admin import SimpleListFilter, display
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.access import may_check, may_make
from config.kernel.admin.filters import LevelFilter
from config.kernel.admin.sections import Button, Section, Stage, list_address, numbers, texts
from config.kernel.services.export import write_register
from loans.admin.base import FactAdmin, SchemeFilter, in_yuan, own_language, yuan
from loans.admin.chosen import each, shown_first
from loans.admin.lookups import of_note
from loans.admin.steps import StepForm, StepsAdmin
from loans.values.errors import DomainError
from settlement.admin import wording
from settlement.admin.deductions import DeductionSchemeFilter
from settlement.admin.orders import FORMATS, handed_out
from settlement.admin.paper_sections import letters_lacking
from settlement.admin.plan_ends import Drop, End, LeaveOut, Refuse, Void
from settlement.admin.plan_forms import (
    OrderPlan,
    Release,
    Send,
    TakeResults,
    by_fund,
    exception_detail,
    exceptions,
)
from settlement.models import Plan, PlanException, PlannedDeduction
from settlement.resources import INSTRUCTIONS
from settlement.selectors.plans import states_of_plan
from settlement.services import ended_plans


def by_state(request: HttpRequest, plan: Plan) -> Section:
    """What became of it so far; each line leads to its deductions."""
    words = dict(PlannedDeduction.State.choices)
    return Section(
        title=_("办理情况"),
        columns=[
            *texts(_("状态")),
            *numbers(_("笔数"), in_yuan(_("计划代付")), in_yuan(_("已预留"))),
        ],
        rows=[
            (
                _list_of(plan, one.state, words[one.state]),
                f"{one.count:,}",
                yuan(one.planned_fen),
                yuan(one.reserved_fen),
            )
            for one in states_of_plan(plan_id=plan.pk)
        ],
        more=list_address("settlement_planneddeduction", plan__id__exact=plan.pk),
    )


def _list_of(plan: Plan, state: str, words: Any) -> Any:
    filters = {"plan__id__exact": plan.pk, "state__exact": state}
    address = list_address("settlement_planneddeduction", **filters)
    return format_html('<a href="{}" class="text-link">{}</a>', address, words)


NEXT = {
    "unsent": _("下一步：经办查看例外后送复核"),
    "sent": _("下一步：由另一人复核放行"),
    "checked": _("下一步：下载扣息指令交核心系统，再上传收息结果"),
    "ended": _("由 %(who)s 处理：%(why)s"),
}


def _last_stage(row: Plan) -> Stage:
    """Answered by the core; or ended by somebody before all of it was."""
    if row.ended_by:
        return Stage(row.get_state_display(), "off", row.ended_by, row.ended_at)
    standing = {Plan.State.CLOSED: "done", Plan.State.CHECKED: "now"}.get(Plan.State(row.state))
    return Stage(_("核心扣息并入账"), standing or "todo")


@admin.register(Plan)
class PlanAdmin(StepsAdmin, FactAdmin):
    """Plans, latest first."""

    is_short = True
    when_empty = _("还没有代付计划：导入未来结息日的计划收息后，可先计划、复核，再代付。")
    list_display = (
        "id", "collected_on", "institution_name", "standing", "planned_yuan", "made_by",
        "checked_by",
    )  # fmt: skip
    fields = (
        "collected_on", "institution_name", "standing", "planned_yuan", "made_by", "made_at", "sent_by",
        "sent_at", "checked_by", "checked_at", "ended_by", "ended_at", "why",
    )  # fmt: skip
    list_filter = ("state", "collected_on")
    list_select_related = ("institution",)
    sections = (by_fund, by_state, exceptions, letters_lacking)
    finance_sees = False
    list_steps = {"order": OrderPlan}
    row_steps = {
        "send": Send,
        "release": Release,
        "refuse": Refuse,
        "results": TakeResults,
        "drop": Drop,
        "end": End,
    }

    @display(description=_("状态"), ordering="state")
    def standing(self, row: Plan) -> Any:
        """Where it stands; a draft is sent or not."""
        if row.state == Plan.State.DRAFT and row.sent_at is None:
            return _("草稿")
        return row.get_state_display()

    def stages(self, request: HttpRequest, row: Plan) -> list[Stage]:
        """Drafted, sent, released, posted."""
        if row.state == Plan.State.DROPPED:
            ended = Stage(_("已撤销"), "off", row.ended_by, row.ended_at)
            return [Stage(_("编制"), "done", row.made_by, row.made_at), ended]
        sent, checked = row.sent_at is not None, row.checked_by is not None
        return [
            Stage(_("编制"), "done", row.made_by, row.made_at),
            Stage(_("送复核"), "done" if sent else "now", row.sent_by, row.sent_at),
            Stage(
                _("复核放行"),
                "done" if checked else ("now" if sent else "todo"),
                row.checked_by or "",
                row.checked_at,
            ),
            _last_stage(row),
        ]

    def next_step(self, request: HttpRequest, row: Plan) -> str:
        """Whose turn it is."""
        if row.state == Plan.State.DRAFT:
            return str(NEXT["unsent" if row.sent_at is None else "sent"])
        if row.ended_by:
            return str(NEXT["ended"]) % {"who": row.ended_by, "why": row.why}
        return str(NEXT["checked"]) if row.state == Plan.State.CHECKED else ""

    def row_buttons(self, request: HttpRequest, row: Plan) -> list[Button]:
        """The steps, and the core's file once the money is set aside."""
        found = super().row_buttons(request, row)
        if row.state not in (Plan.State.CHECKED, Plan.State.CLOSED):
            return found
        return [
            *(
                Button(
                    gettext("下载扣息指令 %(format)s") % {"format": one.upper()},
                    reverse("admin:settlement_plan_instructions", args=[row.pk, one]),
                    "download",
                )
                for one in FORMATS
            ),
            *found,
        ]

    def get_urls(self) -> list[Any]:
        """The core's file has addresses of its own."""
        view = self.admin_site.admin_view(self.instructions_view)
        address = "<path:object_id>/instructions.<str:file_format>"
        return [path(address, view, name="settlement_plan_instructions"), *super().get_urls()]

    def instructions_view(
        self, request: HttpRequest, object_id: str, file_format: str
    ) -> HttpResponseBase:
        """The list for the core system of the plan's bank and day, as the command exports it."""
        plan: Any = self.row(request, object_id)
        if plan is None or file_format not in FORMATS or not self.has_view_permission(request):
            raise Http404
        day = plan.collected_on
        return handed_out(
            request,
            name=f"instructions-{plan.institution.code}-{day}.{file_format}",
            write=lambda out: write_register(
                register=INSTRUCTIONS,
                path=out,
                file_format=file_format,
                scope=plan.institution.scope,
                filters={"since": day, "until": day},
            ),
            home=reverse("admin:settlement_plan_change", args=[plan.pk]),
        )


class ReservedTierFilter(SimpleListFilter):
    """By the tier whose money is set aside."""

    title = _("预留资金层级")
    parameter_name = "tier"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[Any]:
        """The three tiers."""
        return list(wording.TIER_NAMES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Deductions with money of that tier set aside."""
        tier = self.value()
        if tier not in wording.TIER_NAMES:
            return queryset
        return queryset.filter(**{f"{tier}_reserved_fen__gt": 0})


@admin.register(PlannedDeduction)
class PlannedDeductionAdmin(StepsAdmin, FactAdmin):
    """What is planned of whom, and what became of it."""

    when_empty = _("计划中没有代付明细：计划生成后，各笔借据的计划贴息在此显示。")
    list_display = (
        "plan", "place", "scheme", "note", "institution_name", "interest_yuan", "central_yuan",
        "provincial_yuan", "municipal_yuan", "reserved_yuan", "state", "ended_by", "ended_at", "why_words",
    )  # fmt: skip
    list_filter = ("state", DeductionSchemeFilter, ReservedTierFilter, LevelFilter)
    list_select_related = ("plan", "scheme", "note", "institution")
    sortable_by = ()
    search_by = (of_note(),)
    search_help_text = _("借据号的开头")
    row_steps = {"leave-out": LeaveOut, "void": Void}
    finance_sees = False
    actions = ("leave_out", "void")

    def has_make_permission(self, request: HttpRequest) -> bool:
        """Makers and managers take out of drafts."""
        return may_make(request)

    def has_check_permission(self, request: HttpRequest) -> bool:
        """Checkers void what is set aside."""
        return may_check(request)

    @display(description=in_yuan(_("已预留")))
    def reserved_yuan(self, row: PlannedDeduction) -> Any:
        """What is set aside for it now."""
        return yuan(row.reserved_fen)

    @display(description=_("说明"))
    def why_words(self, row: PlannedDeduction) -> str:
        """Why it ended, in the reader's language."""
        return own_language(row.why)

    @admin.action(description=_("移出计划"), permissions=["make"])
    def leave_out(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        """Take the chosen deductions out of drafts, for the reason given."""
        return self._each(request, queryset, LeaveOut, ended_plans.leave_out)

    @admin.action(description=_("作废"), permissions=["check"])
    def void(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        """Free what is set aside for the chosen deductions, for the reason given."""
        return self._each(request, queryset, Void, ended_plans.void_planned)

    def _each(
        self,
        request: HttpRequest,
        queryset: QuerySet[Any],
        form: type[StepForm],
        act: Callable[..., int],
    ) -> Any:
        """Show what it frees and ask why, then do it to each; what is refused stops no other."""
        first = shown_first(request, self, queryset, form)
        if first is not None:
            return first
        actor, at = request.user.get_username(), timezone.localtime()
        why = request.POST.get("why", "")

        def step(key: int) -> None:
            if not act(ids=[key], actor=actor, at=at, why=why):
                raise DomainError("not_planned", wording.NOT_PLANNED)

        return each(request, self, queryset, step, told=_("已处理 %(count)d 条"))


@admin.register(PlanException)
class PlanExceptionAdmin(FactAdmin):
    """Planned collections that need a look."""

    when_empty = _("没有计划异常：不能计划的收息及其原因会在此列出。")
    list_display = ("plan", "note", "institution_name", "scheme_label", "reason", "detail_words")
    list_filter = ("reason", SchemeFilter, LevelFilter)
    finance_sees = False
    list_select_related = ("plan", "note", "institution")
    sortable_by = ()
    search_by = (of_note(),)
    search_help_text = _("借据号的开头")

    @display(description=_("详情"))
    def detail_words(self, row: PlanException) -> Any:
        """The reasons of a refusal, or the papers that are missing, in words."""
        return exception_detail(row) or self.empty_value_display
