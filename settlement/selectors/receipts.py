"""What came in and when: pre-allocations, and the months interest was collected in."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, datetime

from config.kernel.services.bulk import rows


def any_pre_allocation() -> bool:
    """Is any pre-allocation recorded?"""
    return bool(rows("SELECT EXISTS (SELECT 1 FROM loans_preallocation)")[0][0])


def collection_months() -> list[date]:
    """The last day of every month in which interest was collected, in order."""
    found = rows(
        "SELECT DISTINCT date_trunc('month', collected_on)::date FROM loans_interestcollection"
        " WHERE interest_paid_fen IS NOT NULL ORDER BY 1"
    )
    return [first.replace(day=monthrange(first.year, first.month)[1]) for (first,) in found]


def entered_by(*, pre_allocation_id: int) -> str:
    """Who brought a pre-allocation in, whether or not the file is in sight; `system` if it came without one."""
    return entered(pre_allocation_id=pre_allocation_id)[1]


def entered(*, pre_allocation_id: int) -> tuple[int, str, datetime | None]:
    """Whose a pre-allocation is, who brought it in and when; 0 and nobody where there is none such."""
    found = rows(
        "SELECT p.institution_id, coalesce(b.actor, 'system'), b.at FROM loans_preallocation p"
        " LEFT JOIN LATERAL loans_brought_by(p.batch_id) b ON true WHERE p.id = %s",
        [pre_allocation_id],
    )
    return (int(found[0][0]), str(found[0][1]), found[0][2]) if found else (0, "", None)
