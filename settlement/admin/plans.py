"""Plans of interest days: a second person checks them; staff may void parts of them or end them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import display
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.forms import ActionForm

from config.kernel.admin.access import may_make
from config.kernel.admin.checking import CheckedAdmin
from config.kernel.admin.filters import LevelFilter
from config.kernel.admin.sections import Section, numbers, texts
from loans.admin.base import FactAdmin, OfNotesAdmin, SchemeFilter, in_yuan, scheme_name, yuan
from loans.admin.lookups import of_note
from loans.values.errors import DomainError
from settlement.admin import wording
from settlement.models import Plan, PlanException, PlannedDeduction
from settlement.selectors.plans import funds_of_plan
from settlement.services.plans import check_plan, end_plan, void_planned


class ReasonForm(ActionForm):  # type: ignore[misc]
    """An action that is done for a reason."""

    why = forms.CharField(label=_("原因"), required=False, max_length=500)


def by_fund(request: HttpRequest, plan: Plan) -> Section:
    """What the plan asks of each fund."""
    return Section(
        title=_("按资金"),
        columns=[
            *texts(_("资金机构"), _("贴息政策"), _("资金层级")),
            *numbers(
                in_yuan(_("计划代付")),
                in_yuan(_("抵扣")),
                in_yuan(_("已预留")),
                in_yuan(_("可用")),
                in_yuan(_("缺口")),
            ),
        ],
        rows=[
            (
                one.institution_code,
                scheme_name(one.scheme_code),
                wording.tier_name(one.tier),
                *map(yuan, (one.planned_fen, one.offset_fen, one.reserved_fen)),
                *map(yuan, (one.available_fen, one.shortfall_fen)),
            )
            for one in funds_of_plan(plan_id=plan.pk)
        ],
    )


@admin.register(Plan)
class PlanAdmin(CheckedAdmin, FactAdmin):
    """Plans, latest first."""

    when_empty = _("还没有代付计划：导入未来结息日的计划收息后，可先计划、复核，再代付。")
    list_display = (
        "id", "collected_on", "institution_name", "state", "planned_yuan", "made_by", "checked_by",
    )  # fmt: skip
    list_filter = ("state", "collected_on")
    list_select_related = ("institution",)
    sections = (by_fund,)
    finance_sees = False
    actions: Any = ("pass_check", "end")
    action_form = ReasonForm

    def has_end_permission(self, request: HttpRequest) -> bool:
        """Makers and managers end what was planned."""
        return may_make(request)

    @admin.action(description=_("复核通过"), permissions=["check"])
    def pass_check(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Check the chosen drafts and reserve their money; each refusal is told."""
        for plan_id in queryset.order_by("pk").values_list("pk", flat=True):
            try:
                with transaction.atomic():
                    check_plan(
                        plan_id=plan_id,
                        actor=request.user.get_username(),
                        at=timezone.localtime(),
                    )
            except DomainError as refused:
                self.message_user(request, str(refused), messages.WARNING)
            else:
                text = gettext("已复核 %(count)d 条") % {"count": 1}
                self.message_user(request, text, messages.SUCCESS)

    @admin.action(description=_("结束或撤销计划"), permissions=["end"])
    def end(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Release what is left of the chosen plans, for the reason given."""
        for plan_id in queryset.order_by("pk").values_list("pk", flat=True):
            try:
                with transaction.atomic():
                    end_plan(
                        plan_id=plan_id,
                        actor=request.user.get_username(),
                        why=request.POST.get("why", ""),
                    )
            except DomainError as refused:
                self.message_user(request, str(refused), messages.WARNING)


@admin.register(PlannedDeduction)
class PlannedDeductionAdmin(OfNotesAdmin):
    """What is planned of whom, and what became of it."""

    when_empty = _("计划中没有代付明细：计划生成后，各笔借据的计划贴息在此显示。")
    list_display = (
        "plan", "place", "scheme", "note", "institution_name", "interest_yuan", "central_yuan",
        "provincial_yuan", "municipal_yuan", "reserved_yuan", "state", "why",
    )  # fmt: skip
    list_filter = ("state", LevelFilter)
    list_select_related = ("plan", "scheme", "note", "institution")
    sortable_by = ()
    search_by = (of_note(),)
    search_help_text = _("借据号的开头")
    finance_sees = False
    actions = ("void",)
    action_form = ReasonForm

    def has_void_permission(self, request: HttpRequest) -> bool:
        """Makers and managers end what was planned."""
        return may_make(request)

    @display(description=in_yuan(_("已预留")))
    def reserved_yuan(self, row: PlannedDeduction) -> Any:
        """What is set aside for it now."""
        return yuan(row.reserved_fen)

    @admin.action(description=_("作废"), permissions=["void"])
    def void(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Take the chosen deductions out of their plans, for the reason given."""
        try:
            with transaction.atomic():
                count = void_planned(
                    ids=list(queryset.values_list("pk", flat=True)),
                    actor=request.user.get_username(),
                    why=request.POST.get("why", ""),
                )
        except DomainError as refused:
            self.message_user(request, str(refused), messages.WARNING)
        else:
            text = gettext("已作废 %(count)d 条") % {"count": count}
            self.message_user(request, text, messages.SUCCESS)


@admin.register(PlanException)
class PlanExceptionAdmin(OfNotesAdmin):
    """Planned collections that need a look."""

    when_empty = _("没有计划异常：不能计划的收息及其原因会在此列出。")
    list_display = ("plan", "note", "institution_name", "scheme_label", "reason", "detail")
    list_filter = ("reason", SchemeFilter, LevelFilter)
    finance_sees = False
    list_select_related = ("plan", "note", "institution")
    sortable_by = ()
    search_by = (of_note(),)
    search_help_text = _("借据号的开头")
