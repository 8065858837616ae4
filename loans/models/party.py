"""Enterprises, their dated attributes and titles, and projects: one registry for all banks."""

from datetime import date

from django.db import models
from django.utils.translation import gettext_lazy as _

from config.kernel.models import tracked
from loans.models import fields
from loans.models.choices import EnvironmentRating, Ownership, Size, TaxRating, Title

ALWAYS = date(1, 1, 1)  # the first record of an enterprise is in force from the beginning of time


class Enterprise(models.Model):
    """An enterprise's identity. Attributes are dated and live in `EnterpriseRecord`.

    `facts_version` counts changes to anything the enterprise's subsidies depend on; its row is also
    what runs lock.
    """

    uscc = models.CharField(_("统一社会信用代码"), max_length=18, unique=True)
    facts_version = models.BigIntegerField(_("事实版本"), default=1, editable=False)

    class Meta:
        verbose_name = _("企业")
        verbose_name_plural = _("企业")
        ordering = ["uscc"]

    def __str__(self) -> str:
        return self.uscc


@tracked()
class EnterpriseRecord(models.Model):
    """What is known of an enterprise from a day on, until the next record."""

    enterprise = models.ForeignKey(
        Enterprise, models.PROTECT, verbose_name=_("企业"), related_name="records", db_index=False
    )
    valid_from = models.DateField(_("生效日期"), default=ALWAYS)
    name = models.CharField(_("企业名称"), max_length=200)
    region_code = models.CharField(_("登记地行政区划代码"), max_length=6)
    industry_code = models.CharField(
        _("国民经济行业代码"), max_length=6, help_text=_("GB/T 4754-2017，如 C3512")
    )
    size = models.CharField(_("企业规模"), max_length=10, choices=Size.choices)
    ownership = models.CharField(_("所有制"), max_length=10, choices=Ownership.choices)
    environment_rating = models.CharField(
        _("环保信用评价"),
        max_length=10,
        choices=EnvironmentRating.choices,
        blank=True,
        default="",
    )
    tax_rating = models.CharField(
        _("纳税信用等级"), max_length=1, choices=TaxRating.choices, blank=True, default=""
    )
    dishonest = models.BooleanField(_("失信被执行人"), default=False)
    batch = fields.batch()

    class Meta:
        verbose_name = _("企业信息")
        verbose_name_plural = _("企业信息")
        ordering = ["enterprise", "valid_from"]
        indexes = [
            models.Index(name="enterprise_record_name", fields=["name"]),
        ]
        constraints = [
            models.UniqueConstraint(
                name="enterprise_record_once_per_day", fields=["enterprise", "valid_from"]
            ),
            fields.one_of("enterprise_record_size_known", "size", Size),
            fields.one_of("enterprise_record_ownership_known", "ownership", Ownership),
            fields.one_of(
                "enterprise_record_environment_known",
                "environment_rating",
                EnvironmentRating,
                blank=True,
            ),
            fields.one_of("enterprise_record_tax_known", "tax_rating", TaxRating, blank=True),
        ]

    def __str__(self) -> str:
        return self.name


@tracked()
class UsccConfirmation(models.Model):
    """A credit code that fails its check character but is real, confirmed with a reason.

    One that a second person refused has `refused_why`; confirming it anew begins again. Who confirmed it
    and why is its institution's and those above; that it is confirmed holds for everybody.
    """

    institution = models.ForeignKey(
        "kernel.Institution",
        models.PROTECT,
        verbose_name=_("机构"),
        null=True,
        blank=True,
        related_name="+",
    )
    uscc = models.CharField(_("统一社会信用代码"), max_length=18)
    reason = models.CharField(_("原因"), max_length=500)
    made_by = models.CharField(_("经办"), max_length=150)
    checked_by = models.CharField(_("复核"), max_length=150, null=True, blank=True)
    checked_at = models.DateTimeField(_("复核时间"), null=True, blank=True)
    at = models.DateTimeField(_("时间"))
    refused_by = models.CharField(_("退回人"), max_length=150, null=True, blank=True)
    refused_at = models.DateTimeField(_("退回时间"), null=True, blank=True)
    refused_why = models.CharField(
        _("退回原因"), max_length=500, blank=True, default="", db_default=""
    )

    class Meta:
        verbose_name = _("信用代码确认")
        verbose_name_plural = _("信用代码确认")
        ordering = ["uscc"]
        constraints = [
            models.UniqueConstraint(
                name="uscc_confirmation_once",
                fields=["uscc", "institution"],
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                name="uscc_confirmation_checked_by_another",
                condition=models.Q(checked_by__isnull=True)
                | ~models.Q(checked_by=models.F("made_by")),
            ),
            models.CheckConstraint(
                name="uscc_confirmation_refused_by_another_for_a_reason",
                condition=models.Q(refused_by__isnull=True, refused_why="")
                | (
                    models.Q(refused_by__isnull=False, checked_by__isnull=True)
                    & ~models.Q(refused_why="")
                    & ~models.Q(refused_by=models.F("made_by"))
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.uscc


@tracked()
class EnterpriseTitle(models.Model):
    """A title that opens a policy, both days included."""

    enterprise = models.ForeignKey(
        Enterprise, models.PROTECT, verbose_name=_("企业"), related_name="titles", db_index=False
    )
    title = models.CharField(_("称号"), max_length=20, choices=Title.choices)
    valid_from = models.DateField(_("有效期起"))
    valid_to = models.DateField(_("有效期止"), help_text=_("含当日 / last valid day"))
    batch = fields.batch()

    class Meta:
        verbose_name = _("企业称号")
        verbose_name_plural = _("企业称号")
        ordering = ["enterprise", "title", "valid_from"]
        constraints = [
            models.UniqueConstraint(
                name="enterprise_title_once_per_start", fields=["enterprise", "title", "valid_from"]
            ),
            fields.not_before("enterprise_title_ends_after_start", "valid_from", "valid_to"),
            fields.one_of("enterprise_title_known", "title", Title),
        ]

    def __str__(self) -> str:
        return f"{self.enterprise} {self.get_title_display()}"


@tracked()
class Project(models.Model):
    """A project: its code, whoever finances it."""

    project_code = models.CharField(_("项目代码"), max_length=100, unique=True)
    enterprise = models.ForeignKey(
        Enterprise, models.PROTECT, verbose_name=_("企业"), related_name="projects"
    )
    name = models.CharField(_("项目名称"), max_length=200)
    region_code = models.CharField(_("项目归属地"), max_length=6)
    batch = fields.batch()

    class Meta:
        verbose_name = _("项目")
        verbose_name_plural = _("项目")
        ordering = ["project_code"]
        indexes = [
            models.Index(name="project_name", fields=["name"]),
        ]

    def __str__(self) -> str:
        return f"{self.project_code} {self.name}"
