"""Steps of a clawback: decided, moved, checked or refused."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.access import CHECKERS
from config.kernel.admin.sections import Section, numbers, texts
from loans.admin.base import in_yuan, yuan
from loans.admin.fields import AmountField, DayField, ReasonField, WordField
from loans.admin.steps import AnswerForm, StepForm
from settlement.admin import wording
from settlement.admin.previews import (
    balances,
    fund_in_sight,
    fund_name,
    of_clawback,
    to_be_posted,
)
from settlement.models import Clawback, ClawbackMovement
from settlement.services import clawback_movements, clawbacks
from settlement.services.clawback_movements import Payment

Kind = ClawbackMovement.Kind


class OfClawback(StepForm):
    """A step of one clawback."""

    def sections(self) -> list[Section]:
        """The clawback."""
        return [of_clawback(self.row)]


class Decide(OfClawback):
    """The second person lets the enterprise owe it."""

    title = _("决定追回")
    icon = "gavel"
    note = _("确认后企业欠款成立并入账。不能复核本人经办的记录。")
    done = _("已决定追回并入账")
    roles = CHECKERS

    @classmethod
    def fits(cls, request: HttpRequest, row: Any) -> bool:
        """Proposals of others."""
        is_open = row.state == Clawback.State.PROPOSED
        return bool(is_open and row.made_by != request.user.get_username())

    def sections(self) -> list[Section]:
        """With what will be posted."""
        fund = fund_in_sight(self.row)
        if fund is None or self.row.state != Clawback.State.PROPOSED:
            return super().sections()
        lines = clawbacks.lines_if_decided(clawback_id=self.row.pk)
        entry = (wording.tier_name(fund.tier), _("决定追回"), lines)
        changes = balances([(fund_name(fund), fund, lines)])
        return [*super().sections(), to_be_posted([entry]), changes]

    def act(self, *, actor: str, at: datetime) -> None:
        """Decide it."""
        clawbacks.decide(clawback_id=self.row.pk, accept=True, actor=actor, at=at)


class Dismiss(OfClawback):
    """The second person finds that nothing is to be taken back."""

    title = _("不予追回")
    icon = "block"
    done = _("已决定不予追回")
    roles = CHECKERS

    why = ReasonField()

    fits = Decide.fits

    def act(self, *, actor: str, at: datetime) -> None:
        """Dismiss it."""
        clawbacks.decide(
            clawback_id=self.row.pk,
            accept=False,
            dismissed_why=self.cleaned_data["why"],
            actor=actor,
            at=at,
        )


class Move(OfClawback):
    """Something that comes of a decided clawback, for another person to check."""

    button = _("提交复核")
    done = _("已登记，待他人复核")
    kind = Kind.RECEIVED
    at_field = {
        "clawback_beyond_open": "amount",
        "movement_known": "reference",
        "reference_missing": "reference",
        "reason_missing": "why",
    }

    @classmethod
    def fits(cls, request: HttpRequest, row: Any) -> bool:
        """Of which something is still owed."""
        return bool(row.state == Clawback.State.DECIDED and row.open_fen)

    def act(self, *, actor: str, at: datetime) -> int:
        """Record it."""
        data = self.cleaned_data
        payment = Payment(
            moved_on=data.get("moved_on") or at.date(),
            amount_fen=data.get("amount", 0),
            reference=data.get("reference", ""),
            why=data.get("why", ""),
        )
        return clawback_movements.record_movement(
            clawback_id=self.row.pk, kind=self.kind, payment=payment, actor=actor, at=at
        )

    def leads_to(self, outcome: Any) -> str:
        """The new movement."""
        return reverse("admin:settlement_clawbackmovement_change", args=[outcome])


class Receive(Move):
    """Money the enterprise paid back."""

    title = _("登记到账")
    icon = "input"
    note = _("可分次到账；流水号是银行入账流水号，同一流水号不重复登记。")

    moved_on = DayField(label=_("到账日期"))
    amount = AmountField(label=in_yuan(_("到账金额")))
    reference = WordField(label=_("流水号"))
    why = ReasonField(label=_("说明"), required=False)


class WriteOff(Move):
    """What the bank is to bear."""

    title = _("登记核销")
    icon = "money_off"
    note = _("核销后由银行承担，并须以自有资金补足。")
    kind = Kind.WRITTEN_OFF

    moved_on = DayField(label=_("核销日期"))
    amount = AmountField(label=in_yuan(_("核销金额")))
    reference = WordField(label=_("文号"), required=False, help_text=_("核销批件号，可不填"))
    why = ReasonField()


class OffsetOff(Move):
    """From now on to be paid back, not offset."""

    title = _("改为不抵扣")
    icon = "link_off"
    note = _("复核后，尚欠部分不再从企业的下次贴息中抵扣。")
    kind = Kind.OFFSET_OFF
    at_field = {"movement_known": "why"}
    is_offset_now = True

    why = ReasonField()

    @classmethod
    def fits(cls, request: HttpRequest, row: Any) -> bool:
        """Where it is the other way until now."""
        return super().fits(request, row) and row.is_offset == cls.is_offset_now


class OffsetOn(OffsetOff):
    """From now on to be offset."""

    title = _("改为抵扣")
    icon = "link"
    note = _("复核后，尚欠部分从企业的下次贴息中抵扣。")
    kind = Kind.OFFSET_ON
    is_offset_now = False


class OfMovement(AnswerForm):
    """A step by which the second person answers for a movement."""

    @classmethod
    def fits(cls, request: HttpRequest, row: Any) -> bool:
        """Made by another and waiting; an offset waits for nobody."""
        return super().fits(request, row) and row.kind != Kind.OFFSET

    def sections(self) -> list[Section]:
        """The clawback, and the movement with its entry."""
        shown = [of_clawback(self.row.clawback), movement_line(self.row)]
        lines = clawback_movements.lines_if_checked(movement_id=self.row.pk)
        fund = fund_in_sight(self.row.clawback)
        if lines and fund is not None and self.row.checked_by is None:
            entry = (wording.tier_name(fund.tier), self.row.get_kind_display(), lines)
            shown += [to_be_posted([entry]), balances([(fund_name(fund), fund, lines)])]
        if self.row.checked_by is None:
            shown.append(_owed(self.row))
        return shown


def _owed(movement: ClawbackMovement) -> Section:
    """What is owed and whether it is offset, before and after the movement counts."""
    clawback, is_money = movement.clawback, movement.kind not in clawback_movements.SWITCHES
    offset = clawback_movements.SWITCHES.get(Kind(movement.kind), clawback.is_offset)
    left = clawback.open_fen - (movement.amount_fen if is_money else 0)
    words = {True: _("从下次贴息抵扣"), False: _("不抵扣")}
    return Section(
        title=_("追回前后"),
        columns=texts(_("要素"), _("复核前"), _("复核后")),
        rows=[
            (in_yuan(_("尚欠")), yuan(clawback.open_fen), yuan(left)),
            (_("抵扣方式"), words[clawback.is_offset], words[offset]),
        ],
    )


def movement_line(movement: ClawbackMovement) -> Section:
    """The movement in question, on one line."""
    return Section(
        title=_("追回变动"),
        columns=[
            *texts(_("类别"), _("日期"), _("流水号"), _("说明"), _("经办")),
            *numbers(in_yuan(_("金额"))),
        ],
        rows=[
            (
                movement.get_kind_display(),
                movement.moved_on,
                movement.reference,
                wording.posting_in_words(movement.why),
                movement.made_by,
                yuan(movement.amount_fen),
            )
        ],
    )


class CheckMovement(OfMovement):
    """It counts."""

    title = _("复核通过")
    icon = "check"
    note = _("不能复核本人经办的记录。")
    done = _("已复核")

    def act(self, *, actor: str, at: datetime) -> None:
        """Check it."""
        clawback_movements.check_movement(movement_id=self.row.pk, actor=actor, at=at)


class RefuseMovement(OfMovement):
    """It does not count."""

    title = _("退回")
    icon = "undo"
    done = _("已退回，未入账")

    why = ReasonField()

    def act(self, *, actor: str, at: datetime) -> None:
        """Refuse it."""
        clawback_movements.refuse_movement(
            movement_id=self.row.pk, why=self.cleaned_data["why"], actor=actor, at=at
        )
