"""Posted deductions, and up to which facts they are posted."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


def _fen(name: Any, *, raw: bool = False) -> "models.BigIntegerField[int, int]":
    unit = (
        _("分，限额前 / fen before caps") if raw else _("分，本次差额 / fen, this posting's change")
    )
    return models.BigIntegerField(name, help_text=unit)


def _unchecked(model: str, name: Any) -> "models.ForeignKey[Any, Any]":
    """A foreign key the database does not check: bulk rows are checked as a set before writing."""
    return models.ForeignKey(
        model,
        models.DO_NOTHING,
        verbose_name=name,
        related_name="deductions",
        db_constraint=False,
        db_index=False,
    )


class Deduction(models.Model):
    """One posting for one collection under one scheme: the original or a numbered difference.

    Money columns are this posting's change; `days`, `product`, `raw_*` and `cut_reasons` are the state
    after it. Net = sum of the changes with the last row's state. Partitioned by month:
    `settlement_deduction_id(collection_id)` gives the id, in the month of the collection.
    """

    id = models.BigIntegerField(_("序号"), primary_key=True, editable=False)
    run = _unchecked("kernel.Run", _("任务"))
    institution = _unchecked("kernel.Institution", _("所属机构"))
    fund_institution_id = models.BigIntegerField(
        _("资金机构"),
        default=0,
        db_default=0,
        help_text=_(
            "其资金账承担本笔，借据划转后不变 / whose ledger bore it; stays when the note moves"
        ),
    )
    note = _unchecked("loans.Note", _("借据"))
    collection = _unchecked("loans.InterestCollection", _("收息"))
    version = _unchecked("settlement.SchemeVersion", _("政策版本"))
    product = models.BigIntegerField(_("积数"), help_text=_("分·日 / fen-days"))
    raw_central_fen = _fen(_("应贴中央"), raw=True)
    raw_provincial_fen = _fen(_("应贴省级"), raw=True)
    raw_municipal_fen = _fen(_("应贴市级"), raw=True)
    central_fen = _fen(_("中央贴息"))
    provincial_fen = _fen(_("省级贴息"))
    municipal_fen = _fen(_("市级贴息"))
    collected_on = models.DateField(_("收息日"))
    posted_on = models.DateField(_("入账日"))
    days = models.IntegerField(_("贴息天数"), help_text=_("天 / days with a base above zero"))
    scheme = _unchecked("settlement.Scheme", _("贴息政策"))
    sequence = models.SmallIntegerField(_("序次"), help_text=_("0 = 原始 / 0 = original"))
    cut_reasons = models.SmallIntegerField(_("核减原因"), help_text=_("位掩码 / bit mask"))
    why = models.CharField(_("说明"), max_length=200, blank=True, default="", db_default="")

    class Meta:
        verbose_name = _("代付贴息")
        verbose_name_plural = _("代付贴息")
        indexes = [
            models.Index(name="settlement_deduction_note", fields=["note"]),
            models.Index(name="deduction_institution", fields=["institution"]),
            models.Index(name="deduction_scheme", fields=["scheme", "id"]),
            models.Index(name="deduction_cut", fields=["id"], condition=Q(cut_reasons__gt=0)),
            models.Index(name="deduction_difference", fields=["id"], condition=Q(sequence__gt=0)),
        ]
        constraints = [
            models.CheckConstraint(
                name="deduction_state_not_negative",
                condition=Q(sequence__gte=0, days__gte=0, product__gte=0, cut_reasons__gte=0),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.note} {self.collected_on} #{self.sequence}"


class MonthlySubsidy(models.Model):
    """What one statement's deductions add to an institution's subsidies of a month, by scheme and tier.

    Written by the database with the deductions themselves (migration 0030), so that a month is added up
    from few rows; a note that moves takes its amounts with it in a pair of further rows. Append-only.
    """

    institution = models.ForeignKey(
        "kernel.Institution",
        models.DO_NOTHING,
        verbose_name=_("所属机构"),
        related_name="+",
        db_constraint=False,
    )
    scheme = models.ForeignKey(
        "settlement.Scheme",
        models.DO_NOTHING,
        verbose_name=_("贴息政策"),
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    month = models.DateField(_("收息月份"), help_text=_("当月第一日 / first day of the month"))
    central_fen = _fen(_("中央贴息"))
    provincial_fen = _fen(_("省级贴息"))
    municipal_fen = _fen(_("市级贴息"))

    class Meta:
        verbose_name = _("各月贴息")
        verbose_name_plural = _("各月贴息")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="monthly_subsidy_month_is_a_first_day", condition=Q(month__day=1)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.institution_id}/{self.scheme_id} {self.month:%Y-%m}"


class EnterprisePosting(models.Model):
    """Up to which facts, terms and day are the enterprise's posted deductions its target?

    But for what findings block (`BlockedSubsidy`).
    """

    enterprise = models.OneToOneField(
        "loans.Enterprise",
        models.PROTECT,
        verbose_name=_("企业"),
        related_name="posting",
        primary_key=True,
    )
    facts_version = models.BigIntegerField(_("事实版本"))
    through = models.DateField(_("截至收息日"))
    terms_key = models.TextField(_("条款标识"))

    class Meta:
        verbose_name = _("企业入账进度")
        verbose_name_plural = _("企业入账进度")

    def __str__(self) -> str:
        return f"{self.enterprise_id} {self.through}"


class BlockedSubsidy(models.Model):
    """A note under a scheme that findings block (F5), and what the last run left out of it.

    Written with what the run brings up to date, so that it says as of which findings that is.
    """

    institution: "models.ForeignKey[Any, Any]" = models.ForeignKey(
        "kernel.Institution", models.PROTECT, verbose_name=_("所属机构"), related_name="+"
    )
    note = models.ForeignKey(
        "loans.Note", models.PROTECT, verbose_name=_("借据"), related_name="+", db_index=False
    )
    enterprise = models.ForeignKey(
        "loans.Enterprise", models.PROTECT, verbose_name=_("企业"), related_name="+"
    )
    scheme = models.ForeignKey(
        "settlement.Scheme",
        models.PROTECT,
        verbose_name=_("贴息政策"),
        related_name="+",
        db_index=False,
    )
    collections = models.IntegerField(_("收息笔数"))
    central_fen = models.BigIntegerField(_("中央贴息"), help_text=_("分 / fen"))
    provincial_fen = models.BigIntegerField(_("省级贴息"), help_text=_("分 / fen"))
    municipal_fen = models.BigIntegerField(_("市级贴息"), help_text=_("分 / fen"))

    class Meta:
        verbose_name = _("暂停的贴息")
        verbose_name_plural = _("暂停的贴息")
        ordering = ["note", "scheme"]
        constraints = [
            models.UniqueConstraint(name="blocked_once_per_scheme", fields=["note", "scheme"]),
        ]

    def __str__(self) -> str:
        return str(self.note)
