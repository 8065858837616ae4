"""Settlements and liquidations: submitted and booked by a second person, decided by finance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.contrib.admin import display
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.access import may_check, sees_as_finance
from config.kernel.admin.filters import LevelFilter
from config.kernel.admin.searching import prefix
from config.kernel.admin.sections import Stage
from loans.admin.base import FactAdmin, SchemeFilter, scheme_name
from loans.admin.chosen import each, shown_first
from loans.admin.steps import StepForm, StepsAdmin
from settlement.admin.settlement_accounts import items
from settlement.admin.settlement_ends import TakeBack, Withdraw
from settlement.admin.settlement_forms import (
    Book,
    Decide,
    Draft,
    RefuseDecision,
    Submit,
)
from settlement.models import Settlement, SettlementItem
from settlement.services import settlement_decisions, settlements

NEXT = {
    "draft": _("下一步：由另一人复核草稿并提交财政"),
    "submitted": _("下一步：财政批复后由经办录入认可额"),
    "decided": _("下一步：由另一人复核批复并入账"),
}


def _decided_title(settlement: Settlement) -> Any:
    """Decided in full or in part, once it is."""
    if settlement.decided_by is None:
        return _("录入财政批复")
    cut = settlement.items.filter(disallowed_fen__gt=0).exists()
    return _("财政批复：部分认可") if cut else _("财政批复：全额认可")


def _done(titles: list[Any], who: list[tuple[Any, Any]]) -> list[Stage]:
    """The stations that were reached before it was withdrawn."""
    pairs = zip(titles, who, strict=True)
    return [Stage(title, "done", person, at) for title, (person, at) in pairs if person]


class SettledSchemeFilter(SchemeFilter):
    """By scheme."""

    field = "scheme__code"


@admin.register(Settlement)
class SettlementAdmin(StepsAdmin, FactAdmin):
    """Settlements, latest first."""

    is_short = True
    when_empty = _("还没有结算：年度终了后在此起草，复核后提交财政，录入批复并入账。")
    actions = ("submit_to_finance", "book_decision")
    list_display = (
        "number", "scheme_label", "institution_name", "kind", "year", "part", "is_final", "state",
        "made_by", "checked_by", "document_number", "decided_on",
    )  # fmt: skip
    fields = (
        "scheme_label", "institution_name", "kind", "year", "part", "is_final", "needs_stated",
        "state", "document_number", "decided_on", "withdrawn_by", "withdrawn_at", "withdrawn_why",
    )  # fmt: skip
    list_filter = ("state", "kind", "year", SettledSchemeFilter, LevelFilter)
    list_select_related = ("scheme", "institution")
    search_by = (prefix("document_number"),)
    search_help_text = _("批复文号的开头")
    sections = (items,)
    list_steps = {"draft": Draft}
    row_steps = {
        "submit": Submit,
        "decide": Decide,
        "book": Book,
        "refuse-decision": RefuseDecision,
        "withdraw": Withdraw,
        "take-back": TakeBack,
    }

    def stages(self, request: HttpRequest, row: Settlement) -> list[Stage]:
        """Drafted, submitted, decided in full or in part, booked; or withdrawn."""
        state = Settlement.State
        order = [state.DRAFT, state.SUBMITTED, state.DECIDED, state.BOOKED]
        who = [
            (row.made_by, row.made_at),
            (row.checked_by, row.checked_at),
            (row.decided_by, row.decided_at),
            (row.booked_by, row.booked_at),
        ]
        titles = [_("起草"), _("复核并提交财政"), _decided_title(row), _("复核入账")]
        if row.state == state.WITHDRAWN:
            gone = Stage(_("已撤回"), "off", row.withdrawn_by or "", row.withdrawn_at)
            return [*(_done(titles, who)), gone]
        reached = order.index(state(row.state))
        return [
            Stage(
                title,
                "done" if place <= reached else ("now" if place == reached + 1 else "todo"),
                person or "",
                at,
            )
            for place, (title, (person, at)) in enumerate(zip(titles, who, strict=True))
        ]

    def next_step(self, request: HttpRequest, row: Settlement) -> str:
        """Whose turn it is."""
        if row.state == Settlement.State.SUBMITTED and row.decision_refused_why:
            told = gettext("批复录入已被 %(who)s 退回：%(why)s。下一步：经办重新录入批复")
            return told % {"who": row.decision_refused_by, "why": row.decision_refused_why}
        return str(NEXT.get(row.state, ""))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Settlements; finance sees those it was sent."""
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.exclude(checked_by=None) if sees_as_finance(request) else rows

    def has_check_permission(self, request: HttpRequest) -> bool:
        """Checkers."""
        return may_check(request)

    @display(description=_("序号"), ordering="pk")
    def number(self, row: Settlement) -> str:
        """The settlement's number."""
        return f"#{row.pk}"

    @display(description=_("贴息政策"), ordering="scheme_id")
    def scheme_label(self, row: Settlement) -> str:
        """The scheme's name."""
        return scheme_name(row.scheme.code)

    @admin.action(description=_("复核并提交财政"), permissions=["check"])
    def submit_to_finance(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        """Submit the chosen drafts."""
        return self._each(request, queryset, Submit, settlements.submit, _("已提交 %(count)d 份"))

    @admin.action(description=_("复核批复并入账"), permissions=["check"])
    def book_decision(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        """Book the chosen decisions."""
        return self._each(
            request, queryset, Book, settlement_decisions.book, _("已入账 %(count)d 份")
        )

    def _each(
        self,
        request: HttpRequest,
        queryset: QuerySet[Any],
        form: type[StepForm],
        act: Callable[..., None],
        told: Any,
    ) -> Any:
        """Show what it changes, then do it to each; what is refused is told and stops no other."""
        first = shown_first(request, self, queryset, form)
        if first is not None:
            return first
        actor, at = request.user.get_username(), timezone.localtime()

        def step(key: int) -> None:
            act(settlement_id=key, actor=actor, at=at)

        return each(request, self, queryset, step, told=told)


@admin.register(SettlementItem)
class SettlementItemAdmin(FactAdmin):
    """Funds in settlements."""

    is_short = True
    when_empty = _("还没有结算明细：起草结算后，按资金逐项列出。")
    list_display = (
        "settlement", "institution_name", "fund", "claimed_yuan", "approved_yuan", "disallowed_yuan",
        "surplus_yuan", "gap_yuan", "next_year_need_yuan",
    )  # fmt: skip
    list_filter = (LevelFilter,)
    list_select_related = ("settlement", "institution", "fund")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Funds in the settlements this person sees."""
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.exclude(settlement__checked_by=None) if sees_as_finance(request) else rows
