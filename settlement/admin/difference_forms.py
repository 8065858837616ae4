"""Steps of reconciliation: look for differences, explain one, answer for an explanation."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.sections import Section, numbers, texts
from config.kernel.models import SCOPE_ALL
from loans.admin.base import in_yuan, scheme_name, yuan
from loans.admin.fields import ReasonField
from loans.admin.steps import AnswerForm, StepForm
from settlement.admin.wording import tier_name
from settlement.models import DifferenceExplanation, ReconciliationDifference
from settlement.services import differences
from settlement.services.reconciliation import open_differences, record_differences


def _shown(difference: ReconciliationDifference) -> Section:
    """The difference, as above every form about it."""
    return Section(
        title=_("对账差异"),
        columns=[
            *texts(_("资金"), _("差异"), _("日期"), _("流水号或分录")),
            *numbers(in_yuan(_("金额"))),
        ],
        rows=[
            (
                " · ".join(
                    [
                        difference.institution.name,
                        scheme_name(difference.scheme.code),
                        tier_name(difference.tier),
                    ]
                ),
                difference.get_reason_display(),
                difference.moved_on,
                difference.key,
                yuan(difference.amount_fen),
            )
        ],
    )


class ReconcileNow(StepForm):
    """Compare all statements and the ledger of one's institutions now."""

    title = _("对账")
    button = _("开始对账")
    icon = "sync"
    note = _(
        "逐笔核对已导入的专户流水与资金账：登记新差异，消除不再存在的差异。专户最后一笔流水之后的入账待下次流水再核对。"
    )

    def act(self, *, actor: str, at: datetime) -> int:
        """Record; how many differences are not explained."""
        record_differences(scope=SCOPE_ALL, at=at)  # row-level security holds it to one's own
        known = open_differences(scope=SCOPE_ALL).values()
        return len([record for record in known if not record.is_explained])

    def told(self, outcome: int) -> str:
        """How many are left to explain."""
        return gettext("对账完成，未说明的差异 %(count)d 项") % {"count": outcome}


class Explain(StepForm):
    """Say why a difference is no fault."""

    title = _("说明原因")
    button = _("提交复核")
    icon = "edit_note"
    note = _(
        "流水有误或账上漏记的，应更正流水或补记入账，差异随之消除；确属时间差、手续费等无需入账的，说明原因。"
    )
    done = _("已提交说明，待他人复核")

    why = ReasonField(label=_("说明"))

    @classmethod
    def fits(cls, request: HttpRequest, row: Any) -> bool:
        """Still there, and nobody has explained it."""
        return row.closed_at is None and not row.explanations.filter(refused_why="").exists()

    def sections(self) -> list[Section]:
        """The difference."""
        return [_shown(self.row)]

    def act(self, *, actor: str, at: datetime) -> int:
        """Say it."""
        return differences.explain_difference(
            difference_id=self.row.pk, why=self.cleaned_data["why"], actor=actor, at=at
        )


class OfExplanation(AnswerForm):
    """A step by which the second person answers for it."""

    def sections(self) -> list[Section]:
        """The difference and what was said of it."""
        row: DifferenceExplanation = self.row
        said = Section(
            title=_("差异说明"),
            columns=texts(_("说明"), _("经办")),
            rows=[(row.why, row.made_by)],
        )
        if row.checked_by is not None:
            return [_shown(row.difference), said]
        changes = Section(
            title=_("复核前后"),
            columns=texts(_("要素"), _("复核前"), _("复核后")),
            rows=[(_("状态"), _("说明待复核"), _("已说明"))],
        )
        return [_shown(row.difference), said, changes]

    def leads_to(self, outcome: Any) -> str:
        """The difference."""
        return reverse(
            "admin:settlement_reconciliationdifference_change", args=[self.row.difference_id]
        )


class CheckExplanation(OfExplanation):
    """It holds."""

    title = _("复核通过")
    icon = "check"
    note = _("不能复核本人经办的记录。")
    done = _("已复核")

    def act(self, *, actor: str, at: datetime) -> None:
        """Accept it."""
        differences.check_explanation(explanation_id=self.row.pk, actor=actor, at=at)


class RefuseExplanation(OfExplanation):
    """It does not."""

    title = _("退回")
    icon = "undo"
    done = _("已退回，差异仍待处理")

    why = ReasonField()

    def act(self, *, actor: str, at: datetime) -> None:
        """Refuse it."""
        differences.refuse_explanation(
            explanation_id=self.row.pk, why=self.cleaned_data["why"], actor=actor, at=at
        )
