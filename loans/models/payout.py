"""Which notes' subsidies are paid out instead of netted from the interest, and to which account (MF-25)."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from config.kernel.models import tracked
from loans.models import fields


@tracked(moves=True)
class PayoutAgreement(models.Model):
    """From a day on, a note's enterprise pays its full interest and has the subsidy paid out.

    A blank scheme stands for all schemes; an agreement for one scheme goes before it. It holds for
    collections of the days `valid_from` to `valid_to`, both included.
    """

    institution = fields.scope()
    note = models.ForeignKey(
        "loans.Note",
        models.PROTECT,
        verbose_name=_("借据"),
        related_name="payout_agreements",
        db_index=False,
    )
    scheme_code = models.CharField(
        _("贴息政策"), max_length=60, blank=True, default="", help_text=_("空 = 全部 / blank = all")
    )
    valid_from = models.DateField(_("生效日期"))
    valid_to = models.DateField(_("终止日期"), null=True, blank=True)
    account_name = models.CharField(_("收款户名"), max_length=200)
    account_number = models.CharField(_("收款账号"), max_length=100)
    bank_name = models.CharField(_("开户行"), max_length=200)
    reason = models.CharField(_("原因"), max_length=500)
    batch = fields.batch()

    class Meta:
        verbose_name = _("直接拨付约定")
        verbose_name_plural = _("直接拨付约定")
        ordering = ["note", "valid_from", "scheme_code"]
        indexes = [
            models.Index(name="payout_agreement_valid_from", fields=["valid_from"]),
            models.Index(name="payout_agreement_account", fields=["account_number"]),
        ]
        constraints = [
            models.UniqueConstraint(
                name="payout_agreement_once_per_day", fields=["note", "scheme_code", "valid_from"]
            ),
            fields.not_before("payout_agreement_ends_after_start", "valid_from", "valid_to"),
        ]

    def __str__(self) -> str:
        return f"{self.note} {self.valid_from}"
