"""重复贴息核查报告 from the findings on record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports.definitions import duplicates as definition
from reports.definitions.sheet import Sheet
from reports.selectors import duplicates
from reports.services import ground

if TYPE_CHECKING:
    from reports.services.catalogue import Asked


def build(asked: Asked) -> Sheet:
    """What was found before the period's end and still stands, or was confirmed."""
    cut = ground.cut("duplicate-check", asked, unit_zh="明细为元，汇总为万元")
    found = duplicates.found(
        until=asked.period.end, scope=asked.scope, scheme_code=asked.scheme_code
    )
    return definition.define(cut=cut, found=found, period=asked.period)
