"""Stable codes and bounds every part of the engine and its callers share."""

from __future__ import annotations

import datetime

TIERS = ("central", "provincial", "municipal")
"""Funding tiers, highest first (domain D11)."""

REASONS = (
    "institution_not_participating",
    "drawn_outside_window",
    "signed_outside_window",
    "region",
    "industry_or_title",
    "not_private",
    "not_small_or_medium",
    "loan_type",
    "purpose_field",
    "no_equipment_amount",
    "dishonest",
    "environment_rating",
    "tax_rating",
    "overdue",
    "rate_above_ceiling",
    "exclusive_group",
    "one_bank_per_enterprise",
    "fund_exhausted",
)
"""Refusal reasons in order of precedence (domain §3)."""

WAITING_REASON = "lpr_missing"
"""The only reason a label waits: no LPR fixing on or before drawdown (domain D15)."""

CUT_REASONS = (
    "principal_cap",
    "interest_ceiling",
    "project_cap",
    "enterprise_cap",
    "joint_cap",
    "borrower_total_cap",
    "net_off",
    "higher_of",
    "fund_pro_rata",
    "note_cap",
)
"""Reasons a deduction is below its uncut amount; a reason's place is its bit in `cut_reasons`."""

ELIGIBLE, INELIGIBLE, WAITING = "eligible", "ineligible", "waiting"

FIRST_DAY = datetime.date(1, 1, 1)
LAST_DAY = datetime.date(9999, 12, 31)
"""Stand for "no limit" at either end of a period, so that no date is ever null."""

MAX_AMOUNT_FEN = 10**13
MAX_SUM_FEN = 10**17
MAX_RATE_PPM = 360_000
MAX_PERIOD_DAYS = 14_640
"""Bounds asserted at the door; with them every product fits Int64 and every numerator Int128."""

RATE_ONE = 10**8
"""Denominator of `rate_e8`: 1.5 points a year are 1,500,000."""

PPM_ONE = 10**6
"""Denominator of parts per million: 90 % of the interest is 900,000, a rate of 3 % is 30,000."""


def cut_bit(reason: str) -> int:
    """The bit of one cut reason in `cut_reasons`."""
    return 1 << CUT_REASONS.index(reason)


def cut_reasons(mask: int) -> list[str]:
    """The names of the cut reasons in a bit mask, in their stable order."""
    return [reason for place, reason in enumerate(CUT_REASONS) if mask >> place & 1]
