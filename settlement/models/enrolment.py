"""What was judged of each label of a note, and of each guarantee. Results: remade at will."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class JudgedStatus(models.TextChoices):
    """Waiting: a fact is missing (D15)."""

    ELIGIBLE = "eligible", _("符合")
    INELIGIBLE = "ineligible", _("不符合")
    WAITING = "waiting", _("待定")


def _institution() -> "models.ForeignKey[Any, Any]":
    return models.ForeignKey(
        "kernel.Institution", models.PROTECT, verbose_name=_("所属机构"), related_name="+"
    )


def _reasons(name: Any) -> "ArrayField[list[str], list[str]]":
    return ArrayField(models.CharField(max_length=40), verbose_name=name, default=list, blank=True)


class Enrolment(models.Model):
    """Is the note subsidised under the scheme, for how much and from when to when?

    An exclusion constraint of the database (migration 0063) holds that no note is eligible under two
    schemes of one exclusive group, so that the days of one loan are not subsidised twice by one duty.
    """

    Status = JudgedStatus

    institution = _institution()
    note = models.ForeignKey(
        "loans.Note",
        models.PROTECT,
        verbose_name=_("借据"),
        related_name="enrolments",
        db_index=False,
    )
    scheme_code = models.CharField(_("贴息政策"), max_length=60)
    position = models.SmallIntegerField(
        _("标签顺序"), help_text=_("从 0 起 / place of the label on the note, from 0")
    )
    status = models.CharField(_("结论"), max_length=10, choices=JudgedStatus.choices)
    reasons = _reasons(_("原因"))
    eligible_fen = models.BigIntegerField(
        _("贴息本金"), help_text=_("人民币分，封顶后 / fen of CNY after the principal cap")
    )
    principal_capped = models.BooleanField(_("已按上限核减"), default=False)
    commitment_fen = models.BigIntegerField(
        _("占用年度资金"), null=True, blank=True, help_text=_("分 / fen")
    )
    subsidised_from = models.DateField(_("贴息起日"), null=True, blank=True)
    subsidised_until = models.DateField(
        _("贴息止日"), null=True, blank=True, help_text=_("不含当日 / exclusive")
    )
    tiers_off = _reasons(_("不贴息层级"))
    lpr_ppm = models.BigIntegerField(
        _("适用LPR"), null=True, blank=True, help_text=_("百万分之一 / parts per million")
    )
    exclusive_group = models.CharField(
        _("互斥组"),
        max_length=60,
        blank=True,
        default="",
        db_default="",
        help_text=_("同组政策一笔借据只享受一项 / of a group one loan has one scheme"),
    )
    version = models.ForeignKey(
        "settlement.SchemeVersion",
        models.PROTECT,
        verbose_name=_("政策版本"),
        related_name="+",
        db_index=False,
    )

    class Meta:
        verbose_name = _("贴息认定")
        verbose_name_plural = _("贴息认定")
        ordering = ["note", "position"]
        constraints = [
            models.UniqueConstraint(
                name="enrolment_once_per_label", fields=["note", "scheme_code"]
            ),
            models.CheckConstraint(
                name="enrolment_status_known", condition=Q(status__in=JudgedStatus.values)
            ),
            models.CheckConstraint(
                name="enrolment_eligible_without_reasons",
                condition=~Q(status="eligible") | Q(reasons=[]),
            ),
            models.CheckConstraint(
                name="enrolment_amount_only_if_eligible",
                condition=Q(status="eligible", eligible_fen__gte=0) | Q(eligible_fen=0),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.note} {self.get_status_display()}"


class GuaranteeSubsidy(models.Model):
    """The guarantee-fee subsidy of one guarantee under one scheme."""

    Status = JudgedStatus

    institution = _institution()
    note = models.ForeignKey(
        "loans.Note", models.PROTECT, verbose_name=_("借据"), related_name="guarantee_subsidies"
    )
    guarantee = models.ForeignKey(
        "loans.Guarantee",
        models.PROTECT,
        verbose_name=_("担保"),
        related_name="subsidies",
        db_index=False,
    )
    scheme_code = models.CharField(_("贴息政策"), max_length=60)
    months = models.SmallIntegerField(_("担保月数"))
    subsidy_fen = models.BigIntegerField(_("担保费补贴"), help_text=_("分 / fen"))
    status = models.CharField(_("结论"), max_length=10, choices=JudgedStatus.choices)
    reasons = _reasons(_("原因"))

    class Meta:
        verbose_name = _("担保费补贴")
        verbose_name_plural = _("担保费补贴")
        ordering = ["note", "guarantee"]
        constraints = [
            models.UniqueConstraint(
                name="guarantee_subsidy_once_per_scheme", fields=["guarantee", "scheme_code"]
            ),
            models.CheckConstraint(
                name="guarantee_subsidy_status_known", condition=Q(status__in=JudgedStatus.values)
            ),
            models.CheckConstraint(
                name="guarantee_subsidy_not_negative",
                condition=Q(subsidy_fen__gte=0, months__gte=0),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.guarantee} {self.get_status_display()}"
