"""Settlements and liquidations: submitted and booked by a second person, decided by finance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import display
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.access import may_check, staff
from config.kernel.admin.filters import LevelFilter
from config.kernel.admin.searching import prefix
from config.kernel.admin.sections import Section, link, numbers, texts
from config.kernel.models import Role
from loans.admin.base import FactAdmin, SchemeFilter, in_yuan, scheme_name, yuan
from loans.values.errors import DomainError
from settlement.admin import wording
from settlement.admin.decision_form import DecisionForm
from settlement.models import Settlement, SettlementItem
from settlement.services import settlement_decisions, settlements

MAY_ENTER = frozenset({Role.MAKER, Role.MANAGER, Role.ADMINISTRATOR})
SHOWN = (
    "opening_fen", "received_fen", "used_fen", "adjusted_fen", "clawback_decided_fen",
    "clawed_back_fen", "claimed_fen", "approved_fen", "disallowed_fen", "surplus_fen", "gap_fen",
    "carry_over_fen", "receivable_fen", "next_year_need_fen",
)  # fmt: skip


def may_make(request: HttpRequest) -> bool:
    """May this person enter what finance decided?"""
    user = staff(request)
    return user is not None and user.role in MAY_ENTER


def items(request: HttpRequest, settlement: Settlement) -> Section:
    """The settlement tier by tier."""
    own = settlement.items.select_related("fund", "settlement").order_by("fund__purpose", "pk")
    titles = [_("结转下期") if name == "carry_over_fen" else _title(own, name) for name in SHOWN]
    return Section(
        title=_("按资金层级"),
        columns=[*texts(_("资金层级"), _("用途")), *numbers(*map(in_yuan, titles))],
        rows=[
            (
                link("settlement_settlementitem", item.pk, wording.tier_name(item.fund.tier)),
                item.fund.get_purpose_display(),
                *(yuan(getattr(item, name)) for name in SHOWN),
            )
            for item in own
        ],
    )


def _title(rows: QuerySet[Any], name: str) -> Any:
    return getattr(rows.model, name).field.verbose_name


class SettledSchemeFilter(SchemeFilter):
    """By scheme."""

    field = "scheme__code"


@admin.register(Settlement)
class SettlementAdmin(FactAdmin):
    """Settlements, latest first."""

    actions = ("submit_to_finance", "book_decision", "take_back")
    list_display = (
        "number", "scheme_label", "institution_name", "kind", "year", "part", "is_final", "state",
        "made_by", "checked_by", "document_number", "decided_on",
    )  # fmt: skip
    list_filter = ("state", "kind", "year", SettledSchemeFilter, LevelFilter)
    list_select_related = ("scheme", "institution")
    search_by = (prefix("document_number"),)
    search_help_text = _("批复文号的开头")
    sections = (items,)
    change_form_outer_after_template = "settlement/decide.html"

    def get_urls(self) -> list[Any]:
        """Where the decision is sent."""
        address = path(
            "<int:pk>/decide/",
            self.admin_site.admin_view(self.decide_view),
            name="settlement_settlement_decide",
        )
        return [address, *super().get_urls()]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Offer the decision's form to whoever may enter it."""
        row = self.row(request, object_id) if object_id else None
        context = {"decision_form": self._form(request, row), **(extra_context or {})}
        return super().changeform_view(request, object_id, form_url, context)

    def _form(self, request: HttpRequest, row: Any) -> DecisionForm | None:
        if not isinstance(row, Settlement) or not may_make(request):
            return None
        return DecisionForm(row) if row.state in ("submitted", "decided") else None

    def decide_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Record finance's decision and go back to the page, with what came of it as a message."""
        settlement = self.row(request, str(pk))
        if request.method != "POST" or not may_make(request):
            raise PermissionDenied
        if not isinstance(settlement, Settlement):
            return HttpResponseRedirect(reverse("admin:index"))
        form = DecisionForm(settlement, request.POST)
        if form.is_valid():
            self._decide(request, form)
        else:
            for name, faults in form.errors.items():
                told = f"{form.fields[name].label}: {' '.join(map(str, faults))}"
                self.message_user(request, told, messages.ERROR)
        return HttpResponseRedirect(reverse("admin:settlement_settlement_change", args=[pk]))

    def _decide(self, request: HttpRequest, form: DecisionForm) -> None:
        try:
            settlement_decisions.decide(
                settlement_id=form.settlement_id,
                approved=form.approved,
                document_number=form.cleaned_data["document_number"],
                decided_on=form.cleaned_data["decided_on"],
                actor=request.user.get_username(),
                at=timezone.localtime(),
            )
        except DomainError as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
        else:
            self.message_user(request, gettext("批复已录入，待他人复核入账"), messages.SUCCESS)

    def has_check_permission(self, request: HttpRequest) -> bool:
        """Checkers and administrators."""
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

    @admin.action(description=_("撤回"), permissions=["check"])
    def take_back(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Withdraw what is not decided."""
        self._each(request, queryset, settlements.withdraw, gettext("已撤回"))

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

    list_display = (
        "settlement", "institution_name", "fund", "claimed_yuan", "approved_yuan", "disallowed_yuan",
        "surplus_yuan", "gap_yuan", "next_year_need_yuan",
    )  # fmt: skip
    list_filter = (LevelFilter,)
    list_select_related = ("settlement", "institution", "fund")
