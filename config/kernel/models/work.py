"""Runs of long work and the chunks they are cut into."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Run(models.Model):
    """One order of long work: who asked for what, and what came of it.

    `scope_*`: the range of institutions whose staff see it, and beyond which it may not reach.
    """

    class State(models.TextChoices):
        OPEN = "open", _("进行中")
        DONE = "done", _("已完成")
        FAILED = "failed", _("失败")

    kind = models.CharField(_("任务类型"), max_length=40)
    state = models.CharField(_("状态"), max_length=10, choices=State.choices, default=State.OPEN)
    params = models.JSONField(_("参数"), default=dict)
    actor = models.CharField(_("发起人"), max_length=150)
    created_at = models.DateTimeField(_("发起时间"))
    finished_at = models.DateTimeField(_("完成时间"), null=True, blank=True)
    stats = models.JSONField(_("统计"), null=True, blank=True)
    scope_lo = models.BigIntegerField(
        _("机构范围起"),
        null=True,
        blank=True,
        help_text=_("空 = 全部机构的任务 / blank = work of the whole installation"),
    )
    scope_hi = models.BigIntegerField(_("机构范围止"), null=True, blank=True)
    result_name = models.CharField(
        _("结果文件"), max_length=200, blank=True, default="", db_default=""
    )
    result_sha256 = models.CharField(
        _("结果摘要"), max_length=64, blank=True, default="", db_default=""
    )
    error = models.TextField(_("错误"), blank=True, default="", db_default="")

    class Meta:
        verbose_name = _("任务")
        verbose_name_plural = _("任务")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="run_state_known", condition=models.Q(state__in=["open", "done", "failed"])
            ),
            models.CheckConstraint(
                name="run_scope_whole",
                condition=models.Q(scope_lo__isnull=True, scope_hi__isnull=True)
                | models.Q(scope_lo__isnull=False, scope_hi__gte=models.F("scope_lo")),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class Chunk(models.Model):
    """A piece of a run that one worker does in one transaction."""

    class State(models.TextChoices):
        TODO = "todo", _("待处理")
        DONE = "done", _("已完成")
        FAILED = "failed", _("失败")

    run = models.ForeignKey(Run, models.PROTECT, verbose_name=_("任务"), related_name="chunks")
    ordinal = models.IntegerField(_("序号"))
    payload = models.JSONField(_("内容"), default=dict)
    state = models.CharField(_("状态"), max_length=10, choices=State.choices, default=State.TODO)
    attempts = models.IntegerField(_("尝试次数"), default=0)
    lease_owner = models.CharField(_("处理者"), max_length=200, blank=True, default="")
    lease_until = models.DateTimeField(_("处理期限"), null=True, blank=True)
    stats = models.JSONField(_("统计"), null=True, blank=True)
    error = models.TextField(_("错误"), blank=True, default="")
    rows_done = models.BigIntegerField(
        _("已处理行数"),
        default=0,
        db_default=0,
        help_text=_("本次尝试 / of the attempt under way"),
    )

    class Meta:
        verbose_name = _("任务分段")
        verbose_name_plural = _("任务分段")
        ordering = ["run", "ordinal"]
        constraints = [
            models.UniqueConstraint(name="chunk_once_per_run", fields=["run", "ordinal"]),
            models.CheckConstraint(
                name="chunk_state_known", condition=models.Q(state__in=["todo", "done", "failed"])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.run_id}/{self.ordinal}"
