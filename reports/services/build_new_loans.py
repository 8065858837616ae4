"""新发放贷款月报 from the database (SME-15)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports.definitions import new_loans
from reports.definitions.sheet import Sheet
from reports.selectors import lending, places
from reports.services import ground

if TYPE_CHECKING:
    from reports.services.catalogue import Asked


def build(asked: Asked) -> Sheet:
    """The notes drawn in the period that are labelled with the schemes asked about."""
    cut = ground.cut("new-loans", asked, unit_zh="明细为元，汇总为万元")
    of = ground.of_period(asked, cut.schemes, asked.period)
    return new_loans.define(
        cut=cut,
        notes=places.with_city(lending.drawdowns(of)),
        drawn_fen=lending.drawn_fen(of),
    )
