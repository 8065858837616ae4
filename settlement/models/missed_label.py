"""Notes that would be subsidised if they were labelled (应享未享). Results: found anew at will."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class MissedLabel(models.Model):
    """A note without a scheme's label that would be eligible under it, as of the last search.

    Whoever labels the note, or leaves it as it is, decides; the row only points it out. Amount and
    days are what the judgement would say, after caps and with every other such label counted.
    """

    institution: "models.ForeignKey[Any, Any]" = models.ForeignKey(
        "kernel.Institution", models.PROTECT, verbose_name=_("所属机构"), related_name="+"
    )
    note = models.ForeignKey(
        "loans.Note",
        models.PROTECT,
        verbose_name=_("借据"),
        related_name="missed_labels",
        db_index=False,
    )
    scheme_code = models.CharField(_("贴息政策"), max_length=60)
    eligible_fen = models.BigIntegerField(
        _("可贴息本金"), help_text=_("人民币分，封顶后 / fen of CNY after the principal cap")
    )
    subsidised_from = models.DateField(_("贴息起日"))
    subsidised_until = models.DateField(_("贴息止日"), help_text=_("不含当日 / exclusive"))
    found_at = models.DateTimeField(_("查找时间"))

    class Meta:
        verbose_name = _("应享未享")
        verbose_name_plural = _("应享未享")
        ordering = ["note", "scheme_code"]
        constraints = [
            models.UniqueConstraint(
                name="missed_label_once_per_scheme", fields=["note", "scheme_code"]
            ),
            models.CheckConstraint(
                name="missed_label_is_worth_something", condition=Q(eligible_fen__gt=0)
            ),
        ]

    def __str__(self) -> str:
        return str(self.note)
