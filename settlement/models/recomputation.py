"""Recomputations: tried by one person's order, posted by another's; and the jobs that do such work."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from config.kernel.models import Checked, Run, checked_by_another

PLAN, RESULTS, TRIAL, POST = "plan", "results", "trial", "post"
JOB_KINDS = (PLAN, RESULTS, TRIAL, POST)  # of runs


class Recomputation(Checked):
    """What late facts would change of an institution's deductions, and whether that was posted (D20).

    `trial` is what a trial run found, for a second person to look at; `digest` says of which facts and
    terms. What is posted is the target of the facts there are then, or nothing if they have changed.
    """

    class State(models.TextChoices):
        TRYING = "trying", _("试算中")
        READY = "ready", _("待复核")
        NOTHING = "nothing", _("无需入账")
        RELEASED = "released", _("已复核，入账中")
        POSTED = "posted", _("已入账")
        REFUSED = "refused", _("已退回")
        LAPSED = "lapsed", _("已失效")

    institution = models.ForeignKey(
        "kernel.Institution", models.PROTECT, verbose_name=_("机构"), related_name="+"
    )
    through = models.DateField(_("收息截至"))
    state = models.CharField(_("状态"), max_length=10, choices=State.choices, default=State.TRYING)
    trial = models.JSONField(_("试算结果"), null=True, blank=True)
    digest = models.CharField(_("事实摘要"), max_length=64, blank=True, default="", db_default="")
    run_id = models.BigIntegerField(_("入账任务"), null=True, blank=True)
    why = models.CharField(_("说明"), max_length=500, blank=True, default="", db_default="")
    withdrawn_by = models.CharField(_("撤回人"), max_length=150, null=True, blank=True)
    withdrawn_at = models.DateTimeField(_("撤回时间"), null=True, blank=True)

    class Meta:
        verbose_name = _("重算入账")
        verbose_name_plural = _("重算入账")
        ordering = ["-id"]
        constraints = [
            checked_by_another("recomputation_checked_by_another"),
            models.CheckConstraint(
                name="recomputation_state_has_its_people",
                condition=Q(state__in=["trying", "ready", "nothing"], checked_by__isnull=True)
                | Q(state__in=["released", "posted"], checked_by__isnull=False)
                | (Q(state="refused", checked_by__isnull=False) & ~Q(why=""))
                | (Q(state="lapsed") & ~Q(why="")),
            ),
            models.CheckConstraint(
                name="recomputation_withdrawn_by_its_maker",
                condition=Q(withdrawn_by__isnull=True, withdrawn_at__isnull=True)
                | Q(withdrawn_by=F("made_by"), withdrawn_at__isnull=False, state="lapsed"),
            ),
            models.UniqueConstraint(
                name="recomputation_one_open",
                fields=["institution"],
                condition=Q(state__in=["trying", "ready", "released"]),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class _MoneyJobs(models.Manager["MoneyJob"]):
    """Runs of these kinds alone."""

    def get_queryset(self) -> "models.QuerySet[MoneyJob]":
        return super().get_queryset().filter(kind__in=JOB_KINDS)


class MoneyJob(Run):
    """A run that plans, takes results in or recomputes, ordered in the admin; the table is the runs'."""

    objects: ClassVar[_MoneyJobs] = _MoneyJobs()

    class Meta:
        proxy = True
        verbose_name = _("资金任务")
        verbose_name_plural = _("资金任务")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"#{self.pk}"
