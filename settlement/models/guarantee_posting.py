"""Guarantee-fee subsidies as posted: the original, and numbered differences (D17, D20, ST-21)."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class GuaranteePosting(models.Model):
    """A change of what was paid of one guarantee's fee; its entry is the fund's with this source_id.

    Append-only. Amounts add up to what the guarantee has been paid; negative ones became clawbacks.
    """

    institution: "models.ForeignKey[Any, Any]" = models.ForeignKey(
        "kernel.Institution", models.PROTECT, verbose_name=_("所属机构"), related_name="+"
    )
    note = models.ForeignKey(
        "loans.Note", models.PROTECT, verbose_name=_("借据"), related_name="guarantee_postings"
    )
    guarantee = models.ForeignKey(
        "loans.Guarantee",
        models.PROTECT,
        verbose_name=_("担保"),
        related_name="postings",
        db_index=False,
    )
    scheme = models.ForeignKey(
        "settlement.Scheme",
        models.PROTECT,
        verbose_name=_("贴息政策"),
        related_name="+",
        db_index=False,
    )
    fund = models.ForeignKey(
        "settlement.Fund", models.PROTECT, verbose_name=_("资金"), related_name="guarantee_postings"
    )
    sequence = models.SmallIntegerField(_("序次"), help_text=_("0 = 原始 / 0 = original"))
    amount_fen = models.BigIntegerField(_("入账金额"), help_text=_("分 / fen"))
    month = models.DateField(_("收费月份"), help_text=_("当月第一日 / first day of the month"))
    posted_on = models.DateField(_("入账日"))
    actor = models.CharField(_("经办"), max_length=150)

    class Meta:
        verbose_name = _("担保费补贴入账")
        verbose_name_plural = _("担保费补贴入账")
        ordering = ["-id"]
        indexes = [
            models.Index(name="guarantee_posting_month", fields=["month"]),
        ]
        constraints = [
            models.UniqueConstraint(
                name="guarantee_posting_numbered_once", fields=["guarantee", "scheme", "sequence"]
            ),
            models.CheckConstraint(
                name="guarantee_posting_original_pays",
                condition=Q(sequence=0, amount_fen__gt=0) | (Q(sequence__gt=0) & ~Q(amount_fen=0)),
            ),
            models.CheckConstraint(
                name="guarantee_posting_month_is_a_first_day", condition=Q(month__day=1)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.guarantee} {self.month:%Y-%m} #{self.sequence}"
