"""Where a special account's statement and the ledger differ, and what people say of it."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from config.kernel.models import Checked, checked_by_another


class ReconciliationDifference(models.Model):
    """A difference as `reconcile` found it; closed once it is no longer found, never changed.

    `key` is the statement line's reference, or the ledger entry's number in the database.
    """

    class Reason(models.TextChoices):
        """What does not agree (`engine.reconciliation.Difference`)."""

        NOT_IN_LEDGER = "not_in_ledger", _("账上没有")
        DOUBLE_LINE = "double_line", _("流水重复")
        NOT_ON_STATEMENT = "not_on_statement", _("流水没有")
        OPENING_BALANCE = "opening_balance", _("期初余额未入账")
        RUNNING_BALANCE = "running_balance", _("余额不连续")

    institution = models.ForeignKey(
        "kernel.Institution", models.PROTECT, verbose_name=_("资金机构"), related_name="+"
    )
    scheme = models.ForeignKey(
        "settlement.Scheme", models.PROTECT, verbose_name=_("贴息政策"), related_name="+"
    )
    tier = models.CharField(_("资金层级"), max_length=20)
    reason = models.CharField(_("差异"), max_length=20, choices=Reason.choices)
    moved_on = models.DateField(_("日期"))
    key = models.CharField(_("流水号或分录"), max_length=100, blank=True)
    amount_fen = models.BigIntegerField(_("金额"), help_text=_("分 / fen"))
    found_at = models.DateTimeField(_("发现时间"))
    closed_at = models.DateTimeField(_("消除时间"), null=True, blank=True)

    class Meta:
        verbose_name = _("对账差异")
        verbose_name_plural = _("对账差异")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                name="difference_open_once",
                fields=[
                    "institution", "scheme", "tier", "reason", "moved_on", "key", "amount_fen",
                ],
                condition=Q(closed_at=None),
            ),
            models.CheckConstraint(
                name="difference_reason_known",
                condition=Q(
                    reason__in=[
                        "not_in_ledger", "double_line", "not_on_statement", "opening_balance",
                        "running_balance",
                    ]
                ),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"#{self.pk}"


class DifferenceExplanation(Checked):
    """Why a difference is no fault, said by one and checked by another; refused ones stay on record."""

    institution = models.ForeignKey(
        "kernel.Institution", models.PROTECT, verbose_name=_("资金机构"), related_name="+"
    )
    difference = models.ForeignKey(
        ReconciliationDifference,
        models.PROTECT,
        verbose_name=_("对账差异"),
        related_name="explanations",
    )
    why = models.CharField(_("说明"), max_length=500)
    refused_why = models.CharField(
        _("退回原因"), max_length=500, blank=True, default="", db_default=""
    )

    class Meta:
        verbose_name = _("差异说明")
        verbose_name_plural = _("差异说明")
        ordering = ["-id"]
        constraints = [
            checked_by_another("explanation_checked_by_another"),
            models.CheckConstraint(name="explanation_says_why", condition=~Q(why="")),
            models.CheckConstraint(
                name="explanation_refused_by_somebody",
                condition=Q(refused_why="") | Q(checked_by__isnull=False),
            ),
            models.UniqueConstraint(
                name="explanation_one_live", fields=["difference"], condition=Q(refused_why="")
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
