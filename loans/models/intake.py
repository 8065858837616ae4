"""Files on their way in, accepted files, and accepted files that were taken back."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from config.kernel.models import Institution
from config.kernel.models.checked import Checked, checked_by_another


def _institution() -> "models.ForeignKey[Any, Any]":
    return models.ForeignKey(
        Institution,
        models.PROTECT,
        verbose_name=_("导入机构"),
        related_name="+",
        null=True,
        blank=True,
        help_text=_("空 = 全部机构 / blank = all institutions"),
    )


def _run() -> "models.ForeignKey[Any, Any]":
    return models.ForeignKey(
        "kernel.Run",
        models.PROTECT,
        verbose_name=_("后台任务"),
        related_name="+",
        null=True,
        blank=True,
        db_index=False,
    )


class ImportBatch(models.Model):
    """One accepted file and what it changed; append-only."""

    kind = models.CharField(_("数据类别"), max_length=40)
    file_name = models.CharField(_("文件名"), max_length=255)
    sha256 = models.CharField(_("文件摘要"), max_length=64)
    rows = models.IntegerField(_("行数"))
    inserted = models.IntegerField(_("新增"))
    corrected = models.IntegerField(_("更正"))
    unchanged = models.IntegerField(_("未变"))
    actor = models.CharField(_("导入人"), max_length=150)
    at = models.DateTimeField(_("导入时间"))
    institution = _institution()

    class Meta:
        verbose_name = _("导入批次")
        verbose_name_plural = _("导入批次")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="import_batch_counts_add_up",
                condition=models.Q(
                    rows=models.F("inserted") + models.F("corrected") + models.F("unchanged")
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class FileImport(models.Model):
    """A file on its way in: looked at first, taken in once a person has confirmed what it would do.

    `sha256` names the bytes that were looked at, which are the very ones taken in. Counts, problems
    and differences are those of the last look; `fingerprint` stands for all of its differences, so
    that a confirmation never covers others. Nothing of the facts changes before `done`.
    """

    class State(models.TextChoices):
        CHECKING = "checking", _("检查中")
        READY = "ready", _("待确认")
        REFUSED = "refused", _("有错误")
        IMPORTING = "importing", _("导入中")
        DONE = "done", _("已导入")
        FAILED = "failed", _("失败")
        DROPPED = "dropped", _("已放弃")

    institution = _institution()
    kind = models.CharField(
        _("数据类别"), max_length=40, blank=True, help_text=_("空 = 按表头识别")
    )
    file_name = models.CharField(_("文件名"), max_length=255)
    sha256 = models.CharField(_("文件摘要"), max_length=64)
    size = models.BigIntegerField(_("字节数"))
    encoding = models.CharField(_("编码"), max_length=20, blank=True)
    control_rows = models.IntegerField(_("行数（您填写的）"))
    control_fen = models.BigIntegerField(
        _("金额合计（您填写的）"), null=True, blank=True, help_text=_("分 / fen")
    )
    state = models.CharField(_("状态"), max_length=10, choices=State.choices, default="checking")
    by_worker = models.BooleanField(_("后台处理"), default=False)
    rows = models.IntegerField(_("行数"), null=True, blank=True)
    total_fen = models.BigIntegerField(
        _("金额合计"), null=True, blank=True, help_text=_("分 / fen")
    )
    inserted = models.IntegerField(_("新增"), null=True, blank=True)
    corrected = models.IntegerField(_("更正"), null=True, blank=True)
    unchanged = models.IntegerField(_("未变"), null=True, blank=True)
    refused = models.IntegerField(_("有错的行"), null=True, blank=True)
    problem_count = models.IntegerField(_("错误数"), default=0)
    difference_count = models.IntegerField(_("差异数"), default=0)
    shown_problems = models.JSONField(_("错误"), default=list, blank=True)
    shown_differences = models.JSONField(_("差异"), default=list, blank=True)
    failing_usccs = models.JSONField(_("校验位不符的信用代码"), default=list, blank=True)
    problems_sha256 = models.CharField(_("错误清单摘要"), max_length=64, blank=True)
    differences_sha256 = models.CharField(_("差异清单摘要"), max_length=64, blank=True)
    fingerprint = models.CharField(_("差异指纹"), max_length=64, blank=True)
    told = models.TextField(_("说明"), blank=True)
    made_by = models.CharField(_("上传人"), max_length=150)
    made_at = models.DateTimeField(_("上传时间"))
    confirmed_at = models.DateTimeField(_("确认时间"), null=True, blank=True)
    finished_at = models.DateTimeField(_("完成时间"), null=True, blank=True)
    batch = models.ForeignKey(
        ImportBatch,
        models.PROTECT,
        verbose_name=_("导入批次"),
        related_name="+",
        null=True,
        blank=True,
    )
    run = _run()

    class Meta:
        verbose_name = _("文件导入")
        verbose_name_plural = _("文件导入")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="file_import_state_known",
                condition=Q(
                    state__in=[
                        "checking", "ready", "refused", "importing", "done", "failed", "dropped",
                    ]
                ),
            ),
            models.CheckConstraint(
                name="file_import_controls_fit", condition=Q(control_rows__gte=0)
            ),
            models.CheckConstraint(
                name="file_import_done_was_confirmed",
                condition=~Q(state__in=["importing", "done"]) | Q(confirmed_at__isnull=False),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"#{self.pk} {self.file_name}"


class ImportUndo(Checked):
    """An accepted file to be taken back: asked for by one person, agreed to by another.

    `removed_sha256` names the file of the rows as they were; `counter` is the batch that says that
    they are gone, so that whatever was worked out over the facts knows that these have changed.
    """

    class State(models.TextChoices):
        ASKED = "asked", _("待复核")
        DECLINED = "declined", _("不同意")
        WORKING = "working", _("撤销中")
        DONE = "done", _("已撤销")
        FAILED = "failed", _("未能撤销")

    institution = _institution()
    batch = models.ForeignKey(
        ImportBatch, models.PROTECT, verbose_name=_("导入批次"), related_name="undos"
    )
    reason = models.CharField(_("原因"), max_length=500)
    state = models.CharField(_("状态"), max_length=10, choices=State.choices, default="asked")
    answer = models.CharField(_("复核意见"), max_length=500, blank=True)
    removed = models.IntegerField(_("撤销行数"), null=True, blank=True)
    removed_sha256 = models.CharField(_("撤销内容摘要"), max_length=64, blank=True)
    counter = models.ForeignKey(
        ImportBatch,
        models.PROTECT,
        verbose_name=_("撤销记录批次"),
        related_name="+",
        null=True,
        blank=True,
    )
    error = models.TextField(_("未能撤销的原因"), blank=True)
    run = _run()

    class Meta:
        verbose_name = _("导入撤销")
        verbose_name_plural = _("导入撤销")
        ordering = ["-id"]
        constraints = [
            checked_by_another("import_undo_checked_by_another"),
            models.CheckConstraint(
                name="import_undo_state_known",
                condition=Q(state__in=["asked", "declined", "working", "done", "failed"]),
            ),
            models.CheckConstraint(
                name="import_undo_waits_or_is_checked",
                condition=Q(state="asked", checked_by__isnull=True)
                | (~Q(state="asked") & Q(checked_by__isnull=False)),
            ),
            models.UniqueConstraint(
                name="import_undo_once",
                fields=["batch"],
                condition=Q(state__in=["asked", "working", "done"]),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} → #{self.batch_id}"
