"""Where bank statements and the ledger differ: found by machine, explained by two people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.contrib.admin import SimpleListFilter, display
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.access import may_make
from config.kernel.admin.checking import CheckedAdmin
from config.kernel.admin.filters import LevelFilter, month_of
from config.kernel.admin.searching import prefix
from config.kernel.admin.sections import SECTION_ROWS, Section, link, texts
from loans.admin.base import FactAdmin, scheme_name
from loans.admin.chosen import ReasonForm, each, shown_first
from loans.admin.parties import CheckedFilter
from loans.admin.steps import StepsAdmin
from settlement.admin.deductions import DeductionSchemeFilter
from settlement.admin.difference_forms import (
    CheckExplanation,
    Explain,
    ReconcileNow,
    RefuseExplanation,
)
from settlement.admin.wording import tier_name
from settlement.models import DifferenceExplanation, ReconciliationDifference
from settlement.services import differences

STATES = {
    "open": _("待处理"),
    "proposed": _("说明待复核"),
    "explained": _("已说明"),
    "closed": _("已消除"),
}


class StandingFilter(SimpleListFilter):
    """By where a difference stands; those still there unless asked otherwise."""

    title = _("状态")
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[Any]:
        """Every state."""
        return list(STATES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Differences in that state."""
        state = self.value()
        if state == "closed":
            return queryset.exclude(closed_at=None)
        there = queryset.filter(closed_at=None)
        if state == "open":
            return there.filter(said_at=None)
        if state == "proposed":
            return there.exclude(said_at=None).filter(said_checked_by=None)
        return there.exclude(said_checked_by=None) if state == "explained" else queryset


def explanations(request: HttpRequest, difference: ReconciliationDifference) -> Section:
    """What was said of it."""
    return Section(
        title=_("差异说明"),
        columns=texts(_("经办时间"), _("说明"), _("经办"), _("复核"), _("退回原因")),
        rows=[
            (
                link("settlement_differenceexplanation", one.pk, timezone.localdate(one.made_at)),
                one.why,
                one.made_by,
                one.checked_by or "",
                one.refused_why,
            )
            for one in difference.explanations.order_by("pk")[:SECTION_ROWS]
        ],
    )


@admin.register(ReconciliationDifference)
class ReconciliationDifferenceAdmin(StepsAdmin, FactAdmin):
    """Differences, latest first."""

    is_short = True
    when_empty = _("没有对账差异：导入专户流水后点“立即对账”，不符之处在此列出。")
    list_display = (
        "id", "moved_on", "scheme_label", "institution_name", "tier_label", "reason", "key_link",
        "amount_yuan", "standing", "why", "found_at", "closed_at",
    )  # fmt: skip
    list_filter = (
        StandingFilter, "reason", DeductionSchemeFilter, LevelFilter, month_of("moved_on"),
    )  # fmt: skip
    list_select_related = ("institution", "scheme")
    search_by = (prefix("key"),)
    search_help_text = _("流水号的开头")
    sections = (explanations,)
    fields = (
        "scheme_label", "institution_name", "tier_label", "reason", "moved_on", "key_link",
        "amount_yuan", "standing", "found_at", "closed_at",
    )  # fmt: skip
    list_steps = {"reconcile": ReconcileNow}
    row_steps = {"explain": Explain}
    actions: Any = ("explain_chosen",)
    action_form = ReasonForm

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Differences with the explanation that counts."""
        said = DifferenceExplanation.objects.filter(difference=OuterRef("pk"), refused_why="")
        rows: QuerySet[Any] = super().get_queryset(request)
        found: QuerySet[Any] = rows.annotate(
            said_at=Subquery(said.values("made_at")[:1]),
            said_why=Subquery(said.values("why")[:1]),
            said_checked_by=Subquery(said.values("checked_by")[:1]),
        )
        return found

    @display(description=_("贴息政策"), ordering="scheme")
    def scheme_label(self, row: ReconciliationDifference) -> str:
        """The scheme's name."""
        return scheme_name(row.scheme.code)

    @display(description=_("资金层级"), ordering="tier")
    def tier_label(self, row: ReconciliationDifference) -> str:
        """Central, provincial or municipal."""
        return tier_name(row.tier)

    @display(description=_("流水号或分录"), ordering="key")
    def key_link(self, row: ReconciliationDifference) -> Any:
        """The line's reference, or the way to the entry."""
        if row.reason == ReconciliationDifference.Reason.NOT_ON_STATEMENT:
            return link("settlement_ledgerentry", int(row.key), f"#{row.key}")
        return row.key

    @display(description=_("状态"))
    def standing(self, row: Any) -> Any:
        """Where it stands."""
        if row.closed_at is not None:
            return STATES["closed"]
        if row.said_at is None:
            return STATES["open"]
        return STATES["proposed" if row.said_checked_by is None else "explained"]

    @display(description=_("说明"))
    def why(self, row: Any) -> str:
        """What was said of it."""
        return str(row.said_why or "")

    def has_make_permission(self, request: HttpRequest) -> bool:
        """Makers and managers."""
        return may_make(request)

    @admin.action(description=_("说明原因"), permissions=["make"])
    def explain_chosen(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Explain the chosen differences, for the one reason given."""
        actor, at = request.user.get_username(), timezone.localtime()
        why = request.POST.get("why", "")

        def step(key: int) -> None:
            differences.explain_difference(difference_id=key, why=why, actor=actor, at=at)

        each(request, self, queryset, step, told=_("已提交说明 %(count)d 条，待他人复核"))


@admin.register(DifferenceExplanation)
class DifferenceExplanationAdmin(StepsAdmin, CheckedAdmin, FactAdmin):
    """What people say of differences; a second person accepts or refuses it."""

    is_short = True
    when_empty = _("没有差异说明：在“对账差异”中说明原因，由另一人复核。")
    list_display = (
        "difference", "what", "institution_name", "why", "made_by", "checked_by", "refused_why",
    )  # fmt: skip
    change_form_outer_after_template = ""
    row_steps = {"check": CheckExplanation, "refuse": RefuseExplanation}
    list_filter = (CheckedFilter, "difference__reason", LevelFilter)
    list_select_related = ("difference", "institution")
    search_by = (prefix("difference__key"),)
    search_help_text = _("流水号的开头")

    @display(description=_("差异"))
    def what(self, row: DifferenceExplanation) -> str:
        """The difference in short."""
        found = row.difference
        return f"{found.moved_on} {found.get_reason_display()} {found.key}"

    @admin.action(description=_("复核通过"), permissions=["check"])
    def pass_check(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        """Accept the chosen explanations."""
        first = shown_first(request, self, queryset, CheckExplanation)
        if first is not None:
            return first
        actor, at = request.user.get_username(), timezone.localtime()

        def step(key: int) -> None:
            differences.check_explanation(explanation_id=key, actor=actor, at=at)

        return each(request, self, queryset, step)
