"""What was subsidised before this system took over, as booked in the funds (contract §3, opening positions)."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class TakenOver(models.Model):
    """A change of what a fund's opening positions of a year add up to; its entry has this source_id.

    Append-only. The rows of a fund and year add up to its opening positions (`opening-positions`).
    """

    institution: "models.ForeignKey[Any, Any]" = models.ForeignKey(
        "kernel.Institution", models.PROTECT, verbose_name=_("资金机构"), related_name="+"
    )
    fund = models.ForeignKey(
        "settlement.Fund",
        models.PROTECT,
        verbose_name=_("资金"),
        related_name="taken_over",
        db_index=False,
    )
    year = models.SmallIntegerField(_("年度"))
    sequence = models.SmallIntegerField(_("序次"), help_text=_("0 = 原始 / 0 = original"))
    amount_fen = models.BigIntegerField(_("金额"), help_text=_("分 / fen"))
    posted_on = models.DateField(_("入账日"))
    actor = models.CharField(_("经办"), max_length=150)

    class Meta:
        verbose_name = _("期初入账")
        verbose_name_plural = _("期初入账")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                name="taken_over_numbered_once", fields=["fund", "year", "sequence"]
            ),
            models.CheckConstraint(name="taken_over_changes", condition=~Q(amount_fen=0)),
        ]

    def __str__(self) -> str:
        return f"{self.fund} {self.year}"
