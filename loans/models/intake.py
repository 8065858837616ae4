"""Accepted files."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from config.kernel.models import Institution


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
    institution = models.ForeignKey(
        Institution,
        models.PROTECT,
        verbose_name=_("导入机构"),
        related_name="+",
        null=True,
        blank=True,
        help_text=_("空 = 全部机构 / blank = all institutions"),
    )

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
        return f"{self.kind} {self.file_name}"
