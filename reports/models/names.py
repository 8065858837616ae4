"""Names of reports, as people say them (domain §6)."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

REPORTS: dict[str, Any] = {
    "new-loans": _("新发放贷款月报"),
    "monthly-execution": _("政策执行情况月报"),
    "monthly-application": _("贴息资金月度申请"),
    "quarterly-payout": _("季度贴息资金拨付汇总"),
    "annual-demand": _("年度资金需求申请"),
    "annual-settlement": _("年度结算申请"),
    "liquidation": _("清算申请"),
    "subsidy-register": _("贴息明细台账"),
    "duplicate-check": _("重复贴息核查报告"),
    "audit-pack": _("审计资料包"),
}


def report_name(code: str) -> Any:
    """What the report is called."""
    return REPORTS.get(code, code)
