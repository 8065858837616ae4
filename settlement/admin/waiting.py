"""Work with money that waits: what one person made and another is to check, and what went wrong."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.waiting import WAITING, Waiting, having, unchecked
from settlement.models import (
    ClawbackMovement,
    Finding,
    PayoutAttempt,
    Plan,
    PlannedDeduction,
    Recomputation,
    Settlement,
)

LATELY = timedelta(days=30)


def unbooked(request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
    """Pre-allocations that another brought in and that nobody has answered for."""
    return rows.filter(receipt=None, refusal=None).exclude(batch__actor=request.user.get_username())


def failed_payouts(request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
    """Pay-outs whose last attempt failed; failed attempts are few, pay-outs may be many."""
    failed = PayoutAttempt.objects.filter(state=PayoutAttempt.State.FAILED)
    return rows.filter(pk__in=failed.values("payout_id"), last_state="failed")


def late_payouts(request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
    """Pay-outs not paid by the end of their day (MF-25)."""
    paid = PayoutAttempt.objects.filter(payout=OuterRef("pk"), state=PayoutAttempt.State.PAID)
    return rows.filter(~Exists(paid), due_on__lt=timezone.localdate())


def past_plans(request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
    """Plans whose interest day is over and whose results are not all there."""
    return rows.filter(state=Plan.State.CHECKED, collected_on__lt=timezone.localdate())


def refused_receipts(request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
    """Pre-allocations one brought in that were refused lately, until the fund's money is entered anew."""
    since = timezone.localtime() - LATELY
    anew = rows.model.objects.filter(  # loans' table, which we know by its page alone
        pk__gt=OuterRef("pk"),
        **{name: OuterRef(name) for name in ("institution", "scheme_code", "tier", "purpose")},
    )
    own = rows.filter(
        batch__actor=request.user.get_username(),
        refusal__isnull=False,
        refusal__checked_at__gte=since,
    )
    return own.filter(~Exists(anew))


def refused_plans(request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
    """Plans one made that another refused or ended, until the day is planned anew or long over."""
    user = request.user.get_username()
    anew = Plan.objects.filter(
        pk__gt=OuterRef("pk"),
        institution=OuterRef("institution"),
        collected_on=OuterRef("collected_on"),
    )
    own = rows.filter(
        state=Plan.State.DROPPED, made_by=user, collected_on__gte=timezone.localdate() - LATELY
    )
    return own.exclude(ended_by=user).filter(~Exists(anew))


def coming_plans(request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
    """Released plans of today and days to come: the core needs their file and gives results."""
    return rows.filter(state=Plan.State.CHECKED, collected_on__gte=timezone.localdate())


TO_CHECK = [
    unchecked("plans", "settlement.plan", _("代付计划"), state=Plan.State.DRAFT, sent_at__isnull=False),
    Waiting("receipts", "loans.preallocation", _("预拨资金入账"), unbooked, is_check=True),
    unchecked("payout-batches", "settlement.payoutbatch", _("拨付批次"), state="prepared"),
    unchecked("drafts", "settlement.settlement", _("结算清算提交"), state=Settlement.State.DRAFT),
    unchecked(
        "decisions", "settlement.settlement", _("结算批复入账"), maker="decided_by",
        state=Settlement.State.DECIDED,
    ),
    unchecked("clawbacks", "settlement.clawback", _("追回决定"), state="proposed"),
    unchecked(
        "movements", "settlement.clawbackmovement", _("追回变动"), checked_by=None,
        kind__in=[kind for kind in ClawbackMovement.Kind if kind != ClawbackMovement.Kind.OFFSET],
    ),
    unchecked("made-good", "settlement.madegood", _("银行补足")),
    unchecked("findings", "settlement.findingdecision", _("核查结论")),
    unchecked("explanations", "settlement.differenceexplanation", _("对账差异说明")),
    unchecked("recomputations", "settlement.recomputation", _("重算"), state=Recomputation.State.READY),
    unchecked(
        "terms", "settlement.schemeversion", _("政策版本"), is_for_all=True, checked_by=None,
        refused_by=None,
    ),
]  # fmt: skip
AMISS = [
    having(
        "open", "settlement.finding", _("待处理的核查发现"), state=Finding.State.OPEN, gone_at=None
    ),
    having(
        "unexplained", "settlement.reconciliationdifference", _("未说明的对账差异"),
        closed_at=None, said_at=None,
    ),
    having(
        "held", "settlement.planneddeduction", _("资金不足、暂缓的代付"),
        state=PlannedDeduction.State.HELD, plan__state=Plan.State.CHECKED,
    ),
    Waiting("past", "settlement.plan", _("结息日已过、扣收结果未齐的计划"), past_plans),
    having("missed", "settlement.missedlabel", _("应享未享的借据")),
    Waiting("failed", "settlement.payout", _("拨付失败"), failed_payouts),
    Waiting("late", "settlement.payout", _("逾期未拨付"), late_payouts),
]  # fmt: skip
TO_MAKE = [
    Waiting(
        "refused", "loans.preallocation", _("被退回、待重新登记的预拨资金"), refused_receipts,
        is_make=True,
    ),
    Waiting("refused", "settlement.plan", _("被退回、待重新编制的计划"), refused_plans, is_make=True),
    having(
        "unsent", "settlement.plan", _("待送复核的计划"), is_make=True, state=Plan.State.DRAFT,
        sent_at=None,
    ),
    Waiting(
        "released", "settlement.plan", _("已放行、待下载指令和回传结果的计划"), coming_plans,
        is_make=True,
    ),
    having(
        "undecided", "settlement.settlement", _("已提交财政、待录入批复的结算清算"), is_make=True,
        state=Settlement.State.SUBMITTED,
    ),
]  # fmt: skip
WAITING.extend([*TO_CHECK, *TO_MAKE, *AMISS])
