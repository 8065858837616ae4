"""The step by which a second person books a pre-allocation."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.access import CHECKERS
from config.kernel.admin.sections import Section, numbers, texts
from loans.admin.base import in_yuan, own_language, scheme_name, yuan
from loans.admin.fields import ReasonField
from loans.admin.steps import StepForm
from settlement.admin import wording
from settlement.admin.previews import balances, fund_name, to_be_posted
from settlement.selectors import receipts
from settlement.services import pre_allocations


class BookPreAllocation(StepForm):
    """It is in the special account."""

    title = _("复核入账")
    icon = "check"
    note: Any = _("到账的资金先归还银行垫付。不能复核本人登记的记录。")
    done = _("已入账")
    roles = CHECKERS

    @classmethod
    def fits(cls, request: HttpRequest, row: Any) -> bool:
        """Not booked, and not one's own."""
        made_by = receipts.entered_by(pre_allocation_id=row.pk)
        answered = hasattr(row, "receipt") or hasattr(row, "refusal")
        return not answered and made_by != request.user.get_username()

    def sections(self) -> list[Section]:
        """The row, with its entries and what they change; or why it cannot be booked."""
        actor = self.request.user.get_username()
        fault = pre_allocations.why_not_booked(pre_allocation_id=self.row.pk, actor=actor)
        if fault is not None:
            self.note = own_language(str(fault))
            return [of_pre_allocation(self.row)]
        tier = wording.tier_name(self.row.tier)
        fund, found = pre_allocations.lines_if_booked(pre_allocation_id=self.row.pk)
        name = tier if fund is None else fund_name(fund)
        return [
            of_pre_allocation(self.row),
            to_be_posted([(tier, event.label, lines) for event, lines in found]),
            balances([(name, fund, lines) for _event, lines in found]),
        ]

    def act(self, *, actor: str, at: datetime) -> None:
        """Book it."""
        pre_allocations.book_pre_allocation(pre_allocation_id=self.row.pk, actor=actor, at=at)


class RefusePreAllocation(BookPreAllocation):
    """It is not, or not like this."""

    title = _("退回")
    icon = "undo"
    note = _("退回后不入账；正确的预拨用原文号加序号重新登记。不能退回本人登记的记录。")
    done = _("已退回，未入账")

    why = ReasonField()

    def sections(self) -> list[Section]:
        """The row."""
        return [of_pre_allocation(self.row)]

    def act(self, *, actor: str, at: datetime) -> None:
        """Refuse it."""
        pre_allocations.refuse_pre_allocation(
            pre_allocation_id=self.row.pk, why=self.cleaned_data["why"], actor=actor, at=at
        )


def of_pre_allocation(row: Any) -> Section:
    """The pre-allocation in question, on one line."""
    return Section(
        title=_("预拨资金"),
        columns=[
            *texts(
                _("文号"), _("资金机构"), _("贴息政策"), _("资金层级"), _("到账日期"), _("经办")
            ),
            *numbers(in_yuan(_("金额"))),
        ],
        rows=[
            (
                row.document_number,
                row.institution.name,
                scheme_name(row.scheme_code),
                wording.tier_name(row.tier),
                row.received_on,
                receipts.entered_by(pre_allocation_id=row.pk),
                yuan(row.amount_fen),
            )
        ],
    )
