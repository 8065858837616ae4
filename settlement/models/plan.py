"""What is to be deducted on an interest day, and the money set aside for it (domain §5, MF-23)."""

from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from config.kernel.models import Checked, checked_by_another

TIERS = ("central", "provincial", "municipal")
LIVE = ("planned", "reserved")  # may still be posted by a result


def _fen(name: Any, **options: Any) -> "models.BigIntegerField[Any, Any]":
    return models.BigIntegerField(name, help_text=_("分 / fen"), **options)


def _institution() -> "models.ForeignKey[Any, Any]":
    return models.ForeignKey(
        "kernel.Institution", models.PROTECT, verbose_name=_("所属机构"), related_name="+"
    )


def _note() -> "models.ForeignKey[Any, Any]":
    return models.ForeignKey("loans.Note", models.PROTECT, verbose_name=_("借据"), related_name="+")


def _collection() -> "models.ForeignKey[Any, Any]":
    return models.ForeignKey(
        "loans.InterestCollection",
        models.DO_NOTHING,
        verbose_name=_("计划收息"),
        related_name="+",
        db_constraint=False,
        db_index=False,
    )


class Plan(Checked):
    """One bank's deductions of one interest day; its institution is the bank's root.

    Its maker looks through the exceptions and sends it (`sent_by`, `sent_at`) to be checked.
    Once checked by a second person its money is reserved; closed when every deduction of it is
    posted, released or void, or ended for a reason by somebody who did not make it.
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("待复核")
        CHECKED = "checked", _("已复核并预留")
        CLOSED = "closed", _("已结束")
        DROPPED = "dropped", _("已撤销")

    institution = _institution()
    collected_on = models.DateField(_("结息日"))
    state = models.CharField(_("状态"), max_length=10, choices=State.choices, default="draft")
    planned_fen = _fen(_("计划代付"))
    why = models.CharField(_("说明"), max_length=500, blank=True, default="", db_default="")
    sent_by = models.CharField(_("送复核人"), max_length=150, blank=True, default="", db_default="")
    sent_at = models.DateTimeField(_("送复核时间"), null=True, blank=True)
    ended_by = models.CharField(_("处理人"), max_length=150, blank=True, default="", db_default="")
    ended_at = models.DateTimeField(_("处理时间"), null=True, blank=True)

    class Meta:
        verbose_name = _("代付计划")
        verbose_name_plural = _("代付计划")
        ordering = ["-id"]
        constraints = [
            checked_by_another("plan_checked_by_another"),
            models.CheckConstraint(
                name="plan_state_known",
                condition=Q(state__in=["draft", "checked", "closed", "dropped"]),
            ),
            models.CheckConstraint(
                name="plan_reserves_once_checked",
                condition=~Q(state__in=["checked", "closed"]) | Q(checked_by__isnull=False),
            ),
            models.CheckConstraint(
                name="plan_checked_once_sent",
                condition=Q(checked_by__isnull=True) | Q(sent_at__isnull=False),
            ),
            models.CheckConstraint(
                name="plan_sent_by_somebody", condition=Q(sent_at__isnull=True) ^ ~Q(sent_by="")
            ),
            models.CheckConstraint(
                name="plan_checked_by_another_than_sent",
                condition=Q(checked_by__isnull=True) | ~Q(checked_by=F("sent_by")),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.collected_on}"


class PlannedDeduction(models.Model):
    """What one scheme would pay of one planned collection, and what is set aside for it.

    What is not set aside of an advancing scheme's deduction is forecast to be advanced by the bank
    (D19); a holding scheme's is set aside whole or held.
    """

    class State(models.TextChoices):
        PLANNED = "planned", _("待预留")
        RESERVED = "reserved", _("已预留")
        HELD = "held", _("资金不足，暂缓")
        POSTED = "posted", _("已入账")
        RELEASED = "released", _("已释放")
        VOID = "void", _("已作废")

    institution = _institution()
    plan = models.ForeignKey(
        Plan, models.PROTECT, verbose_name=_("代付计划"), related_name="deductions"
    )
    note = _note()
    collection = _collection()
    scheme = models.ForeignKey(
        "settlement.Scheme",
        models.PROTECT,
        verbose_name=_("贴息政策"),
        related_name="+",
        db_index=False,
    )
    fund_institution_id = models.BigIntegerField(_("资金机构"))
    place = models.IntegerField(_("次序"), help_text=_("计划内的先后 / order of service (D9)"))
    interest_fen = _fen(_("待收利息"))
    central_fen = _fen(_("中央贴息"))
    provincial_fen = _fen(_("省级贴息"))
    municipal_fen = _fen(_("市级贴息"))
    central_offset_fen = _fen(_("中央抵扣"), default=0, db_default=0)
    provincial_offset_fen = _fen(_("省级抵扣"), default=0, db_default=0)
    municipal_offset_fen = _fen(_("市级抵扣"), default=0, db_default=0)
    central_reserved_fen = _fen(_("中央预留"), default=0, db_default=0)
    provincial_reserved_fen = _fen(_("省级预留"), default=0, db_default=0)
    municipal_reserved_fen = _fen(_("市级预留"), default=0, db_default=0)
    state = models.CharField(_("状态"), max_length=10, choices=State.choices, default="planned")
    ended_by = models.CharField(_("处理人"), max_length=150, blank=True, default="", db_default="")
    ended_at = models.DateTimeField(_("处理时间"), null=True, blank=True)
    why = models.CharField(_("说明"), max_length=500, blank=True, default="", db_default="")

    class Meta:
        verbose_name = _("计划代付")
        verbose_name_plural = _("计划代付")
        ordering = ["-plan", "place"]
        indexes = [
            models.Index(name="planned_deduction_state", fields=["state", "id"]),
            models.Index(
                name="planned_live_of_note",
                fields=["note"],
                condition=Q(state__in=["planned", "reserved"]),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                name="planned_once_per_collection",
                fields=["collection", "scheme"],
                condition=Q(state__in=["planned", "reserved"]),
            ),
            models.CheckConstraint(
                name="planned_state_known",
                condition=Q(
                    state__in=["planned", "reserved", "held", "posted", "released", "void"]
                ),
            ),
            models.CheckConstraint(
                name="planned_reserved_within_planned",
                condition=Q(
                    central_reserved_fen__gte=0,
                    provincial_reserved_fen__gte=0,
                    municipal_reserved_fen__gte=0,
                    central_reserved_fen__lte=F("central_fen") - F("central_offset_fen"),
                    provincial_reserved_fen__lte=F("provincial_fen") - F("provincial_offset_fen"),
                    municipal_reserved_fen__lte=F("municipal_fen") - F("municipal_offset_fen"),
                ),
            ),
            models.CheckConstraint(
                name="planned_offset_within_planned",
                condition=Q(
                    central_offset_fen__gte=0,
                    provincial_offset_fen__gte=0,
                    municipal_offset_fen__gte=0,
                    central_offset_fen__lte=F("central_fen"),
                    provincial_offset_fen__lte=F("provincial_fen"),
                    municipal_offset_fen__lte=F("municipal_fen"),
                ),
            ),
            models.CheckConstraint(
                name="planned_holds_money_while_reserved",
                condition=Q(state="reserved")
                | Q(central_reserved_fen=0, provincial_reserved_fen=0, municipal_reserved_fen=0),
            ),
            models.CheckConstraint(
                name="planned_void_with_reason", condition=~Q(state="void") | ~Q(why="")
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.plan_id}/{self.place}"

    @property
    def total_fen(self) -> int:
        """All tiers."""
        return int(self.central_fen + self.provincial_fen + self.municipal_fen)

    @property
    def reserved_fen(self) -> int:
        """What is set aside of it now."""
        return int(
            self.central_reserved_fen + self.provincial_reserved_fen + self.municipal_reserved_fen
        )


class PlanException(models.Model):
    """Why a planned collection has no deduction under a scheme, or one that needs a look."""

    class Reason(models.TextChoices):
        WAITING = "waiting", _("认定待定（缺 LPR）")
        INELIGIBLE = "ineligible", _("不符合条件")
        NOTHING = "nothing", _("本期无贴息")
        INSTALMENT = "instalment", _("本期已收过部分利息")
        PAPERS = "papers", _("资料不全（照常代付）")
        BLOCKED = "blocked", _("因核查事项暂停")

    institution = _institution()
    plan = models.ForeignKey(
        Plan, models.PROTECT, verbose_name=_("代付计划"), related_name="exceptions"
    )
    note = _note()
    collection = _collection()
    scheme_code = models.CharField(_("贴息政策"), max_length=60, help_text=_("政策代码"))
    reason = models.CharField(_("原因"), max_length=20, choices=Reason.choices)
    detail = models.CharField(_("详情"), max_length=500, blank=True, default="", db_default="")

    class Meta:
        verbose_name = _("计划例外")
        verbose_name_plural = _("计划例外")
        ordering = ["-plan", "id"]
        indexes = [
            models.Index(name="plan_exception_reason", fields=["reason", "id"]),
        ]
        constraints = [
            models.CheckConstraint(
                name="plan_exception_reason_known",
                condition=Q(
                    reason__in=[
                        "waiting",
                        "ineligible",
                        "nothing",
                        "instalment",
                        "papers",
                        "blocked",
                    ]
                ),
            ),
            models.UniqueConstraint(
                name="plan_exception_once",
                fields=["plan", "collection", "scheme_code", "reason"],
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.plan_id} {self.get_reason_display()}"
