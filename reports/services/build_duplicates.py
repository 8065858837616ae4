"""重复贴息核查报告 from the findings on record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports.definitions import duplicates as definition
from reports.definitions.sheet import Sheet
from reports.selectors import duplicates
from reports.services import build_register, ground

if TYPE_CHECKING:
    from reports.services.catalogue import Asked


def build(asked: Asked) -> Sheet:
    """What was found about the period's subsidies and still stands, or was confirmed."""
    cut = ground.cut("duplicate-check", asked, unit_zh="明细为元，汇总为万元")
    of = build_register.collected(asked)
    return definition.define(
        cut=cut,
        found=duplicates.found(of),
        sides=duplicates.sides(of),
        period=asked.period,
    )
