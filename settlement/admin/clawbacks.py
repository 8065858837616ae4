"""What is taken back, and what came in: a second person decides and checks."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.admin import display
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.checking import CheckedAdmin
from config.kernel.admin.filters import LevelFilter, YearFilter, month_of
from config.kernel.admin.searching import prefix
from config.kernel.admin.sections import SECTION_ROWS, Section, Stage, link, numbers, texts
from loans.admin.base import FactAdmin, in_yuan, own_language, yuan
from loans.admin.chosen import each, shown_first
from loans.admin.entry_forms import PreAllocationForm
from loans.admin.evidence import PreAllocationAdmin
from loans.admin.lookups import of_enterprise, of_note
from loans.admin.parties import CheckedFilter
from loans.admin.steps import StepsAdmin
from loans.values.money import grouped_yuan
from settlement.admin.clawback_forms import (
    CheckMovement,
    Decide,
    Dismiss,
    OffsetOff,
    OffsetOn,
    Receive,
    RefuseMovement,
    WriteOff,
)
from settlement.admin.clawback_proposal import Propose
from settlement.admin.made_good_forms import CheckMadeGood, RecordMadeGood, RefuseMadeGood
from settlement.admin.previews import fund_in_sight, fund_name
from settlement.admin.receipt_forms import BookPreAllocation, RefusePreAllocation
from settlement.models import (
    Clawback,
    ClawbackLapse,
    ClawbackMovement,
    MadeGood,
    Receipt,
    ReceiptRefusal,
)
from settlement.selectors.receipts import entered_by
from settlement.services import clawback_movements, clawbacks
from settlement.services.made_good import check_made_good
from settlement.services.pre_allocations import book_pre_allocation


def movements(request: HttpRequest, clawback: Clawback) -> Section:
    """What came of the clawback so far."""
    return Section(
        title=_("追回变动"),
        columns=[
            *texts(_("日期"), _("类别")),
            *numbers(in_yuan(_("金额"))),
            *texts(_("流水号"), _("说明"), _("经办"), _("复核"), _("退回原因")),
        ],
        rows=[
            (
                link("settlement_clawbackmovement", m.pk, m.moved_on),
                m.get_kind_display(),
                yuan(m.amount_fen),
                m.reference,
                own_language(m.why),
                m.made_by,
                m.checked_by or "",
                m.refused_why,
            )
            for m in clawback.movements.order_by("pk")[:SECTION_ROWS]
        ],
    )


def lapses(request: HttpRequest, clawback: Clawback) -> Section:
    """What of the claims on this note, fund and year lapsed into differences."""
    found = ClawbackLapse.objects.filter(
        note_id=clawback.note_id, fund_id=clawback.fund_id, year=clawback.year
    ).order_by("pk")[:SECTION_ROWS]
    return Section(
        title=_("追回并入差额"),
        columns=[
            *texts(_("入账日")),
            *numbers(in_yuan(_("金额")), in_yuan(_("其中追回已结算年度"))),
            *texts(_("经办")),
        ],
        rows=[
            (
                link("settlement_clawbacklapse", one.pk, one.posted_on),
                yuan(one.amount_fen),
                yuan(one.settled_fen),
                one.actor,
            )
            for one in found
        ],
    )


@admin.register(Clawback)
class ClawbackAdmin(StepsAdmin, CheckedAdmin, FactAdmin):
    """Who owes what back, why, and what is still open."""

    is_short = True
    when_empty = _("没有追回：在此新增，或由核查结论、财政核减提出，由另一人决定。")
    list_display = (
        "id", "note", "institution_name", "origin", "state", "year", "amount_yuan", "received_yuan",
        "offset_yuan", "written_off_yuan", "open_yuan", "why",
    )  # fmt: skip
    fields = (
        "note", "enterprise", "institution_name", "fund_words", "year", "origin", "state",
        "amount_yuan", "received_yuan", "offset_yuan", "written_off_yuan", "open_yuan",
        "is_offset", "why", "document_number", "dismissed_why",
    )  # fmt: skip
    list_filter = ("state", "origin", CheckedFilter, "fund__scheme", LevelFilter)
    list_select_related = ("note", "institution")
    search_by = (of_note(), of_enterprise("enterprise_id"), prefix("document_number"))
    search_help_text = _("借据号、文号的开头，信用代码或企业名称")
    change_form_outer_after_template = ""
    sections = (movements, lapses)
    list_steps = {"propose": Propose}

    def stages(self, request: HttpRequest, row: Clawback) -> list[Stage]:
        """Proposed, decided or dismissed, recovered in parts."""
        state = Clawback.State
        first = Stage(_("提出追回"), "done", row.made_by, row.made_at)
        if row.state == state.DISMISSED:
            return [first, Stage(_("不予追回"), "off", row.checked_by or "", row.checked_at)]
        is_decided = row.state == state.DECIDED
        left = "now" if row.open_fen else "done"
        return [
            first,
            Stage(
                _("决定追回"),
                "done" if is_decided else "now",
                row.checked_by or "",
                row.checked_at,
            ),
            Stage(_("到账、抵扣或核销"), left if is_decided else "todo"),
        ]

    row_steps = {
        "decide": Decide,
        "dismiss": Dismiss,
        "receive": Receive,
        "write-off": WriteOff,
        "offset-on": OffsetOn,
        "offset-off": OffsetOff,
    }

    @display(description=_("资金"))
    def fund_words(self, row: Clawback) -> str:
        """The fund it comes out of, as far as it is in sight."""
        fund = fund_in_sight(row)
        return self.empty_value_display if fund is None else fund_name(fund)

    @display(description=_("尚欠（元）"))
    def open_yuan(self, row: Clawback) -> str:
        """What is still owed."""
        return grouped_yuan(row.open_fen)

    @admin.action(description=_("决定追回"), permissions=["check"])
    def pass_check(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        """Decide the chosen proposals: the enterprises owe the amounts."""
        first = shown_first(request, self, queryset, Decide)
        if first is not None:
            return first
        actor, at = request.user.get_username(), timezone.localtime()

        def step(key: int) -> None:
            clawbacks.decide(clawback_id=key, accept=True, actor=actor, at=at)

        return each(request, self, queryset, step)


@admin.register(ClawbackMovement)
class ClawbackMovementAdmin(StepsAdmin, CheckedAdmin, FactAdmin):
    """Money received and write-offs, in the ledger once checked; offsets come with their run."""

    is_short = True
    when_empty = _("没有追回变动：在“追回”中登记收回、核销或抵扣方式，由另一人复核。")
    list_display = (
        "clawback", "note", "institution_name", "kind", "moved_on", "amount_yuan", "reference",
        "made_by", "checked_by", "refused_why",
    )  # fmt: skip
    change_form_outer_after_template = ""
    row_steps = {"check": CheckMovement, "refuse": RefuseMovement}
    list_filter = ("kind", CheckedFilter, LevelFilter, month_of("moved_on"))
    list_select_related = ("clawback", "note", "institution")
    search_by = (of_note(), prefix("reference"))
    search_help_text = _("借据号或流水号的开头")

    @admin.action(description=_("复核通过"), permissions=["check"])
    def pass_check(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        """Check the chosen movements, which books them."""
        first = shown_first(request, self, queryset, CheckMovement)
        if first is not None:
            return first
        actor, at = request.user.get_username(), timezone.localtime()

        def step(key: int) -> None:
            clawback_movements.check_movement(movement_id=key, actor=actor, at=at)

        return each(request, self, queryset, step)


@admin.register(ClawbackLapse)
class ClawbackLapseAdmin(FactAdmin):
    """What of claims lapsed because a recomputation takes the same money back."""

    when_empty = _("没有并入差额的追回。")
    list_display = (
        "note", "institution_name", "fund", "year", "amount_yuan", "settled_yuan", "posted_on",
        "actor",
    )  # fmt: skip
    list_filter = ("fund__scheme", YearFilter, LevelFilter, month_of("posted_on"))
    list_select_related = ("note", "institution", "fund")
    search_by = (of_note(),)
    search_help_text = _("借据号的开头")


@admin.register(MadeGood)
class MadeGoodAdmin(StepsAdmin, CheckedAdmin, FactAdmin):
    """The bank's own money for what it bears."""

    is_short = True
    when_empty = _("没有银行补足：银行承担的核减以自有资金补足时，在此登记，由另一人复核。")
    list_display = (
        "reference", "fund", "institution_name", "moved_on", "amount_yuan", "made_by", "checked_by",
        "refused_why",
    )  # fmt: skip
    change_form_outer_after_template = ""
    list_steps = {"record": RecordMadeGood}
    row_steps = {"check": CheckMadeGood, "refuse": RefuseMadeGood}
    list_filter = (CheckedFilter, "fund__scheme", LevelFilter)
    list_select_related = ("fund", "institution")
    search_by = (prefix("reference"),)
    search_help_text = _("流水号的开头")

    @admin.action(description=_("复核通过"), permissions=["check"])
    def pass_check(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        """Check the chosen payments, which books them."""
        first = shown_first(request, self, queryset, CheckMadeGood)
        if first is not None:
            return first
        actor, at = request.user.get_username(), timezone.localtime()

        def step(key: int) -> None:
            check_made_good(made_good_id=key, actor=actor, at=at)

        return each(request, self, queryset, step)


@admin.register(Receipt)
class ReceiptAdmin(FactAdmin):
    """Pre-allocations that are in the ledger, and who checked them."""

    is_short = True
    when_empty = _("还没有预拨入账：在“预拨资金”中由另一人复核后入账。")
    list_display = (
        "pre_allocation", "institution_name", "made_by", "made_at", "checked_by", "checked_at",
    )  # fmt: skip
    list_filter = (LevelFilter, month_of("checked_at"))
    list_select_related = ("pre_allocation", "institution")
    search_by = (prefix("pre_allocation__document_number"),)
    search_help_text = _("文号的开头")


@admin.register(ReceiptRefusal)
class ReceiptRefusalAdmin(FactAdmin):
    """Pre-allocations that a second person refused, and why."""

    when_empty = _("没有退回的预拨登记：复核人退回时，理由在此列出。")
    finance_sees = False
    list_display = (
        "pre_allocation", "institution_name", "made_by", "checked_by", "checked_at", "why",
    )  # fmt: skip
    list_filter = (LevelFilter, month_of("checked_at"))
    list_select_related = ("pre_allocation", "institution")
    search_by = (prefix("pre_allocation__document_number"),)
    search_help_text = _("文号的开头")


class ReceivedAdmin(StepsAdmin, CheckedAdmin, PreAllocationAdmin):
    """Pre-allocations with the steps that enter and book them."""

    list_steps = {"enter": PreAllocationForm}
    row_steps = {"book": BookPreAllocation, "refuse": RefusePreAllocation}
    change_form_outer_after_template = ""

    list_display = (*PreAllocationAdmin.list_display, "is_booked", "refused_why")
    list_select_related = ("institution", "receipt", "refusal")

    def shown_columns(self) -> list[str]:
        """With whether it is in the ledger, and why not."""
        return [*super().shown_columns(), "is_booked", "refused_why"]

    def stages(self, request: HttpRequest, row: Any) -> list[Stage]:
        """Entered, booked or refused."""
        first = Stage(_("登记"), "done", entered_by(pre_allocation_id=row.pk))
        refusal, receipt = getattr(row, "refusal", None), getattr(row, "receipt", None)
        if refusal is not None:
            return [first, Stage(_("已退回"), "off", refusal.checked_by, refusal.checked_at)]
        if receipt is not None:
            return [first, Stage(_("复核入账"), "done", receipt.checked_by, receipt.checked_at)]
        return [first, Stage(_("复核入账"), "now")]

    @display(description=_("退回原因"))
    def refused_why(self, row: Any) -> str:
        """Why a second person refused it."""
        return row.refusal.why if hasattr(row, "refusal") else ""

    @display(description=_("已入账"), boolean=True)
    def is_booked(self, row: Any) -> bool:
        """Is it in the ledger?"""
        return hasattr(row, "receipt")

    @admin.action(description=_("复核入账"), permissions=["check"])
    def pass_check(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        """Book the chosen pre-allocations; why one is not is said of each."""
        first = shown_first(request, self, queryset, BookPreAllocation)
        if first is not None:
            return first
        actor, at = request.user.get_username(), timezone.localtime()

        def step(key: int) -> None:
            book_pre_allocation(pre_allocation_id=key, actor=actor, at=at)

        return each(request, self, queryset, step)


admin.site.unregister(apps.get_model("loans", "PreAllocation"))
admin.site.register(apps.get_model("loans", "PreAllocation"), ReceivedAdmin)
