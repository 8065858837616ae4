"""政策执行情况月报 from the database (SME-19, EQ-13)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from loans.selectors import facts
from reports.definitions import monthly_execution
from reports.definitions.sheet import Sheet
from reports.selectors import funds, lending, notices, places, posted
from reports.services import ground

if TYPE_CHECKING:
    from reports.services.catalogue import Asked


def build(asked: Asked) -> Sheet:
    """The schemes' execution in the period and in its year to date, with balances at its end."""
    cut = ground.cut("monthly-execution", asked, unit_zh="汇总为万元，逾期与退出明细为元")
    period = asked.period
    of = ground.of_period(asked, cut.schemes, period)
    to_date = ground.of_period(asked, cut.schemes, period.to_date)
    return monthly_execution.define(
        cut=cut,
        period=period,
        facts=monthly_execution.Facts(
            book=places.with_city(_with_rejections(lending.book_at(of))),
            subsidies=places.with_city(posted.by_note(to_date, period_since=period.start)),
            funds=funds.movements(of),
            drawn_fen=lending.drawn_fen(of, eligible_only=True),
            balance_fen=lending.balance_fen(of),
            fees_fen=posted.fees_fen(of),
            notices=notices.counted(of),
        ),
    )


def _with_rejections(book: pl.DataFrame) -> pl.DataFrame:
    """The notes with the first month finance does not subsidise, null where it rejected none."""
    return book.join(
        facts.rejections(), on=["note_id", "scheme_code"], how="left", maintain_order="left"
    )
