"""How pay-outs are sent: in batches that a second person checks, as attempts with results (MF-25)."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from config.kernel.models import Checked, checked_by_another


def _institution() -> "models.ForeignKey[Any, Any]":
    return models.ForeignKey(
        "kernel.Institution", models.PROTECT, verbose_name=_("所属机构"), related_name="+"
    )


def _note() -> "models.ForeignKey[Any, Any]":
    return models.ForeignKey("loans.Note", models.PROTECT, verbose_name=_("借据"), related_name="+")


def _fen(name: Any) -> "models.BigIntegerField[Any, Any]":
    return models.BigIntegerField(name, help_text=_("分 / fen"))


class PayoutBatch(Checked):
    """Pay-outs sent together for one bank; sent once a second person has checked it, or refused."""

    class State(models.TextChoices):
        PREPARED = "prepared", _("待复核")
        SENT = "sent", _("已复核发出")
        REFUSED = "refused", _("已退回")

    institution = _institution()
    day = models.DateField(_("拨付日"), help_text=_("截至此日应拨付 / due by this day"))
    count = models.IntegerField(_("笔数"))
    amount_fen = _fen(_("金额"))
    state = models.CharField(_("状态"), max_length=10, choices=State.choices, default="prepared")
    comment = models.CharField(_("复核意见"), max_length=500, blank=True, default="", db_default="")

    class Meta:
        verbose_name = _("拨付批次")
        verbose_name_plural = _("拨付批次")
        ordering = ["-id"]
        constraints = [
            checked_by_another("payout_batch_checked_by_another"),
            models.CheckConstraint(
                name="payout_batch_state_known",
                condition=Q(state__in=["prepared", "sent", "refused"]),
            ),
            models.CheckConstraint(
                name="payout_batch_ends_by_two",
                condition=Q(state="prepared", checked_by__isnull=True)
                | (~Q(state="prepared") & Q(checked_by__isnull=False)),
            ),
            models.CheckConstraint(
                name="payout_batch_refused_with_comment",
                condition=~Q(state="refused") | ~Q(comment=""),
            ),
            models.CheckConstraint(
                name="payout_batch_pays", condition=Q(count__gt=0, amount_fen__gt=0)
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class PayoutAttempt(models.Model):
    """One attempt at a pay-out: to which account, as the agreement was when the batch was made.

    Only its state moves; the database keeps one attempt of a pay-out under way or done.
    """

    class State(models.TextChoices):
        PREPARED = "prepared", _("批次待复核")
        SENT = "sent", _("已发出")
        REFUSED = "refused", _("批次已退回")
        FAILED = "failed", _("拨付失败")
        PAID = "paid", _("已拨付")

    institution = _institution()
    note = _note()
    batch = models.ForeignKey(
        PayoutBatch, models.PROTECT, verbose_name=_("拨付批次"), related_name="attempts"
    )
    payout = models.ForeignKey(
        "settlement.Payout",
        models.PROTECT,
        verbose_name=_("直接拨付"),
        related_name="attempts",
        db_index=False,
    )
    attempt = models.SmallIntegerField(_("第几次"))
    amount_fen = _fen(_("金额"))
    account_name = models.CharField(_("收款户名"), max_length=200)
    account_number = models.CharField(_("收款账号"), max_length=100)
    bank_name = models.CharField(_("开户行"), max_length=200)
    enterprise_name = models.CharField(_("企业名称"), max_length=200)
    uscc = models.CharField(_("统一社会信用代码"), max_length=18)
    state = models.CharField(_("状态"), max_length=10, choices=State.choices, default="prepared")

    class Meta:
        verbose_name = _("拨付记录")
        verbose_name_plural = _("拨付记录")
        ordering = ["-id"]
        indexes = [
            models.Index(
                name="payout_attempt_failed", fields=["payout"], condition=Q(state="failed")
            ),
        ]
        constraints = [
            models.UniqueConstraint(name="payout_attempt_once", fields=["payout", "attempt"]),
            models.UniqueConstraint(
                name="payout_attempt_one_live",
                fields=["payout"],
                condition=Q(state__in=["prepared", "sent", "paid"]),
            ),
            models.CheckConstraint(
                name="payout_attempt_state_known",
                condition=Q(state__in=["prepared", "sent", "refused", "failed", "paid"]),
            ),
            models.CheckConstraint(
                name="payout_attempt_pays", condition=Q(attempt__gt=0, amount_fen__gt=0)
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.payout_id}/{self.attempt}"


class PayoutResult(models.Model):
    """What became of an attempt, as the payment system told it; append-only, one per attempt."""

    class Result(models.TextChoices):
        SUCCEEDED = "succeeded", _("成功")
        FAILED = "failed", _("失败")

    institution = _institution()
    note = _note()
    attempt = models.OneToOneField(
        PayoutAttempt, models.PROTECT, verbose_name=_("拨付记录"), related_name="outcome"
    )
    result = models.CharField(_("结果"), max_length=10, choices=Result.choices)
    paid_on = models.DateField(_("拨付日期"))
    reference = models.CharField(_("流水号"), max_length=100)
    amount_fen = _fen(_("金额"))
    reason = models.CharField(_("失败原因"), max_length=500, blank=True, default="", db_default="")
    actor = models.CharField(_("经办"), max_length=150)
    at = models.DateTimeField(_("经办时间"))

    class Meta:
        verbose_name = _("拨付结果")
        verbose_name_plural = _("拨付结果")
        ordering = ["-id"]
        indexes = [
            models.Index(name="payout_result_paid_on", fields=["paid_on"]),
        ]
        constraints = [
            models.CheckConstraint(
                name="payout_result_known", condition=Q(result__in=["succeeded", "failed"])
            ),
            models.CheckConstraint(
                name="payout_result_failed_for_a_reason",
                condition=Q(result="succeeded") | ~Q(reason=""),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.attempt_id} {self.get_result_display()}"
