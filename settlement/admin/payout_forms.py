"""Steps of pay-outs: batched, sent or refused by a second person, answered by the payment system."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.access import own_scope
from config.kernel.admin.sections import Section, list_address, numbers, texts
from loans.admin.base import in_yuan, yuan
from loans.admin.fields import DayField, ReasonField
from loans.admin.files import TableField, on_disk, problem_table
from loans.admin.steps import AnswerForm, StepForm
from loans.values.errors import DomainError, bilingual
from settlement.models import PayoutAttempt, PayoutBatch
from settlement.services.payout_batches import check_batch, prepare, refuse_batch
from settlement.services.payout_results import ResultsRefused, take_results

ROWS_SHOWN = 100


def attempts(request: HttpRequest, batch: PayoutBatch) -> Section:
    """Whom a batch pays, to which account, how much, and what became of it."""
    own = PayoutAttempt.objects.filter(batch=batch).select_related("note").order_by("payout_id")
    return Section(
        title=_("拨付明细"),
        columns=[
            *texts(
                _("拨付号"),
                _("第几次"),
                _("借据"),
                _("企业名称"),
                _("收款户名"),
                _("收款账号"),
                _("开户行"),
            ),
            *numbers(in_yuan(_("金额"))),
            *texts(_("状态")),
        ],
        rows=[
            (
                one.payout_id,
                one.attempt,
                one.note.note_number,
                one.enterprise_name,
                one.account_name,
                one.account_number,
                one.bank_name,
                yuan(one.amount_fen),
                one.get_state_display(),
            )
            for one in own[:ROWS_SHOWN]
        ],
        more=list_address("settlement_payoutattempt", batch__id__exact=batch.pk),
    )


class Prepare(StepForm):
    """Put what is due into a batch."""

    title = _("生成拨付批次")
    icon = "add"
    note = _("到期未拨付和上次失败的列入一个批次，由另一人复核后发出；在途的不重复列入。")
    at_field = {"nothing_due": "day"}

    day = DayField(label=_("拨付日"), help_text=_("此日及以前应拨付的"))

    def __init__(self, request: HttpRequest, row: Any = None, data: Any = None) -> None:
        super().__init__(request, row, data)
        self.fields["day"].initial = timezone.localdate()

    def act(self, *, actor: str, at: datetime) -> list[int]:
        """Make the batches, one per bank."""
        day, scope = self.cleaned_data["day"], own_scope(self.request)
        made = prepare(day=day, actor=actor, at=at, scope=scope)
        if not made:
            raise DomainError(
                "nothing_due",
                bilingual(
                    "没有可列入批次的拨付：均已在途、已拨付或未到期",
                    "nothing to batch: all of it is under way, paid or not due",
                ),
            )
        return made

    def told(self, outcome: Any) -> str:
        """Which batches."""
        numbers_made = "、".join(f"#{key}" for key in outcome)
        return gettext("已生成批次 %(numbers)s，待他人复核") % {"numbers": numbers_made}

    def leads_to(self, outcome: Any) -> str:
        """The first of them."""
        return reverse("admin:settlement_payoutbatch_change", args=[outcome[0]])


class OfBatch(AnswerForm):
    """A step by which the second person answers for a batch."""

    def sections(self) -> list[Section]:
        """Before and after, and whom it pays."""
        batch: PayoutBatch = self.row
        sent, waiting = PayoutBatch.State.SENT.label, batch.get_state_display()
        changes = Section(
            title=_("复核前后"),
            columns=texts(_("要素"), _("复核前"), _("复核后")),
            rows=[
                (_("状态"), waiting, sent),
                (in_yuan(_("发出金额")), yuan(0), yuan(batch.amount_fen)),
                (_("发出笔数"), 0, f"{batch.count:,}"),
            ],
        )
        shown = attempts(self.request, batch)
        return [changes, shown] if batch.checked_by is None else [shown]


class SendBatch(OfBatch):
    """It goes out."""

    title = _("复核并发出")
    icon = "check"
    note = _("发出后可下载拨付文件交支付系统。不能复核本人生成的批次。")
    done = _("已发出，可下载拨付文件")

    def act(self, *, actor: str, at: datetime) -> None:
        """Send it."""
        check_batch(batch_id=self.row.pk, actor=actor, at=at)


class RefuseBatch(OfBatch):
    """It does not."""

    title = _("退回批次")
    icon = "undo"
    note = _("退回后各笔拨付可列入下一批次。")
    done = _("批次已退回")

    why = ReasonField()

    def sections(self) -> list[Section]:
        """Whom it would have paid."""
        return [attempts(self.request, self.row)]

    def act(self, *, actor: str, at: datetime) -> None:
        """Refuse it."""
        why = self.cleaned_data["why"]
        refuse_batch(batch_id=self.row.pk, actor=actor, at=at, comment=why)


class TakeResults(StepForm):
    """What the payment system answered."""

    title = _("上传拨付结果")
    button = _("上传")
    icon = "upload_file"
    note = _("按拨付号和第几次逐笔核对；有一处错误则整个文件不保存。结果登记后不再变动。")
    at_field = {"results_known": "file"}

    file = TableField()

    def __init__(self, request: HttpRequest, row: Any = None, data: Any = None) -> None:
        super().__init__(request, row, data)
        self.problems: list[Any] = []

    def sections(self) -> list[Section]:
        """What is wrong with the file that was just sent."""
        return [problem_table(self.problems)] if self.problems else []

    def refuse(self, refusal: DomainError) -> None:
        """How many problems there are at the field; each of them above."""
        if isinstance(refusal, ResultsRefused):
            self.problems = list(refusal.problems)
            told = gettext("文件有 %(count)d 处错误，未保存任何数据，请更正后重新上传")
            self.add_error("file", told % {"count": len(self.problems)})
            return
        super().refuse(refusal)

    def act(self, *, actor: str, at: datetime) -> Any:
        """Take the file in."""
        with on_disk(self.cleaned_data["file"]) as path:
            taken = take_results(path=path, actor=actor, at=at, scope=own_scope(self.request))
        if not taken.inserted:
            raise DomainError(
                "results_known",
                bilingual(
                    f"文件的 {taken.rows} 行结果此前均已登记，未重复登记",
                    f"all {taken.rows} results are known already: nothing was entered again",
                ),
            )
        return taken

    def told(self, outcome: Any) -> str:
        """How many rows, and of them how many are new."""
        text = gettext("已登记结果 %(new)d 笔（文件 %(rows)d 行）")
        return text % {"new": outcome.inserted, "rows": outcome.rows}
