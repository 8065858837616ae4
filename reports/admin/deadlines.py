"""Deadlines: what has to be handed in when, overdue first; and the days they are counted by."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.apps import apps
from django.contrib import admin, messages
from django.contrib.admin import SimpleListFilter, display
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.filters import LevelFilter, month_of
from config.kernel.admin.history import HistoryAdmin
from config.kernel.admin.sections import SECTION_ROWS, Section, link, texts
from config.kernel.admin.waiting import WAITING, having
from loans.admin.base import FactAdmin, SchemeFilter, own_language
from loans.admin.steps import StepForm, StepsAdmin
from reports.admin import wording
from reports.admin.holiday_forms import ImportDays
from reports.admin.report_forms import ring, scope_of
from reports.admin.reports import CodeFilter
from reports.models import Obligation, Reminder, WorkingDayException
from reports.selectors.calendar import unpublished_years
from reports.selectors.obligations import reports_for, with_standing
from reports.services import jobs

STANDINGS = {
    "overdue": _("已逾期"),
    "pending": _("待生成"),
    "generated": _("待报送"),
    "submitted": _("已报送"),
    "accepted": _("已受理"),
}


class StandingFilter(SimpleListFilter):
    """By where an obligation stands."""

    title = _("状态")
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[Any]:
        """Every state."""
        return list(STANDINGS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Obligations in that state."""
        state = self.value()
        return queryset.filter(standing=state) if state in STANDINGS else queryset


class MakeDraft(StepForm):
    """The report of this obligation, made by a worker."""

    title = _("生成本期报表")
    button = _("提交任务")
    icon = "note_add"
    done = _("任务已提交，完成后本页列出报表和文件")

    def act(self, *, actor: str, at: datetime) -> int:
        """Order it."""
        run_id = jobs.order_report(
            code=self.row.code,
            period_code=self.row.period,
            institution_code=self.row.institution.code,
            scheme_code=self.row.scheme_code,
            scope=scope_of(self.request),
            actor=actor,
            at=at,
        )
        ring(run_id)
        return run_id

    def leads_to(self, outcome: Any) -> str:
        """The job."""
        return reverse("admin:reports_job_change", args=[outcome])


def versions(request: HttpRequest, obligation: Obligation) -> Section:
    """Reports that were made for it."""
    own = reports_for(obligation)
    return Section(
        title=_("报表"),
        columns=texts(
            _("序号"), _("贴息政策"), _("版次"), _("状态"), _("经办"), _("复核"), _("报送时间")
        ),
        rows=[
            (
                link("reports_report", one.pk, f"#{one.pk}"),
                wording.scheme_or_all(one.scheme_code),
                one.version,
                one.get_state_display(),
                one.made_by,
                one.checked_by,
                one.submitted_at and timezone.localtime(one.submitted_at),
            )
            for one in own[:SECTION_ROWS]
        ],
        empty=_("还没有报表：点“生成本期报表”，由另一人复核后报送"),
    )


def reminders(request: HttpRequest, obligation: Obligation) -> Section:
    """When people were told."""
    own = obligation.reminders.order_by("-day")[:SECTION_ROWS]
    return Section(
        title=_("提醒"),
        columns=texts(_("日期"), _("收件人")),
        rows=[(one.day, one.recipients) for one in own],
    )


@admin.register(Obligation)
class ObligationAdmin(StepsAdmin, FactAdmin):
    """The calendar of deadlines: overdue first, then by day."""

    when_empty = _("没有报送事项：政策生效并导入合作银行后，各报表的截止日在此列出。")
    list_display = (
        "due_on", "last_working_day", "standing_words", "code_words", "scheme_label", "period",
        "institution_name", "report_link", "article",
    )  # fmt: skip
    fields = (*list_display, "addressee", "assumed_words", "draft_from")
    heading = ("code_words", "scheme_label", "period", "institution_name")
    list_filter = (StandingFilter, CodeFilter, SchemeFilter, month_of("due_on"), LevelFilter)
    list_select_related = ("institution",)
    sortable_by = ()
    sections = (versions, reminders)
    row_steps = {"draft": MakeDraft}

    def get_ordering(self, request: HttpRequest) -> list[str]:
        """Overdue first."""
        return ["place", "due_on", "institution_id", "pk"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Obligations with where they stand today."""
        return with_standing(Obligation.objects.all(), today=timezone.localdate())

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list; years that cannot be dated are told."""
        for year in unpublished_years(today=timezone.localdate()):
            text = gettext(
                "%(year)d 年节假日安排尚未导入或不全，该年的截止日无法计算：请系统管理员在“节假日与调休”中导入"
            )
            messages.warning(request, text % {"year": year})
        return super().changelist_view(request, extra_context)

    @display(description=_("状态"))
    def standing_words(self, row: Any) -> Any:
        """Where it stands."""
        return STANDINGS[row.standing]

    @display(description=_("报表"))
    def code_words(self, row: Obligation) -> Any:
        """Which report."""
        return wording.report_name(row.code)

    @display(description=_("假设"))
    def assumed_words(self, row: Obligation) -> str:
        """What was assumed where the document is silent."""
        return own_language(row.assumed)

    @display(description=_("现有报表"))
    def report_link(self, row: Any) -> Any:
        """The report that stands for it."""
        return row.report_id and link("reports_report", row.report_id, f"#{row.report_id}")


@admin.register(Reminder)
class ReminderAdmin(FactAdmin):
    """Who was told of what, latest first."""

    when_empty = _("还没有提醒：临近截止或逾期时，向经办和机构管理员发出的提醒在此留底。")
    list_display = ("day", "obligation", "institution_name", "recipients", "at")
    finance_sees = False
    list_filter = (month_of("day"), LevelFilter)
    list_select_related = ("obligation", "institution")
    sortable_by = ()


@admin.register(WorkingDayException)
class WorkingDayExceptionAdmin(StepsAdmin):
    """Published days, latest first."""

    is_short = True
    when_empty = _("还没有节假日安排：由不限机构的系统管理员在此导入当年公布的放假和调休。")
    list_display = ("day", "is_working", "name", "document_number")
    fields = list_display
    list_filter = (month_of("day"), "is_working")
    ordering = ("-day",)
    list_steps = {"import": ImportDays}


@admin.register(apps.get_model("reports", "WorkingDayExceptionEvent"))
class WorkingDayExceptionEventAdmin(HistoryAdmin):
    """Former states of published days; found by the month, not by a number."""

    search_by = ()


WAITING.append(having("overdue", "reports.obligation", _("已逾期的报送事项"), standing="overdue"))
