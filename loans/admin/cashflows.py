"""Principal and interest: the big tables, read by their indexes only."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin import display
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.filters import LevelFilter, YearFilter, YesNoFilter, month_of
from config.kernel.admin.searching import exact
from loans.admin.base import CollectedMonthFilter, FactAdmin, SchemeFilter
from loans.admin.lookups import of_collection, of_note
from loans.models import InterestCollection, OpeningPosition, Repayment


class PlannedFilter(YesNoFilter):
    """Planned, or collected."""

    title = _("计划（未收）")
    parameter_name = "planned"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Rows without, or with, an amount collected."""
        if self.value() not in ("yes", "no"):
            return queryset
        return queryset.filter(interest_paid_fen__isnull=self.value() == "yes")


@admin.register(InterestCollection)
class InterestCollectionAdmin(FactAdmin):
    """Interest collected or planned, latest month first."""

    list_display = (
        "reference", "note", "institution_name", "period_start", "period_end", "collected_on",
        "interest_due_yuan", "interest_paid_yuan",
    )  # fmt: skip
    list_filter = (CollectedMonthFilter, PlannedFilter, LevelFilter)
    list_select_related = ("note", "institution")
    ordering = ("-pk",)
    sortable_by = ()
    search_by = (of_note(), of_collection("pk"))
    search_help_text = _("借据号的开头，或流水号")
    fields = (
        "reference", "note", "institution", "origin", "period_start", "period_end", "collected_on",
        "interest_due_yuan", "interest_paid_yuan", "planned", "batch_link",
    )  # fmt: skip

    @display(description=_("对应计划"))
    def planned(self, row: InterestCollection) -> Any:
        """The plan this row completes."""
        return row.completes


@admin.register(Repayment)
class RepaymentAdmin(FactAdmin):
    """Principal repaid, latest entry first."""

    list_display = ("reference", "note", "institution_name", "repaid_on", "amount_yuan")
    list_filter = (LevelFilter, month_of("repaid_on"))
    list_select_related = ("note", "institution")
    ordering = ("-pk",)
    sortable_by = ()
    search_by = (of_note(), exact("reference"))
    search_help_text = _("借据号的开头，或流水号")


@admin.register(OpeningPosition)
class OpeningPositionAdmin(FactAdmin):
    """What was subsidised before this system took over."""

    list_display = (
        "note", "institution_name", "scheme_label", "tier", "year", "amount_yuan", "interest_paid_yuan",
        "paid_through",
    )  # fmt: skip
    list_filter = (SchemeFilter, "tier", YearFilter, LevelFilter)
    list_select_related = ("note", "institution")
    search_by = (of_note(),)
    search_help_text = _("借据号的开头")
