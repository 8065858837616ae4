"""Reports: their versions, files, sums and differences, and the steps of their life."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.contrib.admin import SimpleListFilter, display
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.access import sees_as_finance
from config.kernel.admin.filters import LevelFilter, month_of
from config.kernel.admin.searching import prefix
from config.kernel.admin.sections import SECTION_ROWS, Section, link, numbers, texts
from config.kernel.admin.waiting import WAITING, having, unchecked
from loans.admin.base import FactAdmin, SchemeFilter, in_yuan, own_language, yuan
from loans.admin.downloads import handed_out
from loans.admin.steps import StepsAdmin
from loans.values.errors import DomainError
from reports.admin import wording
from reports.admin.report_forms import Accept, Check, GiveBack, Order, Submit
from reports.models import Report, ReportFile
from reports.services import storing

AMOUNTS = ("yuan", "wan")


class CodeFilter(SimpleListFilter):
    """By report."""

    title = _("报表")
    parameter_name = "code"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[Any]:
        """Every report there is."""
        return list(wording.REPORTS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Rows of that report."""
        code = self.value()
        return queryset.filter(code=code) if code else queryset


def files(request: HttpRequest, report: Report) -> Section:
    """Its files, to take away."""
    return Section(
        title=_("文件"),
        columns=[*texts(_("文件名"), _("内容")), *numbers(_("字节数")), *texts("sha256")],
        rows=[
            (_download(file), file.get_role_display(), f"{file.size:,}", file.sha256)
            for file in report.files.order_by("role", "name")
        ],
    )


def _download(file: ReportFile) -> Any:
    address = reverse("admin:reports_report_file", args=[file.report_id, file.pk])
    return format_html('<a href="{}" class="text-link">{}</a>', address, file.name)


def totals(request: HttpRequest, report: Report) -> Section:
    """What its columns add up to."""
    return Section(
        title=_("合计"),
        columns=[*texts(_("表"), _("项目")), *numbers(_("合计（金额为元）"))],
        rows=[
            (one["table"], one["column"], _shown(one["kind"], one["value"]))
            for one in report.totals
        ],
    )


def _shown(kind: str, value: int) -> Any:
    return yuan(value) if kind in AMOUNTS else f"{value:,}"


def ties(request: HttpRequest, report: Report) -> Section:
    """What was proved equal when it was made."""
    return Section(
        title=_("勾稽（两边相等）"),
        columns=[*texts(_("关系")), *numbers(in_yuan(_("金额")))],
        rows=[(one["name"], yuan(one["fen"])) for one in report.ties],
    )


def differences(request: HttpRequest, report: Report) -> Section:
    """What changed against the version that was submitted: the first rows of the difference report."""
    lines, told = _difference_lines(report)
    titles = (_("表"), _("行"), _("变化"), _("项目"), _("原报送"), _("更正后"), _("差额"))
    return Section(
        title=told or _("与原报送的差异"), columns=texts(*titles), rows=lines[:SECTION_ROWS]
    )


def _difference_lines(report: Report) -> tuple[list[list[str]], str]:
    """Rows of the stored difference report, or why they cannot be shown."""
    file = report.files.filter(role="difference", name__endswith=".rows.csv").first()
    if file is None:
        return [], ""
    try:
        with (
            storing.opened(file=file) as source,
            io.TextIOWrapper(source, encoding="utf-8", newline="") as text,
        ):
            rows = list(zip(range(SECTION_ROWS + 1), csv.reader(text), strict=False))
    except DomainError as refusal:
        return [], own_language(str(refusal))
    return [row for _number, row in rows[1:]], ""


@admin.register(Report)
class ReportAdmin(StepsAdmin, FactAdmin):
    """Reports, latest first."""

    when_empty = _("还没有报表：在此生成，或从“报送日历”按期生成，由另一人复核后报送。")
    list_display = (
        "number", "code_words", "scheme_words", "institution_name", "period", "version", "state",
        "made_by", "checked_by", "submitted_at", "document_number",
    )  # fmt: skip
    heading = ("number", "code_words", "scheme_words", "period")
    fields = (
        *list_display[:7], "corrects_link", "made_by", "made_at", "checked_by", "submitted_by",
        "submitted_at", "answered_by", "checked_at", "answered_at", "document_number", "returned_why",
        "superseded_at", "ledger_entry", "ledger_entries", "ledger_chain", "facts_position",
        "terms_key", "growth_ppm", "content_sha256",
    )  # fmt: skip
    list_filter = ("state", CodeFilter, SchemeFilter, month_of("made_at"), LevelFilter)
    list_select_related = ("institution", "corrects")
    sortable_by = ()
    search_by = (prefix("period"), prefix("document_number"))
    search_help_text = _("报告期或受理文号的开头")
    sections = (files, totals, ties, differences)
    list_steps = {"order": Order}
    row_steps = {"check": Check, "submit": Submit, "accept": Accept, "give_back": GiveBack}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Reports; finance sees those it was sent."""
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.exclude(submitted_at=None) if sees_as_finance(request) else rows

    def get_urls(self) -> list[Any]:
        """Files have addresses of their own."""
        view = self.admin_site.admin_view(self.file_view)
        address = "<path:object_id>/file/<int:file_id>/"
        return [path(address, view, name="reports_report_file"), *super().get_urls()]

    def file_view(self, request: HttpRequest, object_id: str, file_id: int) -> HttpResponseBase:
        """One file of a report in this person's scope."""
        report: Any = self.row(request, object_id)
        file = report and report.files.filter(pk=file_id).first()
        if file is None or not self.has_view_permission(request, report):
            raise Http404
        return handed_out(
            request,
            name=file.name,
            opened=lambda: storing.opened(file=file),
            home=reverse("admin:reports_report_change", args=[report.pk]),
        )

    @display(description=_("序号"), ordering="pk")
    def number(self, row: Report) -> str:
        """The report's number."""
        return f"#{row.pk}"

    @display(description=_("报表"))
    def code_words(self, row: Report) -> Any:
        """What it is called."""
        return wording.report_name(row.code)

    @display(description=_("贴息政策"))
    def scheme_words(self, row: Report) -> Any:
        """Which policy it is about."""
        return wording.scheme_or_all(row.scheme_code)

    @display(description=_("更正的报表"))
    def corrects_link(self, row: Report) -> Any:
        """The version that was submitted before."""
        if row.corrects is None:
            return None
        return link("reports_report", row.corrects_id, f"#{row.corrects_id}")


@admin.register(ReportFile)
class ReportFileAdmin(FactAdmin):
    """Files of all reports."""

    when_empty = _("还没有报表文件：报表生成后，各格式的文件在此列出。")
    list_display = ("report", "institution_name", "role", "format", "name", "size", "sha256")
    list_filter = ("role", "format", LevelFilter)
    list_select_related = ("report", "institution")
    sortable_by = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Files of the reports this person sees."""
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.exclude(report__submitted_at=None) if sees_as_finance(request) else rows


WAITING.extend(
    [
        unchecked("generated", "reports.report", _("报表"), state=Report.State.GENERATED),
        having("checked", "reports.report", _("已复核、待报送的报表"), state=Report.State.CHECKED),
    ]
)
