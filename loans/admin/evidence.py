"""What came from outside: money from finance, its answers, statements, other subsidies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.contrib.admin import display
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.filters import LevelFilter, YearFilter, month_of
from config.kernel.admin.searching import exact, prefix
from loans.admin.base import FactAdmin, SchemeFilter
from loans.admin.lookups import of_note
from loans.models import BankStatement, Compensation, ExternalSubsidy, PreAllocation, ReviewResult


@admin.register(PreAllocation)
class PreAllocationAdmin(FactAdmin):
    """Money received ahead of use."""

    is_short = True
    when_empty = _("还没有预拨资金：收到财政预拨后，在此登记或导入，由另一人复核入账。")
    list_display: Sequence[str] = (
        "document_number", "institution_name", "scheme_label", "tier", "purpose", "received_on",
        "amount_yuan",
    )  # fmt: skip
    list_filter = (SchemeFilter, "tier", "purpose", LevelFilter, month_of("received_on"))
    list_select_related: Sequence[str] = ("institution",)
    search_by = (prefix("document_number"),)
    search_help_text = _("文号的开头")


@admin.register(ReviewResult)
class ReviewResultAdmin(FactAdmin):
    """Finance's answers per note and month."""

    list_display = (
        "note", "institution_name", "scheme_label", "month_text", "result", "amount_yuan", "reason",
        "document_number",
    )  # fmt: skip
    list_filter = (SchemeFilter, "result", LevelFilter, month_of("month"))
    list_select_related = ("note", "institution")
    search_by = (of_note(), prefix("document_number"))
    search_help_text = _("借据号或文号的开头")

    def shown_columns(self) -> list[str]:
        """The month without its day."""
        return ["month_text" if name == "month" else name for name in super().shown_columns()]

    @display(description=_("月份"), ordering="month")
    def month_text(self, row: ReviewResult) -> str:
        """Year and month."""
        return f"{row.month:%Y-%m}"


@admin.register(BankStatement)
class BankStatementAdmin(FactAdmin):
    """Lines of the special account's statement."""

    list_display = (
        "reference", "institution_name", "scheme_label", "tier", "moved_on", "amount_yuan", "balance_yuan",
        "summary",
    )  # fmt: skip
    list_filter = (SchemeFilter, "tier", LevelFilter, month_of("moved_on"))
    list_select_related = ("institution",)
    search_by = (prefix("reference"),)
    search_help_text = _("流水号的开头")


@admin.register(ExternalSubsidy)
class ExternalSubsidyAdmin(FactAdmin):
    """Subsidies paid outside this system."""

    list_display = (
        "reference", "source", "uscc", "kind", "scheme_name", "year", "amount_yuan", "note_number",
        "project_code", "invoice_number", "institution_name",
    )  # fmt: skip
    list_filter = ("kind", YearFilter, LevelFilter)
    list_select_related = ("institution",)
    search_by = (exact("uscc"), prefix("reference"), prefix("note_number"), prefix("project_code"))
    search_help_text = _("信用代码，流水号、借据号或项目代码的开头")

    def get_list_display_links(self, request: Any, list_display: Any) -> Any:
        """The reference leads to the page."""
        return ("reference",)


@admin.register(Compensation)
class CompensationAdmin(FactAdmin):
    """What guarantors were called upon for."""

    list_display = (
        "reference", "institution_name", "guarantee", "note", "paid_on", "unpaid_principal_yuan",
    )  # fmt: skip
    list_filter = (LevelFilter, month_of("paid_on"))
    list_select_related = ("institution", "guarantee", "note")
    search_by = (of_note(), prefix("reference"))
    search_help_text = _("借据号或流水号的开头")
