"""Guarantee compensation (代偿): what a guarantor was called upon for (ST-09, ST-10)."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from loans.models import fields


class Compensation(models.Model):
    """Unpaid principal of a guaranteed note that was compensated; a negative amount reverses a row.

    Evidence: append-only. Who bears what of it is computed, see `settlement.engine.compensation`.
    """

    institution = fields.scope()
    origin = fields.origin()
    note = fields.note()
    guarantee = models.ForeignKey(
        "loans.Guarantee", models.PROTECT, verbose_name=_("担保"), related_name="compensations"
    )
    paid_on = models.DateField(_("代偿日期"))
    unpaid_principal_fen = fields.money(_("未清偿本金"))
    reference = models.CharField(_("流水号"), max_length=100)
    batch = fields.batch()

    class Meta:
        verbose_name = _("代偿")
        verbose_name_plural = _("代偿")
        ordering = ["guarantee", "paid_on", "id"]
        constraints = [
            models.UniqueConstraint(
                name="compensation_reference_once_per_institution", fields=["origin", "reference"]
            ),
            fields.at_most(
                "compensation_amount_bounded",
                "unpaid_principal_fen",
                fields.AMOUNT_MAX_FEN,
                -fields.AMOUNT_MAX_FEN,
            ),
        ]

    def __str__(self) -> str:
        return self.reference
