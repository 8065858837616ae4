"""Settlements and liquidations: submitted and booked by a second person, decided by finance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import display
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.access import may_check, sees_as_finance
from config.kernel.admin.filters import LevelFilter
from config.kernel.admin.searching import prefix
from loans.admin.base import FactAdmin, SchemeFilter, scheme_name
from loans.admin.steps import StepsAdmin
from loans.values.errors import DomainError
from settlement.admin.settlement_forms import Book, Decide, Draft, Submit, Withdraw, items
from settlement.models import Settlement, SettlementItem
from settlement.services import settlement_decisions, settlements


class SettledSchemeFilter(SchemeFilter):
    """By scheme."""

    field = "scheme__code"


@admin.register(Settlement)
class SettlementAdmin(StepsAdmin, FactAdmin):
    """Settlements, latest first."""

    when_empty = _("还没有结算：年度终了后在此起草，复核后提交财政，录入批复并入账。")
    actions = ("submit_to_finance", "book_decision")
    list_display = (
        "number", "scheme_label", "institution_name", "kind", "year", "part", "is_final", "state",
        "made_by", "checked_by", "document_number", "decided_on",
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
        "withdraw": Withdraw,
    }

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
    def submit_to_finance(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Submit the chosen drafts."""
        self._each(request, queryset, settlements.submit, gettext("已提交"))

    @admin.action(description=_("复核批复并入账"), permissions=["check"])
    def book_decision(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Book the chosen decisions."""
        self._each(request, queryset, settlement_decisions.book, gettext("已入账"))

    def _each(
        self, request: HttpRequest, queryset: QuerySet[Any], act: Callable[..., None], done: str
    ) -> None:
        """Do it to each; what is refused is told and stops no other."""
        actor, at = request.user.get_username(), timezone.localtime()
        for pk in queryset.order_by("pk").values_list("pk", flat=True):
            try:
                act(settlement_id=pk, actor=actor, at=at)
            except DomainError as refusal:
                self.message_user(request, f"#{pk}: {refusal}", messages.WARNING)
            else:
                self.message_user(request, f"#{pk} {done}", messages.SUCCESS)


@admin.register(SettlementItem)
class SettlementItemAdmin(FactAdmin):
    """Funds in settlements."""

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
