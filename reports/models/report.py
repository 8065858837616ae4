"""A report's life: generated, checked, submitted, accepted or returned, superseded by the next.

What it says never changes: the database lets nothing move but its state and the people of each step.
"""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from config.kernel.models import Checked, checked_by_another
from reports.models.names import report_name

UNTOLD = ("generated", "checked")  # finance has not seen it
TOLD = ("submitted", "accepted")  # finance has it
SETTLED = ("returned", "superseded")  # no longer stands


def _institution() -> "models.ForeignKey[Any, Any]":
    return models.ForeignKey(
        "kernel.Institution",
        models.PROTECT,
        verbose_name=_("报送机构"),
        related_name="+",
        db_index=False,
    )


def _person(name: Any) -> "models.CharField[Any, Any]":
    return models.CharField(name, max_length=150, null=True, blank=True)


def _moment(name: Any) -> "models.DateTimeField[Any, Any]":
    return models.DateTimeField(name, null=True, blank=True)


class Report(Checked):
    """One version of one report: code × institution × scheme (or all) × period.

    `content_sha256` is of its CSV, which holds the figures and nothing else, so that two versions say
    the same if it is the same. `ledger_*` and `facts_position` are the cut: everything up to there,
    and nothing after, is in it. `tables` and `schemes` are empty in versions made before they were kept.
    """

    class State(models.TextChoices):
        GENERATED = "generated", _("已生成")
        CHECKED = "checked", _("已复核")
        SUBMITTED = "submitted", _("已报送")
        ACCEPTED = "accepted", _("已受理")
        RETURNED = "returned", _("已退回")
        SUPERSEDED = "superseded", _("已替换")

    institution = _institution()
    code = models.CharField(_("报表"), max_length=40)
    scheme_code = models.CharField(
        _("贴息政策"), max_length=60, blank=True, default="", help_text=_("空 = 全部 / blank = all")
    )
    period = models.CharField(_("报告期"), max_length=7)
    version = models.SmallIntegerField(_("版次"), help_text=_("从 1 起 / counted from 1"))
    state = models.CharField(_("状态"), max_length=10, choices=State.choices, default="generated")
    corrects = models.ForeignKey(
        "self",
        models.PROTECT,
        verbose_name=_("更正的报表"),
        related_name="corrections",
        null=True,
        blank=True,
        help_text=_("已报送过的前一版 / the version that was submitted before"),
    )
    growth_ppm = models.BigIntegerField(
        _("新增放款增长率"),
        null=True,
        blank=True,
        help_text=_("百万分之一；空 = 未申报 / parts per million; blank = none stated"),
    )
    content_sha256 = models.CharField(_("内容摘要"), max_length=64)
    totals = models.JSONField(_("合计"), help_text=_("分 / fen"))
    ties = models.JSONField(_("勾稽"), help_text=_("分 / fen"))
    tables = models.JSONField(
        _("各表"), default=list, help_text=_("表名、各列和行数 / titles, columns and row counts")
    )
    schemes = ArrayField(
        models.CharField(max_length=60),
        verbose_name=_("所含政策"),
        default=list,
        help_text=_("报表写明的各项政策 / the policies it speaks of"),
    )
    ledger_entry = models.BigIntegerField(
        _("截至分录"), help_text=_("含该编号，0 = 无 / this entry included, 0 = none")
    )
    ledger_entries = models.BigIntegerField(_("分录数"))
    ledger_chain = models.CharField(_("分录链"), max_length=64, help_text="sha256")
    facts_position = models.BigIntegerField(
        _("截至导入批次"), help_text=_("含该批次，0 = 无 / this batch included, 0 = none")
    )
    terms_key = models.CharField(_("政策版本"), max_length=200)
    submitted_by = _person(_("报送人"))
    submitted_at = _moment(_("报送时间"))
    answered_by = _person(_("回复录入"))
    answered_at = _moment(_("回复录入时间"))
    document_number = models.CharField(
        _("受理文号"), max_length=100, blank=True, default="", db_default=""
    )
    returned_why = models.CharField(
        _("退回原因"), max_length=500, blank=True, default="", db_default=""
    )
    superseded_at = _moment(_("替换时间"))

    class Meta:
        verbose_name = _("报表")
        verbose_name_plural = _("报表")
        ordering = ["-id"]
        constraints = [
            checked_by_another("report_checked_by_another"),
            models.CheckConstraint(
                name="report_state_known",
                condition=Q(state__in=[*UNTOLD, *TOLD, *SETTLED]),
            ),
            models.CheckConstraint(
                name="report_state_has_its_people",
                condition=Q(state__in=["generated", "superseded"])
                | Q(state="checked", checked_by__isnull=False)
                | Q(state="submitted", checked_by__isnull=False, submitted_by__isnull=False)
                | Q(state="accepted", submitted_by__isnull=False, answered_by__isnull=False)
                | Q(state="returned", answered_by__isnull=False),
            ),
            models.CheckConstraint(
                name="report_submitted_once_checked",
                condition=Q(submitted_by__isnull=True) | Q(checked_by__isnull=False),
            ),
            models.CheckConstraint(
                name="report_returned_for_a_reason",
                condition=~Q(state="returned") | ~Q(returned_why=""),
            ),
            models.CheckConstraint(
                name="report_corrects_an_earlier_one",
                condition=Q(corrects__isnull=True) | Q(corrects__lt=F("id")),
            ),
            models.UniqueConstraint(
                name="report_version_once",
                fields=["institution", "code", "period", "scheme_code", "version"],
            ),
            models.UniqueConstraint(
                name="report_one_untold",
                fields=["institution", "code", "period", "scheme_code"],
                condition=Q(state__in=UNTOLD),
            ),
            models.UniqueConstraint(
                name="report_one_told",
                fields=["institution", "code", "period", "scheme_code"],
                condition=Q(state__in=TOLD),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {report_name(self.code)} {self.period} v{self.version}"


class ReportFile(models.Model):
    """A file of a report, by content: the store finds it by its sha256. Append-only."""

    class Role(models.TextChoices):
        REPORT = "report", _("报表")
        DIFFERENCE = "difference", _("差异报告")

    institution = _institution()
    report = models.ForeignKey(
        Report, models.PROTECT, verbose_name=_("报表"), related_name="files", db_index=False
    )
    role = models.CharField(_("内容"), max_length=10, choices=Role.choices)
    format = models.CharField(_("格式"), max_length=10)
    name = models.CharField(_("文件名"), max_length=200)
    size = models.BigIntegerField(_("字节数"))
    sha256 = models.CharField(_("文件摘要"), max_length=64)

    class Meta:
        verbose_name = _("报表文件")
        verbose_name_plural = _("报表文件")
        ordering = ["report", "id"]
        constraints = [
            models.UniqueConstraint(name="report_file_once", fields=["report", "name"]),
            models.CheckConstraint(
                name="report_file_role_known", condition=Q(role__in=["report", "difference"])
            ),
        ]

    def __str__(self) -> str:
        return self.name
