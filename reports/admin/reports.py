"""Reports: their versions, files, sums and differences, and the steps of their life."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.contrib.admin import SimpleListFilter, display
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.access import sees_as_finance
from config.kernel.admin.filters import LevelFilter, month_of
from config.kernel.admin.searching import prefix
from config.kernel.admin.sections import Section, link
from config.kernel.admin.waiting import WAITING, having, unchecked
from loans.admin.base import FactAdmin, SchemeFilter
from loans.admin.downloads import handed_out
from loans.admin.steps import StepsAdmin
from reports.admin import report_contents, wording
from reports.admin.report_forms import Accept, Check, GiveBack, Order, Submit
from reports.models import Report, ReportFile
from reports.services import storing


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
    list_steps = {"order": Order}
    row_steps = {"check": Check, "submit": Submit, "accept": Accept, "give_back": GiveBack}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Reports; finance sees those it was sent."""
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.exclude(submitted_at=None) if sees_as_finance(request) else rows

    def sections_of(self, request: HttpRequest, row: Any) -> list[Section]:
        """What it says, when it is due, and its files."""
        return [
            *report_contents.said(request, row),
            report_contents.obligations(request, row),
            report_contents.files(request, row),
        ]

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
        having(
            "checked",
            "reports.report",
            _("已复核、待报送的报表"),
            is_make=True,
            state=Report.State.CHECKED,
        ),
        having(
            "returned",
            "reports.report",
            _("被退回、待重新生成的报表"),
            is_make=True,
            state=Report.State.RETURNED,
        ),
    ]
)
