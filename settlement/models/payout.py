"""Subsidies paid out to the enterprise's account instead of netted from its interest (MF-25)."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


def _fen(name: Any) -> "models.BigIntegerField[Any, Any]":
    return models.BigIntegerField(name, help_text=_("分 / fen"))


class Payout(models.Model):
    """What is to be paid out of one posted deduction: its money less what was offset against debts.

    Append-only, made in the transaction of the posting; the account is the agreement's.
    """

    institution: "models.ForeignKey[Any, Any]" = models.ForeignKey(
        "kernel.Institution", models.PROTECT, verbose_name=_("所属机构"), related_name="+"
    )
    note = models.ForeignKey(
        "loans.Note", models.PROTECT, verbose_name=_("借据"), related_name="payouts"
    )
    collection = models.ForeignKey(
        "loans.InterestCollection",
        models.DO_NOTHING,
        verbose_name=_("收息"),
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    scheme = models.ForeignKey(
        "settlement.Scheme",
        models.PROTECT,
        verbose_name=_("贴息政策"),
        related_name="+",
        db_index=False,
    )
    sequence = models.SmallIntegerField(_("序次"), help_text=_("0 = 原始 / 0 = original"))
    agreement = models.ForeignKey(
        "loans.PayoutAgreement",
        models.PROTECT,
        verbose_name=_("直接拨付约定"),
        related_name="+",
        db_index=False,
    )
    due_on = models.DateField(
        _("应拨付日"),
        db_index=True,
        help_text=_("收息日；差额为入账日 / day of collection, of posting for a difference"),
    )
    central_fen = _fen(_("中央贴息"))
    provincial_fen = _fen(_("省级贴息"))
    municipal_fen = _fen(_("市级贴息"))
    offset_fen = _fen(_("已抵扣追回"))

    class Meta:
        verbose_name = _("直接拨付")
        verbose_name_plural = _("直接拨付")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                name="payout_once_per_deduction", fields=["collection", "scheme", "sequence"]
            ),
            models.CheckConstraint(
                name="payout_pays",
                condition=Q(
                    central_fen__gte=0,
                    provincial_fen__gte=0,
                    municipal_fen__gte=0,
                    offset_fen__gte=0,
                )
                & (Q(central_fen__gt=0) | Q(provincial_fen__gt=0) | Q(municipal_fen__gt=0)),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    @property
    def amount_fen(self) -> int:
        """What is paid out, all tiers."""
        return int(self.central_fen + self.provincial_fen + self.municipal_fen)
