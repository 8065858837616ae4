"""Jobs: the runs by which reports and exports are made."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from config.kernel.models import Run

JOB_KINDS = ("report", "export")


class _Jobs(models.Manager["Job"]):
    """Runs of these kinds alone."""

    def get_queryset(self) -> "models.QuerySet[Job]":
        return super().get_queryset().filter(kind__in=JOB_KINDS)


class Job(Run):
    """A run that somebody waits for, with a file at its end; the table is the runs'."""

    objects: ClassVar[_Jobs] = _Jobs()

    class Meta:
        proxy = True
        verbose_name = _("报表与导出任务")
        verbose_name_plural = _("报表与导出任务")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"#{self.pk}"
