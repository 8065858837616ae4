"""A plan as a table on a terminal: by fund what to deduct, what is available, what lacks."""

from __future__ import annotations

from django.db.models import Count

from settlement.management.tables import table, yuan
from settlement.models import Plan
from settlement.selectors.plans import funds_of_plan

HEADER = (
    "资金 fund", "计划 to deduct", "抵扣 offset", "已预留 reserved", "可用 available", "缺口 shortfall",
)  # fmt: skip


def shown(plan_id: int) -> str:
    """The plan's figures, its funds, and its exceptions by reason."""
    plan = Plan.objects.select_related("institution").get(pk=plan_id)
    lines = [
        (
            f"{one.institution_code} {one.scheme_code} {one.tier}",
            *map(yuan, (one.planned_fen, one.offset_fen, one.reserved_fen)),
            *map(yuan, (one.available_fen, one.shortfall_fen)),
        )
        for one in funds_of_plan(plan_id=plan_id)
    ]
    reasons = plan.exceptions.order_by("reason").values_list("reason").annotate(Count("pk"))
    head = (
        f"计划 plan {plan.pk} {plan.collected_on} {plan.institution.code} {plan.get_state_display()}: "
        f"代付 deductions {plan.deductions.count()} 笔, {yuan(plan.planned_fen)} 元 yuan, "
        f"例外 exceptions {dict(reasons) or 0}"
    )
    return f"{head}\n{table(HEADER, lines)}" if lines else head
