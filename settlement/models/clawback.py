"""What is taken back from an enterprise, why, who decided it, and what came of it (domain §5, D20)."""

from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from config.kernel.models import Checked, checked_by_another


def _fen(name: Any, **options: Any) -> "models.BigIntegerField[Any, Any]":
    return models.BigIntegerField(name, help_text=_("分 / fen"), **options)


def _institution() -> "models.ForeignKey[Any, Any]":
    return models.ForeignKey(
        "kernel.Institution",
        models.PROTECT,
        verbose_name=_("所属机构"),
        related_name="+",
    )


def _note() -> "models.ForeignKey[Any, Any]":
    return models.ForeignKey("loans.Note", models.PROTECT, verbose_name=_("借据"), related_name="+")


class Clawback(Checked):
    """An amount of one fund that an enterprise owes back for a note.

    A difference is decided by the recomputation itself; anything else is proposed by one person and
    decided by another. Counters move with the movements below, never beyond the amount.
    """

    class Origin(models.TextChoices):
        DIFFERENCE = "difference", _("重算差额")
        REVIEW = "review", _("财政审核")
        ORDER = "order", _("财政追回令")
        FINDING = "finding", _("核查发现")
        STAFF = "staff", _("经办提出")

    class State(models.TextChoices):
        PROPOSED = "proposed", _("待复核")
        DECIDED = "decided", _("已决定")
        DISMISSED = "dismissed", _("不予追回")

    institution = _institution()
    note = _note()
    enterprise = models.ForeignKey(
        "loans.Enterprise", models.PROTECT, verbose_name=_("企业"), related_name="+"
    )
    fund = models.ForeignKey(
        "settlement.Fund",
        models.PROTECT,
        verbose_name=_("资金"),
        related_name="clawbacks",
        db_index=False,
    )
    origin = models.CharField(_("起因"), max_length=20, choices=Origin.choices)
    origin_id = models.BigIntegerField(
        _("起因序号"),
        help_text=_("任务分块、审核结果等的序号 / key of the chunk, review, finding …"),
    )
    year = models.SmallIntegerField(_("所属年度"), help_text=_("收息年度 / year of collection"))
    amount_fen = _fen(_("应追回"))
    received_fen = _fen(_("已到账"), default=0, db_default=0)
    offset_fen = _fen(_("已抵扣"), default=0, db_default=0)
    written_off_fen = _fen(_("已核销"), default=0, db_default=0)
    is_offset = models.BooleanField(
        _("从下次贴息抵扣"), default=True, help_text=_("D20 / offset against the next deduction")
    )
    state = models.CharField(_("状态"), max_length=10, choices=State.choices)
    why = models.CharField(_("事由"), max_length=500)
    document_number = models.CharField(_("文号"), max_length=100, blank=True, default="")
    dismissed_why = models.CharField(
        _("不予追回原因"), max_length=500, blank=True, default="", db_default=""
    )

    class Meta:
        verbose_name = _("追回")
        verbose_name_plural = _("追回")
        ordering = ["-id"]
        indexes = [
            models.Index(
                name="clawback_proposed", fields=["institution"], condition=Q(state="proposed")
            ),
            models.Index(
                name="clawback_of_finding", fields=["origin_id"], condition=Q(origin="finding")
            ),
            models.Index(
                name="clawback_to_offset",
                fields=["enterprise", "fund"],
                condition=Q(state="decided", is_offset=True)
                & Q(amount_fen__gt=F("received_fen") + F("offset_fen") + F("written_off_fen")),
            ),
            models.Index(
                name="clawback_claimed",
                fields=["note"],
                condition=Q(state="decided") & ~Q(origin="difference"),
            ),
        ]
        constraints = [
            checked_by_another("clawback_checked_by_another"),
            models.CheckConstraint(
                name="clawback_decided_by_two",
                condition=Q(origin="difference")
                | Q(state="proposed")
                | Q(checked_by__isnull=False),
            ),
            models.CheckConstraint(
                name="clawback_dismissed_for_a_reason",
                condition=Q(state="dismissed") ^ Q(dismissed_why=""),
            ),
            models.CheckConstraint(
                name="clawback_words_known",
                condition=Q(
                    origin__in=["difference", "review", "order", "finding", "staff"],
                    state__in=["proposed", "decided", "dismissed"],
                ),
            ),
            models.CheckConstraint(
                name="clawback_never_beyond_its_amount",
                condition=Q(
                    amount_fen__gt=0,
                    received_fen__gte=0,
                    offset_fen__gte=0,
                    written_off_fen__gte=0,
                    amount_fen__gte=F("received_fen") + F("offset_fen") + F("written_off_fen"),
                ),
            ),
            models.CheckConstraint(
                name="clawback_moves_once_decided",
                condition=Q(state="decided") | Q(received_fen=0, offset_fen=0, written_off_fen=0),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    @property
    def open_fen(self) -> int:
        """What is still owed: nothing of what nobody has decided yet, or what was dismissed."""
        if self.state != Clawback.State.DECIDED:
            return 0
        return int(self.amount_fen - self.received_fen - self.offset_fen - self.written_off_fen)


class ClawbackLapse(models.Model):
    """What of a note's claims by people lapsed because a difference takes the same money back.

    Append-only, one per note, fund, year and posting; a negative one brings claims back into force.
    The claims stay as they are: the difference is owed for that much less.
    """

    institution = _institution()
    note = _note()
    fund = models.ForeignKey(
        "settlement.Fund",
        models.PROTECT,
        verbose_name=_("资金"),
        related_name="lapses",
        db_index=False,
    )
    origin_id = models.BigIntegerField(
        _("起因序号"), help_text=_("任务分块或担保费补贴入账的序号 / chunk or guarantee posting")
    )
    year = models.SmallIntegerField(_("所属年度"), help_text=_("收息年度 / year of collection"))
    amount_fen = _fen(_("金额"))
    settled_fen = _fen(_("其中追回已结算年度"))
    posted_on = models.DateField(_("入账日"))
    actor = models.CharField(_("经办"), max_length=150)

    class Meta:
        verbose_name = _("追回并入差额")
        verbose_name_plural = _("追回并入差额")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                name="clawback_lapse_once", fields=["note", "fund", "year", "origin_id"]
            ),
            models.CheckConstraint(
                name="clawback_lapse_changes",
                condition=Q(amount_fen__gt=0, settled_fen__gte=0, settled_fen__lte=F("amount_fen"))
                | Q(amount_fen__lt=0, settled_fen__lte=0, settled_fen__gte=F("amount_fen")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.note} {self.year}"


class ClawbackMovement(Checked):
    """Money received, an offset against a deduction, a write-off, or a change of whether to offset.

    It counts once checked; one that the checker refused has `refused_why` and never counts.
    """

    class Kind(models.TextChoices):
        RECEIVED = "received", _("到账")
        OFFSET = "offset", _("抵扣")
        WRITTEN_OFF = "written_off", _("核销")
        OFFSET_ON = "offset_on", _("改为抵扣")
        OFFSET_OFF = "offset_off", _("改为不抵扣")

    institution = _institution()
    note = _note()
    clawback = models.ForeignKey(
        Clawback, models.PROTECT, verbose_name=_("追回"), related_name="movements"
    )
    kind = models.CharField(_("类别"), max_length=20, choices=Kind.choices)
    moved_on = models.DateField(_("日期"))
    amount_fen = _fen(_("金额"))
    reference = models.CharField(_("流水号"), max_length=100, blank=True, default="")
    why = models.CharField(_("说明"), max_length=500, blank=True, default="")
    refused_why = models.CharField(
        _("退回原因"), max_length=500, blank=True, default="", db_default=""
    )
    chunk = models.ForeignKey(
        "kernel.Chunk",
        models.PROTECT,
        verbose_name=_("任务分块"),
        related_name="+",
        null=True,
        blank=True,
        db_index=False,
        help_text=_("抵扣所在的入账 / the chunk of the deduction it was offset against"),
    )

    class Meta:
        verbose_name = _("追回变动")
        verbose_name_plural = _("追回变动")
        ordering = ["-id"]
        indexes = [
            models.Index(
                name="clawback_movement_unchecked",
                fields=["institution"],
                condition=Q(checked_by__isnull=True),
            ),
        ]
        constraints = [
            checked_by_another("clawback_movement_checked_by_another"),
            models.CheckConstraint(
                name="clawback_movement_known",
                condition=Q(kind__in=["received", "offset", "written_off"], amount_fen__gt=0)
                | Q(kind__in=["offset_on", "offset_off"], amount_fen=0),
            ),
            models.CheckConstraint(
                name="clawback_movement_refused_by_somebody",
                condition=Q(refused_why="") | Q(checked_by__isnull=False),
            ),
            models.CheckConstraint(
                name="clawback_movement_offset_in_a_run",
                condition=Q(kind="offset", chunk__isnull=False)
                | (~Q(kind="offset") & Q(chunk__isnull=True)),
            ),
            models.UniqueConstraint(
                name="clawback_received_once_per_reference",
                fields=["clawback", "reference"],
                condition=~Q(reference="") & Q(refused_why=""),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.clawback_id} {self.get_kind_display()} {self.moved_on}"
