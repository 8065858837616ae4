"""贴息资金月度申请 from the database (EQ-07)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports.definitions import monthly_application
from reports.definitions.sheet import Sheet
from reports.selectors import posted
from reports.services import ground

if TYPE_CHECKING:
    from reports.services.catalogue import Asked


def build(asked: Asked) -> Sheet:
    """What is applied for, for the interest collected in the period."""
    cut = ground.cut("monthly-application", asked, unit_zh="明细为元，汇总为万元")
    of = ground.of_period(asked, cut.schemes, asked.period)
    return monthly_application.define(cut=cut, notes=posted.applied_for(of))
