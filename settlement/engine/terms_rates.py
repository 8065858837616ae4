"""Reads what a scheme pays: per tier in points or percent, or one amount split between tiers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from settlement.engine.codes import TIERS
from settlement.engine.terms_dated import dated_of
from settlement.engine.terms_model import Block, Dated
from settlement.engine.terms_read import Table

METHODS = ("points", "percent_of_interest", "interest_to_lpr_plus")
DAY_COUNTS = ("actual_360", "actual_365", "months", "months_odd_days_360")
BY = ("drawdown", "accrual")
MAX_POINTS = 36
SHARE_PLACES = 4
SHARE_WHOLE = 100 * 10**SHARE_PLACES


def _points(row: Table) -> int:
    return row.scaled("points", 6, MAX_POINTS)


def _percent(row: Table) -> int:
    return row.scaled("percent", 4, 100)


def _whole_percent(row: Table) -> int:
    return row.scaled("percent", 0, 100)


_READERS: dict[str, Callable[[Table], int]] = {
    "points": _points,
    "percent_of_interest": _percent,
    "interest_to_lpr_plus": _whole_percent,
}


def _blocks(table: Table, key: str, read: Callable[[Table], int], windows: dict[str, Any]) -> Dated:
    rows = table.rows(key)
    if not rows:
        table.add(key, "缺少", "is missing")
        return Dated((Block(0),))
    dated = dated_of(rows[0], rows, read, BY, windows)
    for row in rows:
        row.done()
    return dated


def _share(tiers: Table, tier: str) -> int:
    entry = tiers.cited(tier)
    if entry is None:
        return 0
    share = entry.scaled("share", SHARE_PLACES, 100)
    entry.done()
    return share


def _split(tiers: Table, total: Dated) -> dict[str, Dated]:
    shares = {tier: _share(tiers, tier) for tier in TIERS if tiers.has(tier)}
    if sum(shares.values()) != SHARE_WHOLE:
        tiers.add("", "各级比例合计应为100", "shares must add up to 100")
    rates = {}
    for tier, share in shares.items():
        if any(block.amount * share % SHARE_WHOLE for block in total.blocks):
            tiers.add(tier, "拆分后不是整数单位", "does not split into whole units")
        blocks = (Block(b.amount * share // SHARE_WHOLE, b.window, b.key) for b in total.blocks)
        rates[tier] = Dated(tuple(blocks), total.by)
    return rates


def _day_count(table: Table, method: str) -> str:
    if method == "percent_of_interest":
        return ""
    entry = table.cited("day_count")
    if entry is None:
        return ""
    word = entry.word("value", DAY_COUNTS)
    entry.done()
    return word


def _above_lpr_ppm(table: Table, method: str) -> int:
    if method != "interest_to_lpr_plus":
        return 0
    entry = table.cited("above_lpr")
    if entry is None:
        return 0
    points = entry.scaled("points", 4, MAX_POINTS)
    entry.done()
    return points


def read_rates(table: Table, windows: dict[str, Any]) -> dict[str, Any]:
    """`method`, `day_count`, `above_lpr_ppm` and `rates` of the `[rate]` table."""
    entry = table.cited("method")
    method = entry.word("value", METHODS) if entry else ""
    if entry:
        entry.done()
    read = _READERS.get(method, _points)
    tiers = table.table("tiers")
    if table.has("total"):
        rates = _split(tiers, _blocks(table, "total", read, windows))
    else:
        rates = {t: _blocks(tiers, t, read, windows) for t in TIERS if tiers.has(t)}
    if not rates:
        tiers.add("", "至少一级资金", "needs at least one tier")
    tiers.done()
    values = {
        "method": method,
        "day_count": _day_count(table, method),
        "above_lpr_ppm": _above_lpr_ppm(table, method),
        "rates": tuple(rates.items()),
    }
    table.done()
    return values
