"""Money that came in: finance's pre-allocations once checked, and what the bank made good."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from config.kernel.models import Checked, checked_by_another


class Receipt(Checked):
    """A pre-allocation that a second person checked and that is therefore in the ledger."""

    institution = models.ForeignKey(
        "kernel.Institution", models.PROTECT, verbose_name=_("资金机构"), related_name="+"
    )
    pre_allocation = models.OneToOneField(
        "loans.PreAllocation", models.PROTECT, verbose_name=_("预拨资金"), related_name="receipt"
    )

    class Meta:
        verbose_name = _("预拨入账")
        verbose_name_plural = _("预拨入账")
        ordering = ["-id"]
        constraints = [
            checked_by_another("receipt_checked_by_another"),
            models.CheckConstraint(
                name="receipt_is_checked", condition=models.Q(checked_by__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return str(self.pre_allocation)


class ReceiptRefusal(Checked):
    """A pre-allocation that a second person refused: it is never booked; the money is entered anew."""

    institution = models.ForeignKey(
        "kernel.Institution", models.PROTECT, verbose_name=_("资金机构"), related_name="+"
    )
    pre_allocation = models.OneToOneField(
        "loans.PreAllocation", models.PROTECT, verbose_name=_("预拨资金"), related_name="refusal"
    )
    why = models.CharField(_("退回原因"), max_length=500)

    class Meta:
        verbose_name = _("预拨退回")
        verbose_name_plural = _("预拨退回")
        ordering = ["-id"]
        constraints = [
            checked_by_another("receipt_refused_by_another"),
            models.CheckConstraint(
                name="receipt_refused_for_a_reason",
                condition=models.Q(checked_by__isnull=False) & ~models.Q(why=""),
            ),
        ]

    def __str__(self) -> str:
        return str(self.pre_allocation)


class MadeGood(Checked):
    """The bank's own money paid in for what it has to bear; in the ledger once checked.

    One that the checker refused has `refused_why` and never counts.
    """

    institution = models.ForeignKey(
        "kernel.Institution", models.PROTECT, verbose_name=_("资金机构"), related_name="+"
    )
    fund = models.ForeignKey(
        "settlement.Fund",
        models.PROTECT,
        verbose_name=_("资金"),
        related_name="made_good",
    )
    moved_on = models.DateField(_("日期"))
    amount_fen = models.BigIntegerField(_("金额"), help_text=_("分 / fen"))
    reference = models.CharField(_("流水号"), max_length=100)
    refused_why = models.CharField(
        _("退回原因"), max_length=500, blank=True, default="", db_default=""
    )

    class Meta:
        verbose_name = _("银行补足")
        verbose_name_plural = _("银行补足")
        ordering = ["-id"]
        constraints = [
            checked_by_another("made_good_checked_by_another"),
            models.CheckConstraint(
                name="made_good_above_zero", condition=models.Q(amount_fen__gt=0)
            ),
            models.CheckConstraint(
                name="made_good_refused_by_somebody",
                condition=models.Q(refused_why="") | models.Q(checked_by__isnull=False),
            ),
            models.UniqueConstraint(
                name="made_good_once_per_reference",
                fields=["fund", "reference"],
                condition=models.Q(refused_why=""),
            ),
        ]

    def __str__(self) -> str:
        return self.reference
