"""清算申请 from the database (SME-18, EQ-10)."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import date
from typing import TYPE_CHECKING

from reports.definitions import liquidation
from reports.definitions.liquidation import LINE
from reports.definitions.sheet import Sheet
from reports.selectors import clawbacks, funds
from reports.services import ground
from reports.services.build_annual_settlement import frame
from settlement.selectors import settled

if TYPE_CHECKING:
    from reports.services.catalogue import Asked

BEFORE_ALL = date(1, 1, 1)


def build(asked: Asked) -> Sheet:
    """The whole life of the schemes' money up to the period's end."""
    life = replace(asked.period, start=BEFORE_ALL)
    cut = ground.cut("liquidation", asked, unit_zh="明细为元，汇总为万元", over=life)
    of = ground.of_period(asked, cut.schemes, life)
    lines = settled.life_lines(scheme_codes=of.codes, scope=asked.scope, before=life.end)
    return liquidation.define(
        cut=cut,
        lines=frame(lines, LINE),
        clawbacks=clawbacks.unrecovered(of),
        ledger=asdict(funds.turnover(of, year=None, before=life.end)),
        receivable_fen=clawbacks.receivable_fen(of),
    )
