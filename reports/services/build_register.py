"""贴息明细台账 from the database: rows in parts, summed up by scheme, fund institution and tier."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import polars as pl

from reports.definitions import register
from reports.definitions.cut import sums_by_tier, ties_of_money
from reports.definitions.duplicates import said_of_notes
from reports.definitions.sheet import Sheet, Table, whole
from reports.selectors import duplicates
from reports.selectors import register as posted
from reports.selectors.register import Collected
from reports.services import ground
from settlement.selectors.version_rates import version_rates

if TYPE_CHECKING:
    from reports.services.catalogue import Asked

CODE = "subsidy-register"


def build(asked: Asked) -> Sheet:
    """Every collection × scheme of the period with a product above zero."""
    cut = ground.cut(CODE, asked, unit_zh="明细为元，汇总为万元")
    of = collected(asked)
    sums = posted.register_sums(of)
    found = said_of_notes(duplicates.of_notes())
    detail = register.detail(
        lambda: posted.register_parts(of), version_rates(), found, expected=_announced(sums)
    )
    titles = pl.DataFrame(
        [(one.code, one.full_zh) for one in cut.schemes],
        schema={"scheme_code": pl.String, "scheme_zh": pl.String},
        orient="row",
    )
    total = Table(
        key="by_fund",
        title_zh="按政策、资金机构和资金层级汇总",
        columns=register.SUMMARY,
        parts=whole(register.summary(sums, titles)),
    )
    return cut.sheet(
        detail,
        total,
        ties=ties_of_money(Counter(sums_by_tier(sums)), cut.money),
        notes=register.FOOTNOTES,
    )


def collected(asked: Asked) -> Collected:
    """The interest collected that a report of this question is about."""
    return Collected(
        since=asked.period.start,
        until=asked.period.end,
        scope=asked.scope,
        scheme_code=asked.scheme_code,
    )


def _announced(sums: pl.DataFrame) -> dict[str, int]:
    return {key: int(sums[key].sum()) for key in (*register.RAW, *register.MONEY)}
