"""What the bank claims from finance for a year, or at the end, and what finance decided (domain §6)."""

from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from config.kernel.models import Checked, checked_by_another

OPEN_STATES = ["draft", "submitted", "decided"]


def _fen(name: Any, **options: Any) -> "models.BigIntegerField[Any, Any]":
    return models.BigIntegerField(name, help_text=_("分 / fen"), **options)


def _person(name: Any) -> "models.CharField[Any, Any]":
    return models.CharField(name, max_length=150, null=True, blank=True)


def _moment(name: Any) -> "models.DateTimeField[Any, Any]":
    return models.DateTimeField(name, null=True, blank=True)


def _institution() -> "models.ForeignKey[Any, Any]":
    return models.ForeignKey(
        "kernel.Institution", models.PROTECT, verbose_name=_("资金机构"), related_name="+"
    )


class Settlement(Checked):
    """One claim of a fund institution under a scheme: a part of a year, or the liquidation.

    Whoever submits it has checked what another drafted; whoever books it is not who recorded
    finance's decision. Its figures never change: a draft that no longer holds is withdrawn and made
    anew.
    """

    class Kind(models.TextChoices):
        ANNUAL = "annual", _("年度结算")
        LIQUIDATION = "liquidation", _("清算")

    class State(models.TextChoices):
        DRAFT = "draft", _("草稿")
        SUBMITTED = "submitted", _("已提交")
        DECIDED = "decided", _("已批复")
        BOOKED = "booked", _("已入账")
        WITHDRAWN = "withdrawn", _("已撤回")

    institution = _institution()
    scheme = models.ForeignKey(
        "settlement.Scheme", models.PROTECT, verbose_name=_("贴息政策"), related_name="+"
    )
    kind = models.CharField(_("类别"), max_length=20, choices=Kind.choices)
    year = models.SmallIntegerField(
        _("年度"), null=True, blank=True, help_text=_("清算为空 / none for a liquidation")
    )
    part = models.SmallIntegerField(_("期次"), help_text=_("同一年度从 1 起 / from 1 in its year"))
    is_final = models.BooleanField(
        _("年度末次"), default=False, help_text=_("提交后年度关闭 / submitting it closes the year")
    )
    needs_stated = models.BooleanField(
        _("下年需求为申报数"),
        default=False,
        help_text=_("否则按存量借据预测 / otherwise a forecast from existing notes"),
    )
    state = models.CharField(_("状态"), max_length=10, choices=State.choices)
    document_number = models.CharField(_("批复文号"), max_length=100, blank=True, default="")
    decided_on = models.DateField(_("批复日期"), null=True, blank=True)
    decided_by = _person(_("批复录入"))
    decided_at = _moment(_("批复录入时间"))
    decision_refused_by = _person(_("批复退回人"))
    decision_refused_at = _moment(_("批复退回时间"))
    decision_refused_why = models.CharField(
        _("批复退回原因"), max_length=500, blank=True, default="", db_default=""
    )
    booked_by = _person(_("入账复核"))
    booked_at = _moment(_("入账时间"))
    withdrawn_by = _person(_("撤回人"))
    withdrawn_at = _moment(_("撤回时间"))
    withdrawn_why = models.CharField(
        _("撤回原因"), max_length=500, blank=True, default="", db_default=""
    )

    class Meta:
        verbose_name = _("结算清算")
        verbose_name_plural = _("结算清算")
        ordering = ["-id"]
        constraints = [
            checked_by_another("settlement_checked_by_another"),
            models.CheckConstraint(
                name="settlement_booked_by_another",
                condition=Q(booked_by__isnull=True) | ~Q(booked_by=F("decided_by")),
            ),
            models.CheckConstraint(
                name="settlement_kind_has_its_year",
                condition=Q(kind="annual", year__isnull=False)
                | Q(kind="liquidation", year__isnull=True, is_final=False),
            ),
            models.CheckConstraint(
                name="settlement_state_has_its_people",
                condition=Q(state__in=["draft", "withdrawn"])
                | Q(state="submitted", checked_by__isnull=False)
                | (
                    Q(state__in=["decided", "booked"], checked_by__isnull=False)
                    & Q(decided_by__isnull=False, decided_on__isnull=False)
                    & ~Q(document_number="")
                    & (Q(state="decided") | Q(booked_by__isnull=False))
                ),
            ),
            models.CheckConstraint(
                name="settlement_withdrawn_for_a_reason",
                condition=Q(state="withdrawn") ^ Q(withdrawn_why=""),
            ),
            models.CheckConstraint(
                name="settlement_decision_refused_for_a_reason",
                condition=Q(decision_refused_by__isnull=True) ^ ~Q(decision_refused_why=""),
            ),
            models.UniqueConstraint(
                name="settlement_one_open",
                fields=["institution", "scheme"],
                condition=Q(state__in=OPEN_STATES),
            ),
            models.UniqueConstraint(
                name="settlement_part_once",
                fields=["institution", "scheme", "kind", "year", "part"],
                condition=~Q(state="withdrawn"),
                nulls_distinct=False,
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class SettlementItem(models.Model):
    """One fund in a settlement; the figures are those of `settlement.engine.settling.Figures`."""

    institution = _institution()
    settlement = models.ForeignKey(
        Settlement, models.PROTECT, verbose_name=_("结算清算"), related_name="items", db_index=False
    )
    fund = models.ForeignKey(
        "settlement.Fund", models.PROTECT, verbose_name=_("资金"), related_name="settled"
    )
    through_number = models.BigIntegerField(
        _("截至分录"), help_text=_("含该编号 / this entry number included")
    )
    opening_fen = _fen(_("期初结余"))
    received_fen = _fen(_("收到预拨"))
    used_fen = _fen(_("代付贴息"))
    adjusted_fen = _fen(_("差额调减"))
    clawback_decided_fen = _fen(_("决定追回"))
    clawback_settled_fen = _fen(_("追回已结算年度"))
    clawed_back_fen = _fen(_("已追回"))
    written_off_fen = _fen(_("追回核销"))
    made_good_fen = _fen(_("银行补足"))
    returned_fen = _fen(_("已退回结余"))
    claimed_fen = _fen(_("申报结算"))
    surplus_fen = _fen(_("结余"))
    gap_fen = _fen(_("缺口"))
    receivable_opening_fen = _fen(_("期初应收追回"))
    receivable_fen = _fen(_("期末应收追回"))
    next_year_need_fen = _fen(_("下年需求"))
    approved_fen = _fen(_("认可"), null=True, blank=True)
    disallowed_fen = _fen(_("核减"), null=True, blank=True)

    class Meta:
        verbose_name = _("结算清算明细")
        verbose_name_plural = _("结算清算明细")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(name="settlement_item_once", fields=["settlement", "fund"]),
            models.CheckConstraint(
                name="settlement_item_money_ties",
                condition=Q(
                    surplus_fen=F("opening_fen")
                    + F("received_fen")
                    - F("used_fen")
                    + F("clawed_back_fen")
                    + F("made_good_fen")
                    - F("returned_fen")
                    + F("gap_fen"),
                    surplus_fen__gte=0,
                    gap_fen__gte=0,
                ),
            ),
            models.CheckConstraint(
                name="settlement_item_receivable_ties",
                condition=Q(
                    receivable_fen=F("receivable_opening_fen")
                    - F("adjusted_fen")
                    + F("clawback_decided_fen")
                    + F("clawback_settled_fen")
                    - F("clawed_back_fen")
                    - F("written_off_fen")
                ),
            ),
            models.CheckConstraint(
                name="settlement_item_claim_ties",
                condition=Q(
                    claimed_fen=F("used_fen") + F("adjusted_fen") - F("clawback_decided_fen")
                ),
            ),
            models.CheckConstraint(
                name="settlement_item_decision_ties",
                condition=Q(approved_fen__isnull=True, disallowed_fen__isnull=True)
                | (
                    Q(approved_fen__isnull=False, disallowed_fen__isnull=False)
                    & Q(approved_fen=F("claimed_fen") - F("disallowed_fen"))
                    & (
                        Q(approved_fen__gte=0, disallowed_fen__gte=0)
                        | Q(claimed_fen__lt=0, disallowed_fen=0)
                    )
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.settlement_id} {self.fund}"

    @property
    def carry_over_fen(self) -> int:
        """What goes on to the next settlement: surplus less gap; a liquidation returns its surplus."""
        kept = 0 if self.settlement.kind == Settlement.Kind.LIQUIDATION else self.surplus_fen
        return int(kept - self.gap_fen)
