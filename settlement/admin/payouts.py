"""Subsidies paid out instead of netted from the interest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.contrib.admin import SimpleListFilter, display
from django.db.models import F, OuterRef, QuerySet, Subquery
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.access import own_scope
from config.kernel.admin.filters import LevelFilter, month_of
from config.kernel.admin.sections import Button, Stage
from loans.admin.base import FactAdmin, in_yuan, scheme_name, yuan
from loans.admin.lookups import of_note
from loans.admin.steps import StepsAdmin
from settlement.admin.deductions import DeductionSchemeFilter
from settlement.admin.orders import FORMATS, handed_out
from settlement.admin.payout_forms import Prepare, RefuseBatch, SendBatch, TakeResults, attempts
from settlement.models import Payout, PayoutAttempt, PayoutBatch, PayoutResult
from settlement.services.payout_batches import write_batch

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

    when_empty = _("没有直接拨付：约定直接拨付的借据产生贴息后，在此等待拨付。")
    list_display = (
        "id", "due_on", "scheme_label", "note", "institution_name", "amount_yuan", "account_name",
        "account_number", "standing", "attempts_made", "days_overdue",
    )  # fmt: skip
    fields = (
        *list_display[1:6], "central_yuan", "provincial_yuan", "municipal_yuan", "offset_yuan",
        "sequence", "account_name", "account_number", "bank_name", "standing", "attempts_made",
        "days_overdue", "collection", "agreement",
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
class PayoutBatchAdmin(StepsAdmin, FactAdmin):
    """Batches, latest first: a second person sends or refuses them."""

    is_short = True
    when_empty = _("还没有拨付批次：有待拨付的贴息时，按日生成批次，由另一人复核发出。")
    list_display = (
        "id", "day", "institution_name", "state", "count", "amount_yuan", "made_by", "checked_by",
        "comment",
    )  # fmt: skip
    list_filter = ("state", month_of("day"))
    finance_sees = False
    list_select_related = ("institution",)
    sections = (attempts,)
    list_steps = {"prepare": Prepare, "results": TakeResults}
    row_steps = {"send": SendBatch, "refuse": RefuseBatch}

    def stages(self, request: HttpRequest, row: PayoutBatch) -> list[Stage]:
        """Made, sent or refused, answered."""
        made = Stage(_("生成批次"), "done", row.made_by, row.made_at)
        if row.state == PayoutBatch.State.REFUSED:
            return [made, Stage(_("已退回"), "off", row.checked_by or "", row.checked_at)]
        is_sent = row.checked_by is not None
        open_ = PayoutAttempt.objects.filter(batch=row, state=PayoutAttempt.State.SENT).exists()
        sending = Stage(
            _("复核并发出"), "done" if is_sent else "now", row.checked_by or "", row.checked_at
        )
        answered = ("now" if open_ else "done") if is_sent else "todo"
        return [made, sending, Stage(_("拨付结果"), answered)]

    def row_buttons(self, request: HttpRequest, row: PayoutBatch) -> list[Button]:
        """The steps, and the file once it is sent."""
        found = super().row_buttons(request, row)
        if row.state != PayoutBatch.State.SENT:
            return found
        files = [
            Button(
                gettext("下载拨付文件 %(format)s") % {"format": one.upper()},
                reverse("admin:settlement_payoutbatch_file", args=[row.pk, one]),
                "download",
            )
            for one in FORMATS
        ]
        return [*files, *found]

    def get_urls(self) -> list[Any]:
        """The batch's file has addresses of its own."""
        view = self.admin_site.admin_view(self.file_view)
        address = "<path:object_id>/payouts.<str:file_format>"
        return [path(address, view, name="settlement_payoutbatch_file"), *super().get_urls()]

    def file_view(self, request: HttpRequest, object_id: str, file_format: str) -> HttpResponseBase:
        """The file of a sent batch, the same each time."""
        batch: Any = self.row(request, object_id)
        if batch is None or file_format not in FORMATS or not self.has_view_permission(request):
            raise Http404
        return handed_out(
            request,
            name=f"payouts-{batch.pk}.{file_format}",
            write=lambda out: write_batch(
                batch_id=batch.pk, path=out, file_format=file_format, scope=own_scope(request)
            ),
            home=reverse("admin:settlement_payoutbatch_change", args=[batch.pk]),
        )


@admin.register(PayoutAttempt)
class PayoutAttemptAdmin(FactAdmin):
    """Every attempt, latest first."""

    when_empty = _("还没有拨付记录：批次发出后，每次拨付在此留下记录。")
    list_display = (
        "payout", "attempt", "batch_link", "note", "institution_name", "enterprise_name", "uscc",
        "amount_yuan", "account_name", "account_number", "bank_name", "state",
    )  # fmt: skip
    list_filter = ("state", LevelFilter)
    finance_sees = False
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

    when_empty = _("还没有拨付结果：收到支付系统回执并导入后，在此显示。")
    list_display = (
        "attempt", "note", "institution_name", "result", "paid_on", "reference", "amount_yuan",
        "reason", "actor",
    )  # fmt: skip
    list_filter = ("result", month_of("paid_on"), LevelFilter)
    finance_sees = False
    list_select_related = ("institution", "note", "attempt")
    sortable_by = ()
    search_by = (of_note(),)
    search_help_text = _("借据号的开头")
