"""季度贴息资金拨付汇总 from the database (MF-17, MF-26)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports.definitions import quarterly_payout
from reports.definitions.sheet import Sheet
from reports.selectors import places, posted
from reports.services import ground

if TYPE_CHECKING:
    from reports.services.catalogue import Asked


def build(asked: Asked) -> Sheet:
    """What was paid of the interest collected in the period, by branch, city and enterprise."""
    cut = ground.cut("quarterly-payout", asked, unit_zh="明细为元，汇总为万元")
    of = ground.of_period(asked, cut.schemes, asked.period)
    return quarterly_payout.define(cut=cut, notes=places.with_city(posted.paid(of)))
