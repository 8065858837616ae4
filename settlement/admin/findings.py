"""Findings of the duplicate check: found by rule, decided by two people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.contrib.admin import SimpleListFilter, display
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.access import may_make
from config.kernel.admin.checking import CheckedAdmin
from config.kernel.admin.filters import LevelFilter
from loans.admin.base import FactAdmin, in_yuan, scheme_name, yuan
from loans.admin.chosen import ReasonForm, each, shown_first
from loans.admin.lookups import of_enterprise, of_note
from loans.admin.parties import CheckedFilter
from loans.admin.steps import StepsAdmin
from settlement.admin.finding_forms import (
    Agree,
    ClawBack,
    Confirm,
    Dismiss,
    Refuse,
    asked_back,
    blocked,
    blocking,
    both_sides,
    decisions,
    evidence,
    own_side,
)
from settlement.models import BlockedSubsidy, Finding, FindingDecision, FindingSide
from settlement.services import findings


class ThereFilter(SimpleListFilter):
    """Those whose facts are there, unless asked otherwise."""

    title = _("是否仍在")
    parameter_name = "gone"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[Any]:
        """There, or gone."""
        return [("no", _("仍在")), ("yes", _("已消除"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Findings that are there or gone."""
        if self.value() == "yes":
            return queryset.exclude(gone_at=None)
        return queryset.filter(gone_at=None) if self.value() == "no" else queryset


class BlockingFilter(SimpleListFilter):
    """Those that keep deductions waiting."""

    title = _("是否暂停贴息")
    parameter_name = "blocks"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[Any]:
        """Blocking now, or not."""
        return [("yes", _("暂停中")), ("no", _("未暂停"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Findings that block, or that do not."""
        blocking = Q(gone_at=None) & ~Q(state=Finding.State.DISMISSED) & ~Q(blocked_schemes=[])
        if self.value() == "yes":
            return queryset.filter(blocking)
        return queryset.exclude(blocking) if self.value() == "no" else queryset


@admin.register(Finding)
class FindingAdmin(StepsAdmin, FactAdmin):
    """What the check found, latest first; both sides stand next to each other on a finding's page."""

    is_short = True
    when_empty = _("没有核查事项：重复贴息核查未发现问题，或尚未运行核查。")
    list_display = (
        "id", "rule", "severity", "standing", "note", "enterprise", "institution_name", "at_stake",
        "found_on",
    )  # fmt: skip
    list_filter = (ThereFilter, BlockingFilter, "state", "rule", "severity", "scheme", LevelFilter)
    list_select_related = ("note", "enterprise", "institution")
    search_by = (of_note(), of_enterprise("enterprise_id"))
    search_help_text = _("借据号的开头，信用代码或企业名称")
    sections = (both_sides, evidence, blocked, decisions, asked_back)
    fields = (
        "rule", "severity", "standing", "article", "scheme_label", "note", "enterprise",
        "institution_name", "central_yuan", "provincial_yuan", "municipal_yuan", "found_at",
        "changed_at", "gone_at",
    )  # fmt: skip
    row_steps = {"confirm": Confirm, "dismiss": Dismiss, "claw-back": ClawBack}
    actions: Any = ("confirm_chosen", "dismiss_chosen")
    action_form = ReasonForm

    @display(description=_("应退政策"), ordering="scheme")
    def scheme_label(self, row: Finding) -> str:
        """The scheme whose money gives way."""
        return self.empty_value_display if row.scheme is None else scheme_name(row.scheme.code)

    @display(description=_("状态"), ordering="state")
    def standing(self, row: Finding) -> str:
        """Its state, and whether it keeps deductions waiting now."""
        state = row.get_state_display()
        return gettext("%(state)s，暂停贴息") % {"state": state} if row.is_blocking else state

    @display(description=in_yuan(_("涉及金额")))
    def at_stake(self, row: Finding) -> str | None:
        """All tiers together."""
        return yuan(row.central_fen + row.provincial_fen + row.municipal_fen)

    @display(description=_("发现日期"), ordering="found_at")
    def found_on(self, row: Finding) -> Any:
        """The day it was found; the minute is on its page."""
        return timezone.localtime(row.found_at).date()

    def has_make_permission(self, request: HttpRequest) -> bool:
        """Makers and managers."""
        return may_make(request)

    @admin.action(description=_("属实"), permissions=["make"])
    def confirm_chosen(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Say of the chosen findings that they are true."""
        self._say(request, queryset, Finding.State.CONFIRMED)

    @admin.action(description=_("不属实"), permissions=["make"])
    def dismiss_chosen(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Say of the chosen findings that they are not true."""
        self._say(request, queryset, Finding.State.DISMISSED)

    def _say(self, request: HttpRequest, queryset: QuerySet[Any], outcome: str) -> None:
        actor, at = request.user.get_username(), timezone.localtime()
        why = request.POST.get("why", "")

        def step(key: int) -> None:
            findings.propose_decision(finding_id=key, outcome=outcome, why=why, actor=actor, at=at)

        each(request, self, queryset, step, told=_("已提交结论 %(count)d 条，待他人复核"))


@admin.register(FindingSide)
class FindingSideAdmin(FactAdmin):
    """Which notes some finding is about: also those whose finding is another institution's."""

    when_empty = _("没有涉及本机构借据的核查事项。")
    list_display = ("finding_number", "position", "note", "enterprise", "institution_name")
    fields = ("finding_number", "position", "note", "enterprise", "institution_name")
    list_filter = (LevelFilter,)
    list_select_related = ("note", "enterprise", "institution")
    search_by = (of_note(), of_enterprise("enterprise_id"))
    search_help_text = _("借据号的开头，信用代码或企业名称")
    sections = (own_side,)

    @display(description=_("核查事项"), ordering="finding_id")
    def finding_number(self, row: FindingSide) -> str:
        """The finding's number; the finding itself may be out of sight."""
        return f"#{row.finding_id}"


@admin.register(BlockedSubsidy)
class BlockedSubsidyAdmin(FactAdmin):
    """What findings keep the last run from posting, by note and scheme."""

    when_empty = _("没有因核查事项暂停的贴息。")
    list_display = (
        "note", "enterprise", "scheme_label", "institution_name", "collections", "central_yuan",
        "provincial_yuan", "municipal_yuan",
    )  # fmt: skip
    fields = list_display
    heading = ("note", "scheme_label")
    list_filter = ("scheme", LevelFilter)
    list_select_related = ("note", "enterprise", "scheme", "institution")
    search_by = (of_note(), of_enterprise("enterprise_id"))
    search_help_text = _("借据号的开头，信用代码或企业名称")
    sections = (blocking,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Those of which something waits."""
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.filter(collections__gt=0)

    @display(description=_("贴息政策"), ordering="scheme")
    def scheme_label(self, row: BlockedSubsidy) -> str:
        """The scheme's name."""
        return scheme_name(row.scheme.code)


@admin.register(FindingDecision)
class FindingDecisionAdmin(StepsAdmin, CheckedAdmin, FactAdmin):
    """What people say of findings; a second person agrees or refuses."""

    is_short = True
    when_empty = _("还没有核查结论：在“重复贴息核查”中打开事项并提交结论，由另一人复核。")
    list_display = (
        "finding", "outcome", "note", "institution_name", "why", "made_by", "checked_by", "refused_why",
    )  # fmt: skip
    fields = (
        "finding", "outcome", "note", "institution_name", "why", "made_by", "made_at", "checked_by",
        "checked_at", "refused_why",
    )  # fmt: skip
    heading = ("finding", "outcome")
    change_form_outer_after_template = ""
    row_steps = {"check": Agree, "refuse": Refuse}
    list_filter = (CheckedFilter, "outcome", "finding__rule", LevelFilter)
    list_select_related = ("finding", "note", "institution")
    search_by = (of_note(),)
    search_help_text = _("借据号的开头")

    @admin.action(description=_("复核通过"), permissions=["check"])
    def pass_check(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        """Agree to the chosen decisions."""
        first = shown_first(request, self, queryset, Agree)
        if first is not None:
            return first
        actor, at = request.user.get_username(), timezone.localtime()

        def step(key: int) -> None:
            findings.check_decision(decision_id=key, actor=actor, at=at)

        return each(request, self, queryset, step)
