"""Which reports are there, and who builds each: one entry per code of domain §6."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reports.definitions.period import Period
from reports.definitions.sheet import Sheet
from reports.services import (
    build_annual_demand,
    build_annual_settlement,
    build_audit_pack,
    build_duplicates,
    build_liquidation,
    build_monthly_application,
    build_monthly_execution,
    build_new_loans,
    build_quarterly_payout,
    build_register,
)


@dataclass(frozen=True)
class Asked:
    """What is asked for: a period, an institution with everything below it, and a scheme or all.

    `scope` is the range of institution numbers that the report covers. `growth_ppm`: what growth of
    lending a person states (`annual-demand` alone); None: as stated before, or none.
    """

    period: Period
    institution_id: int
    institution_code: str
    institution_name: str
    scope: tuple[int, int]
    scheme_code: str | None = None
    growth_ppm: int | None = None


Builder = Callable[[Asked], Sheet]

BUILDERS: dict[str, Builder] = {
    "new-loans": build_new_loans.build,
    "monthly-execution": build_monthly_execution.build,
    "monthly-application": build_monthly_application.build,
    "quarterly-payout": build_quarterly_payout.build,
    "annual-demand": build_annual_demand.build,
    "annual-settlement": build_annual_settlement.build,
    "liquidation": build_liquidation.build,
    "subsidy-register": build_register.build,
    "duplicate-check": build_duplicates.build,
    "audit-pack": build_audit_pack.build,
}
