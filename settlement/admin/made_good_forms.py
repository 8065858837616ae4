"""Steps of the bank's own money: entered by one, checked or refused by another."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.sections import Section, numbers, texts
from loans.admin.base import in_yuan, yuan
from loans.admin.fields import AmountField, DayField, ReasonField, WordChoice, WordField
from loans.admin.steps import AnswerForm, StepForm
from settlement.admin import wording
from settlement.admin.previews import balances, fund_name, to_be_posted
from settlement.engine import entries
from settlement.models import Fund, MadeGood
from settlement.services import made_good


def _bearing() -> list[Fund]:
    """Funds in sight of which the bank has to bear something."""
    found = Fund.objects.filter(disallowed_fen__gt=0).select_related("institution", "scheme")
    return list(found.order_by("institution_id", "scheme_id", "pk"))


class RecordMadeGood(StepForm):
    """What the bank paid into the special account."""

    title = _("登记银行补足")
    button = _("提交复核")
    icon = "add"
    note = _(
        "核减和核销由银行承担，以自有资金转入专户；流水号是银行入账流水号，同一流水号不重复登记。"
    )
    done = _("已登记，待他人复核")
    at_field = {
        "unknown_fund": "fund",
        "made_good_beyond_borne": "amount",
        "made_good_known": "reference",
        "reference_missing": "reference",
    }

    fund = WordChoice(label=_("资金"))
    moved_on = DayField(label=_("到账日期"))
    amount = AmountField(label=in_yuan(_("金额")))
    reference = WordField(label=_("流水号"))

    def __init__(self, request: HttpRequest, row: Any = None, data: Any = None) -> None:
        super().__init__(request, row, data)
        self.bearing = _bearing()
        field: Any = self.fields["fund"]
        field.choices = [(str(fund.pk), fund_name(fund)) for fund in self.bearing]

    def sections(self) -> list[Section]:
        """What the bank has to bear."""
        return [
            Section(
                title=_("银行应承担"),
                columns=[*texts(_("资金")), *numbers(in_yuan(_("核减")))],
                rows=[(fund_name(fund), yuan(fund.disallowed_fen)) for fund in self.bearing],
            )
        ]

    def act(self, *, actor: str, at: datetime) -> int:
        """Enter it."""
        data = self.cleaned_data
        return made_good.record_made_good(
            fund_id=int(data["fund"]),
            moved_on=data["moved_on"],
            amount_fen=data["amount"],
            reference=data["reference"],
            actor=actor,
            at=at,
        )

    def leads_to(self, outcome: Any) -> str:
        """The new row."""
        return reverse("admin:settlement_madegood_change", args=[outcome])


class OfMadeGood(AnswerForm):
    """A step by which the second person answers for it."""

    def sections(self) -> list[Section]:
        """The row, with its entry."""
        row: MadeGood = self.row
        shown = Section(
            title=_("银行补足"),
            columns=[
                *texts(_("资金"), _("日期"), _("流水号"), _("经办")),
                *numbers(in_yuan(_("金额"))),
            ],
            rows=[
                (
                    fund_name(row.fund),
                    row.moved_on,
                    row.reference,
                    row.made_by,
                    yuan(row.amount_fen),
                )
            ],
        )
        if row.checked_by is not None:
            return [shown]
        lines = entries.made_good(row.amount_fen)
        entry = (wording.tier_name(row.fund.tier), _("银行补足"), lines)
        changes = balances([(fund_name(row.fund), row.fund, lines)])
        return [shown, to_be_posted([entry]), changes]


class CheckMadeGood(OfMadeGood):
    """It is in the special account."""

    title = _("复核通过")
    icon = "check"
    note = _("不能复核本人经办的记录。")
    done = _("已复核")

    def act(self, *, actor: str, at: datetime) -> None:
        """Check it."""
        made_good.check_made_good(made_good_id=self.row.pk, actor=actor, at=at)


class RefuseMadeGood(OfMadeGood):
    """It is not."""

    title = _("退回")
    icon = "undo"
    done = _("已退回，未入账")

    why = ReasonField()

    def act(self, *, actor: str, at: datetime) -> None:
        """Refuse it."""
        made_good.refuse_made_good(
            made_good_id=self.row.pk, why=self.cleaned_data["why"], actor=actor, at=at
        )
