"""Judgements of labels and guarantees, with their reasons in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.contrib.admin import SimpleListFilter, display
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.filters import LevelFilter, month_of
from config.kernel.admin.sections import link
from loans.admin.base import FactAdmin, SchemeFilter, scheme_name
from loans.admin.lookups import of_note
from settlement.admin import wording
from settlement.admin.note_sections import refused_rules
from settlement.models import Enrolment, GuaranteePosting, GuaranteeSubsidy


class ReasonFilter(SimpleListFilter):
    """By reason of refusal."""

    title = _("原因")
    parameter_name = "reason"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[Any]:
        """Every reason, in order of precedence."""
        return list(wording.REASONS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Judgements that name the reason."""
        code = self.value()
        return queryset.filter(reasons__contains=[code]) if code else queryset


class JudgedAdmin(FactAdmin):
    """What judgements of labels and of guarantees share."""

    when_empty = _("还没有认定结论：借据标注贴息政策后，由认定任务逐笔给出结论和原因。")
    list_select_related: Sequence[str] = ("note", "institution")
    search_by = (of_note(),)
    search_help_text = _("借据号的开头")

    heading: Sequence[str] = ("note", "scheme_label")

    @display(description=_("结论"), ordering="status")
    def verdict(self, row: Any) -> Any:
        """Eligible, not, or waiting."""
        return row.get_status_display()

    @display(description=_("原因"))
    def reasons_text(self, row: Any) -> Any:
        """All reasons, as sentences."""
        return wording.reasons_in_words(row.reasons) or self.empty_value_display


@admin.register(Enrolment)
class EnrolmentAdmin(JudgedAdmin):
    """Is a note subsidised under a scheme, for how much and from when to when?"""

    list_display = (
        "note", "institution_name", "scheme_label", "verdict", "reasons_text", "eligible_yuan",
        "subsidised_from", "subsidised_until",
    )  # fmt: skip
    list_filter = (
        SchemeFilter,
        "status",
        ReasonFilter,
        "principal_capped",
        LevelFilter,
        month_of("note__drawn_on"),
    )
    fields = (
        "note", "institution", "scheme_label", "position", "verdict", "reasons_text", "eligible_yuan",
        "principal_capped", "commitment_yuan", "subsidised_from", "subsidised_until", "tiers_off_text",
        "lpr_percent", "version_link",
    )  # fmt: skip
    sections = (refused_rules,)

    @display(description=_("政策版本"))
    def version_link(self, row: Enrolment) -> Any:
        """The terms it was judged by."""
        return link("settlement_schemeversion", row.version_id, f"v{row.version.version}")

    @display(description=_("不贴息层级"))
    def tiers_off_text(self, row: Enrolment) -> Any:
        """Which tiers pay nothing, and why."""
        return wording.tiers_off_in_words(row.tiers_off) or self.empty_value_display


@admin.register(GuaranteeSubsidy)
class GuaranteeSubsidyAdmin(JudgedAdmin):
    """Guarantee-fee subsidies."""

    list_display = (
        "guarantee", "note", "institution_name", "scheme_label", "verdict", "reasons_text", "months",
        "subsidy_yuan",
    )  # fmt: skip
    list_filter = (SchemeFilter, "status", LevelFilter)
    list_select_related = ("guarantee", "note", "institution")
    fields = (
        "guarantee", "note", "institution", "scheme_label", "verdict", "reasons_text", "months",
        "subsidy_yuan",
    )  # fmt: skip


@admin.register(GuaranteePosting)
class GuaranteePostingAdmin(FactAdmin):
    """What was paid of guarantee fees: originals and differences."""

    when_empty = _("还没有担保费补贴入账：担保认定为符合条件后，随贴息计算入账。")
    list_display = (
        "guarantee", "note", "institution_name", "policy", "month_text", "sequence", "amount_yuan",
        "posted_on", "actor",
    )  # fmt: skip
    list_filter = (LevelFilter, month_of("month"))
    list_select_related = ("guarantee", "note", "institution", "scheme")
    search_by = (of_note(),)
    search_help_text = _("借据号的开头")

    @display(description=_("贴息政策"))
    def policy(self, row: GuaranteePosting) -> str:
        """The scheme's name."""
        return scheme_name(row.scheme.code)

    @display(description=_("收费月份"), ordering="month")
    def month_text(self, row: GuaranteePosting) -> str:
        """Year and month."""
        return f"{row.month:%Y-%m}"
