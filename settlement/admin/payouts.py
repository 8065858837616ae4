"""Subsidies paid out instead of netted from the interest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import SimpleListFilter, display
from django.db import transaction
from django.db.models import F, OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.checking import CheckedAdmin
from config.kernel.admin.filters import LevelFilter, month_of
from loans.admin.base import FactAdmin, in_yuan, scheme_name, yuan
from loans.admin.lookups import of_note
from loans.values.errors import DomainError
from settlement.admin.deductions import DeductionSchemeFilter
from settlement.admin.plans import ReasonForm
from settlement.models import Payout, PayoutAttempt, PayoutBatch, PayoutResult
from settlement.services.payout_batches import check_batch, refuse_batch

STATES = {
    "waiting": _("待拨付"),
    "prepared": _("批次待复核"),
    "sent": _("已发出"),
    "failed": _("拨付失败"),
    "paid": _("已拨付"),
}
FREE = (None, "refused")  # never in a batch, or in one that was refused


class StandingFilter(SimpleListFilter):
    """By where a pay-out stands."""

    title = _("状态")
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[Any]:
        """Every state, and those not paid by the end of their day."""
        return [*STATES.items(), ("overdue", _("逾期未拨付"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Pay-outs in that state."""
        state = self.value()
        if state == "waiting":
            return queryset.filter(last_state=None) | queryset.filter(last_state="refused")
        if state == "overdue":
            late = queryset.filter(due_on__lt=timezone.localdate())
            return late.filter(last_state=None) | late.exclude(last_state="paid")
        if state not in STATES:
            return queryset
        tried = PayoutAttempt.objects.filter(state=state)  # few beside all pay-outs: start there
        return queryset.filter(pk__in=tried.values("payout_id"), last_state=state)


@admin.register(Payout)
class PayoutAdmin(FactAdmin):
    """Pay-outs, latest first."""

    list_display = (
        "id", "due_on", "scheme_label", "note", "institution_name", "amount_yuan", "central_yuan",
        "provincial_yuan", "municipal_yuan", "offset_yuan", "account_name", "account_number",
        "bank_name", "sequence", "standing", "attempts_made", "days_overdue",
    )  # fmt: skip
    list_filter = (StandingFilter, DeductionSchemeFilter, month_of("due_on"), LevelFilter)
    list_select_related = ("institution", "note", "scheme", "agreement")
    sortable_by = ()
    search_by = (of_note(),)
    search_help_text = _("借据号的开头")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Pay-outs with their last attempt."""
        last = PayoutAttempt.objects.filter(payout=OuterRef("pk")).order_by("-attempt")
        rows: QuerySet[Any] = super().get_queryset(request)
        found: QuerySet[Any] = rows.annotate(
            last_state=Subquery(last.values("state")[:1]),
            last_attempt=Subquery(last.values("attempt")[:1]),
            paid_on=Subquery(last.values(day=F("outcome__paid_on"))[:1]),
        )
        return found

    @display(description=_("状态"))
    def standing(self, row: Any) -> Any:
        """Where it stands."""
        return STATES["waiting" if row.last_state in FREE else row.last_state]

    @display(description=_("第几次"))
    def attempts_made(self, row: Any) -> int:
        """How often it was tried."""
        return int(row.last_attempt or 0)

    @display(description=_("逾期天数"))
    def days_overdue(self, row: Any) -> int:
        """Days from the day due to the payment, or until today."""
        until = row.paid_on if row.last_state == "paid" else timezone.localdate()
        return int(max(0, (until - row.due_on).days))

    @display(description=_("贴息政策"))
    def scheme_label(self, row: Payout) -> str:
        """The scheme's name."""
        return scheme_name(row.scheme.code)

    @display(description=in_yuan(_("应拨付")))
    def amount_yuan(self, row: Payout) -> Any:
        """What is paid out, all tiers."""
        return yuan(row.amount_fen)

    @display(description=_("收款户名"))
    def account_name(self, row: Payout) -> str:
        """Whose account it goes to."""
        return row.agreement.account_name

    @display(description=_("收款账号"))
    def account_number(self, row: Payout) -> str:
        """Which account it goes to."""
        return row.agreement.account_number

    @display(description=_("开户行"))
    def bank_name(self, row: Payout) -> str:
        """Where the account is."""
        return row.agreement.bank_name


@admin.register(PayoutBatch)
class PayoutBatchAdmin(CheckedAdmin, FactAdmin):
    """Batches, latest first: a second person sends or refuses them."""

    is_short = True
    list_display = (
        "id", "day", "institution_name", "state", "count", "amount_yuan", "made_by", "checked_by",
        "comment",
    )  # fmt: skip
    list_filter = ("state", month_of("day"))
    list_select_related = ("institution",)
    actions: Any = ("pass_check", "refuse")
    action_form = ReasonForm

    @admin.action(description=_("复核通过"), permissions=["check"])
    def pass_check(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Send the chosen batches; each refusal is told."""
        for batch_id in queryset.order_by("pk").values_list("pk", flat=True):
            self._end(request, batch_id, refuses=False)

    @admin.action(description=_("退回批次"), permissions=["check"])
    def refuse(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Refuse the chosen batches, for the reason given."""
        for batch_id in queryset.order_by("pk").values_list("pk", flat=True):
            self._end(request, batch_id, refuses=True)

    def _end(self, request: HttpRequest, batch_id: int, *, refuses: bool) -> None:
        actor, at = request.user.get_username(), timezone.localtime()
        try:
            with transaction.atomic():
                if refuses:
                    comment = request.POST.get("why", "")
                    refuse_batch(batch_id=batch_id, actor=actor, at=at, comment=comment)
                else:
                    check_batch(batch_id=batch_id, actor=actor, at=at)
        except DomainError as refused:
            self.message_user(request, str(refused), messages.WARNING)
        else:
            text = gettext("已复核 %(count)d 条") % {"count": 1}
            self.message_user(request, text, messages.SUCCESS)


@admin.register(PayoutAttempt)
class PayoutAttemptAdmin(FactAdmin):
    """Every attempt, latest first."""

    list_display = (
        "payout", "attempt", "batch_link", "note", "institution_name", "enterprise_name", "uscc",
        "amount_yuan", "account_name", "account_number", "bank_name", "state",
    )  # fmt: skip
    list_filter = ("state", LevelFilter)
    list_select_related = ("institution", "note", "payout")
    sortable_by = ()
    search_by = (of_note(),)
    search_help_text = _("借据号的开头")

    @display(description=_("拨付批次"))
    def batch_link(self, row: PayoutAttempt) -> str:
        """The batch it was sent with."""
        return f"#{row.batch_id}"


@admin.register(PayoutResult)
class PayoutResultAdmin(FactAdmin):
    """What the payment system answered."""

    list_display = (
        "attempt", "note", "institution_name", "result", "paid_on", "reference", "amount_yuan",
        "reason", "actor",
    )  # fmt: skip
    list_filter = ("result", month_of("paid_on"), LevelFilter)
    list_select_related = ("institution", "note", "attempt")
    sortable_by = ()
    search_by = (of_note(),)
    search_help_text = _("借据号的开头")
