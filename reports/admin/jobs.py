"""Jobs: reports and exports under way, how far they are, and what came of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.contrib.admin import display
from django.db.models import Count, Q, QuerySet, Sum
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.access import EXPORTERS, staff
from config.kernel.admin.searching import exact, number
from config.kernel.admin.sections import Section, link, texts
from loans.admin.base import own_language, scheme_name
from loans.admin.downloads import handed_out
from loans.admin.fields import WordChoice
from loans.admin.steps import StepForm, StepsAdmin
from reports.admin import report_contents, wording
from reports.admin.report_forms import ring, scope_of
from reports.models import Job, Report
from reports.selectors.scheme_codes import scheme_codes
from reports.services import jobs, storing
from settlement.resources import REGISTERS

NEXT: dict[str, Any] = {
    Report.State.GENERATED: _("下一步：由另一人复核"),
    Report.State.CHECKED: _("下一步：报送财政并登记"),
    Report.State.SUBMITTED: _("下一步：财政受理后登记文号"),
}


class OrderExport(StepForm):
    """A register of what this person may see, as a file."""

    title = _("导出台账")
    button = _("提交任务")
    icon = "download"
    note = _("由后台任务导出您可见范围内的数据，完成后在此下载。")
    done = _("任务已提交")
    roles = EXPORTERS
    at_field = {"filter_unknown": "scheme", "export_unknown": "register"}

    register = WordChoice(label=_("台账"))
    file_format = WordChoice(label=_("格式"), choices=[(one, one) for one in jobs.FORMATS])
    scheme = WordChoice(label=_("贴息政策"), required=False)

    def __init__(self, request: HttpRequest, row: Any = None, data: Any = None) -> None:
        super().__init__(request, row, data)
        fields: Any = self.fields
        fields["register"].choices = [
            (name, wording.stored(one.title_zh, name)) for name, one in REGISTERS.items()
        ]
        schemes = [(code, scheme_name(code)) for code in scheme_codes()]
        fields["scheme"].choices = [("", wording.EVERY_SCHEME), *schemes]

    @classmethod
    def may(cls, request: HttpRequest) -> bool:
        """Whoever sees rows at all: it only reads."""
        user = staff(request)
        return super().may(request) and user is not None and user.scope is not None

    def act(self, *, actor: str, at: datetime) -> int:
        """Order it."""
        data = self.cleaned_data
        run_id = jobs.order_export(
            register=data["register"],
            file_format=data["file_format"],
            filters={"scheme": data["scheme"]} if data["scheme"] else {},
            scope=scope_of(self.request),
            actor=actor,
            at=at,
        )
        ring(run_id)
        return run_id

    def leads_to(self, outcome: Any) -> str:
        """The job."""
        return reverse("admin:reports_job_change", args=[outcome])


def outcome(request: HttpRequest, job: Job) -> Section:
    """What came of it: the report it made or found made already, where it stands, and what is next."""
    found = Report.objects.filter(pk=(job.stats or {}).get("report", 0)).first()
    columns = texts(_("报表"), _("报告期"), _("版次"), _("状态"), _("说明"))
    if found is None:
        return Section(title=_("报表"), columns=columns, rows=[], empty=_told(job))
    name = f"#{found.pk} {wording.report_name(found.code)}"
    said = _("内容与现有一版相同，未另生成")
    is_new = (job.stats or {}).get("new") == 1
    told = NEXT.get(found.state, "") if is_new else said
    line = (
        link("reports_report", found.pk, name), found.period, found.version,
        found.get_state_display(), told,
    )  # fmt: skip
    return Section(title=_("报表"), columns=columns, rows=[line])


def _told(job: Job) -> Any:
    """Why there is no report to see."""
    if job.state == Job.State.DONE:
        return _("任务完成较早，未记录所生成的报表，请在“报表”中查找")
    return _("完成后在此列出所生成的报表")


def made_files(request: HttpRequest, job: Job) -> Section:
    """The files of that report, or the file that was exported."""
    found = Report.objects.filter(pk=(job.stats or {}).get("report", 0)).first()
    if found is not None:
        return report_contents.files(request, found)
    rows = [(_taken_away(job), job.result_sha256)] if job.result_sha256 else []
    return Section(title=_("文件"), columns=texts(_("文件名"), "sha256"), rows=rows)


def _taken_away(job: Job) -> Any:
    address = reverse("admin:reports_job_result", args=[job.pk])
    return format_html('<a href="{}" class="text-link">{}</a>', address, job.result_name)


@admin.register(Job)
class JobAdmin(StepsAdmin):
    """Jobs of one's own scope, latest first."""

    when_empty = _("还没有报表与导出任务：在此导出台账，或在“报表”中生成报表。")
    list_display = (
        "number_of_job", "what", "state", "progress", "result", "told_error", "actor", "created_at",
        "finished_at",
    )  # fmt: skip
    fields = tuple(name for name in list_display if name != "result")
    list_filter = ("state", "kind")
    sortable_by = ()
    ordering = ("-pk",)
    search_by = (number("pk"), exact("actor"))
    search_help_text = _("任务序号或发起人")
    list_steps = {"export": OrderExport}
    finance_sees = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Jobs with how far they are; those whose result the person may have."""
        rows: QuerySet[Any] = super().get_queryset(request)
        finished = Count("chunks", filter=~Q(chunks__state="todo"))
        found: QuerySet[Any] = rows.annotate(
            chunks_done=finished, chunks_all=Count("chunks"), rows_done=Sum("chunks__rows_done")
        )
        return found

    def sections_of(self, request: HttpRequest, row: Any) -> list[Section]:
        """The report it made, and the files."""
        files = made_files(request, row)
        return [files] if row.kind == jobs.EXPORT else [outcome(request, row), files]

    def get_urls(self) -> list[Any]:
        """Results have addresses of their own."""
        view = self.admin_site.admin_view(self.result_view)
        address = path("<path:object_id>/result/", view, name="reports_job_result")
        return [address, *super().get_urls()]

    def is_under_way(self, row: Any) -> bool:
        """Until it is done or failed."""
        return bool(row.state == Job.State.OPEN)

    def result_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """The file that came of a job in this person's scope."""
        job: Any = self.row(request, object_id)
        if job is None or not job.result_sha256 or not self.has_view_permission(request, job):
            raise Http404
        return handed_out(
            request,
            name=job.result_name,
            opened=lambda: storing.opened_result(sha256=job.result_sha256, name=job.result_name),
            home=reverse("admin:reports_job_change", args=[job.pk]),
        )

    @display(description=_("序号"), ordering="pk")
    def number_of_job(self, row: Job) -> str:
        """The job's number."""
        return f"#{row.pk}"

    @display(description=_("内容"))
    def what(self, row: Job) -> Any:
        """What was asked for."""
        asked = row.params
        if row.kind == jobs.EXPORT:
            name = wording.stored(REGISTERS[asked["register"]].title_zh, asked["register"])
            return f"{name} {asked['format']}"
        scheme = wording.scheme_or_all(asked["scheme"])
        return f"{wording.report_name(asked['code'])} {asked['period']} {asked['institution']} {scheme}"

    @display(description=_("进度"))
    def progress(self, row: Any) -> str:
        """Parts that are finished, of all, and rows so far of what has no parts."""
        parts = f"{row.chunks_done}/{row.chunks_all}"
        if not row.rows_done:
            return parts
        rows = gettext("%(rows)s 行") % {"rows": f"{row.rows_done:,}"}
        return f"{parts} · {rows}"

    @display(description=_("结果"))
    def result(self, row: Job) -> Any:
        """The report, whose files are on its page; of an export the file to take away."""
        if not row.result_sha256:
            return None
        made = (row.stats or {}).get("report")
        if made is None:
            return _taken_away(row)
        return link("reports_report", made, gettext("报表 #%(number)d") % {"number": made})

    @display(description=_("错误"))
    def told_error(self, row: Job) -> str:
        """Why it failed."""
        return own_language(row.error)
