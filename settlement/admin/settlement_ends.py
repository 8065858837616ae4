"""Ways out of a settlement before finance has decided: given up, refused, or taken back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.access import MAKERS
from config.kernel.admin.sections import Section, texts
from loans.admin.base import in_yuan, yuan
from loans.admin.fields import ReasonField
from settlement.admin.settlement_forms import OfSettlement
from settlement.models import Settlement
from settlement.services import settlements

State = Settlement.State


class Withdraw(OfSettlement):
    """A draft given up by whoever made it."""

    title = _("撤回草稿")
    icon = "undo"
    note = _("只有起草人可以撤回草稿；撤回后相应分录重新结算。")
    done = _("已撤回")
    roles = MAKERS
    states = (State.DRAFT,)

    why = ReasonField()

    @classmethod
    def fits(cls, request: HttpRequest, row: Any) -> bool:
        """One's own draft."""
        return super().fits(request, row) and row.made_by == request.user.get_username()

    def act(self, *, actor: str, at: datetime) -> None:
        """Withdraw it."""
        why = self.cleaned_data["why"]
        settlements.withdraw(settlement_id=self.row.pk, why=why, actor=actor, at=at)


class TakeBack(OfSettlement):
    """A second person refuses a draft, or takes it back before finance has decided."""

    title = _("退回草稿或撤回提交")
    icon = "undo"
    note = _("撤回后相应分录重新结算；已关闭的年度不再打开。不能退回或撤回本人起草的结算。")
    done = _("已撤回")
    states = (State.DRAFT, State.SUBMITTED)
    maker = "made_by"

    why = ReasonField()

    def sections(self) -> list[Section]:
        """With what is claimed before and after."""
        claimed = sum(self.row.items.values_list("claimed_fen", flat=True))
        change = Section(
            title=_("撤回前后"),
            columns=texts(_("要素"), _("撤回前"), _("撤回后")),
            rows=[
                (_("状态"), self.row.get_state_display(), State.WITHDRAWN.label),
                (in_yuan(_("申请金额")), yuan(claimed), yuan(0)),
            ],
        )
        return [*super().sections(), change]

    def act(self, *, actor: str, at: datetime) -> None:
        """Take it back."""
        why = self.cleaned_data["why"]
        settlements.take_back(settlement_id=self.row.pk, why=why, actor=actor, at=at)
