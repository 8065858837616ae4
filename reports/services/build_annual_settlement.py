"""年度结算申请 from the database (SME-16, EQ-09)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import polars as pl

from reports.definitions import annual_settlement
from reports.definitions.annual_settlement import LINE
from reports.definitions.filing import SchemeTitle
from reports.definitions.sheet import Sheet
from reports.selectors import funds
from reports.services import ground
from settlement.selectors import settled
from settlement.selectors.institutions import fund_institutions
from settlement.services.forecasts import needs_of_year

if TYPE_CHECKING:
    from reports.services.catalogue import Asked
    from settlement.selectors.settled import Line

BY_SETTLEMENTS = (
    "金额取自该年度各期结算（草稿、已提交、已批复、已入账），尚未申报的部分取自资金账；"
    "下年需求取自末期结算，无结算的按存量借据预测，不含新增放款。"
)
STAGED = "分阶段数：该年度内截至期末的资金账发生额，不区分是否已申报结算。"


def build(asked: Asked) -> Sheet:
    """A year by its settlements and ledger; for a month or quarter the year's ledger up to its end."""
    period = asked.period
    cut = ground.cut(
        "annual-settlement", asked, unit_zh="明细为元，汇总为万元", over=period.to_date
    )
    of = ground.of_period(asked, cut.schemes, period)
    year, before = period.start.year, None if period.is_year else period.end
    lines = settled.year_lines(scheme_codes=of.codes, scope=asked.scope, year=year, before=before)
    if period.is_year:
        for scheme in cut.schemes:
            lines = _with_needs(lines, scheme, asked.scope, year + 1)
    return annual_settlement.define(
        cut=cut,
        lines=frame(lines, LINE),
        ledger=asdict(funds.turnover(of, year=year, before=before)),
        with_needs=period.is_year,
        basis_zh=BY_SETTLEMENTS if period.is_year else STAGED,
    )


def _with_needs(
    lines: list[Line], scheme: SchemeTitle, scope: tuple[int, int], year: int
) -> list[Line]:
    """The scheme's lines with what it needs next year; forecast only where a fund states nothing."""
    own = [
        one
        for one in lines
        if one.fund.scheme_code == scheme.code and one.fund.purpose == "interest"
    ]
    stated = {one.fund.fund_id for one in own if one.next_year_need_fen is not None}
    places = set(fund_institutions(level=scheme.fund_level).values())
    has_funds = any(scope[0] <= place <= scope[1] for place in places)
    if not has_funds or (own and all(one.fund.fund_id in stated for one in own)):
        return lines
    needs = needs_of_year(scheme_code=scheme.code, year=year)
    return settled.with_needs(lines, scheme_code=scheme.code, needs=needs, scope=scope)


def frame(lines: Iterable[Line], schema: dict[str, Any]) -> pl.DataFrame:
    """Lines of funds as the columns of a definition."""
    return pl.DataFrame([_row(one) for one in lines], schema=schema)


def _row(line: Line) -> dict[str, Any]:
    return {
        "scheme_code": line.fund.scheme_code,
        "fund_code": line.fund.institution_code,
        "fund_name": line.fund.institution_name,
        "tier": line.fund.tier,
        "purpose": line.fund.purpose,
        "part": line.part,
        "state": line.state,
        **asdict(line.figures),
        "approved_fen": line.approved_fen,
        "disallowed_fen": line.disallowed_fen,
        "next_year_need_fen": line.next_year_need_fen,
    }
