"""Values that change on a date: windows, blocks, and the check that they leave no gap."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from settlement.engine.codes import FIRST_DAY, LAST_DAY
from settlement.engine.terms_model import Block, Dated, Window
from settlement.engine.terms_read import Table


def read_window(table: Table) -> Window:
    """`from` (inclusive) and `until` (exclusive), each open where absent."""
    window = Window(table.day("from", FIRST_DAY), table.day("until", LAST_DAY))
    if window.starts_on >= window.ends_on:
        table.add("until", "不晚于 from", "is not after from")
    return window


def _block(table: Table, read: Callable[[Table], int]) -> Block:
    table.source()
    return Block(amount=read(table), window=read_window(table), key=table.path)


def _needed(by: str, kinds: tuple[str, ...], windows: dict[str, Any]) -> Window:
    drawn, accrued = windows["drawn"], windows["accrued"]
    assert isinstance(drawn, Window) and isinstance(accrued, Window)
    if by == "drawdown":
        return drawn
    if "collection" not in kinds and accrued != Window():
        return accrued
    return Window(drawn.starts_on, LAST_DAY)


def _check_no_gap(table: Table, blocks: list[Block], needed: Window) -> None:
    for before, after in itertools.pairwise(blocks):
        if before.window.ends_on < after.window.starts_on:
            table.add("", f"{before.window.ends_on} 起有空档", f"gap from {before.window.ends_on}")
        if before.window.ends_on > after.window.starts_on:
            start = after.window.starts_on
            table.add("", f"{start} 起有重叠", f"overlap from {start}")
    if blocks[0].window.starts_on > needed.starts_on:
        table.add("", f"{needed.starts_on} 起有空档", f"gap from {needed.starts_on}")
    if blocks[-1].window.ends_on < needed.ends_on:
        end = blocks[-1].window.ends_on
        table.add("", f"{end} 起有空档", f"gap from {end}")


def dated_of(
    table: Table,
    rows: list[Table],
    read: Callable[[Table], int],
    kinds: tuple[str, ...],
    windows: dict[str, Any],
) -> Dated:
    """Blocks read from `rows`, sorted and checked; `by` must be the same in each."""
    blocks, by = [], set()
    for row in rows:
        dated = row.has("from") or row.has("until")
        by.add(row.word("by", kinds, None if dated else kinds[0]))
        blocks.append(_block(row, read))
    if len(by) > 1:
        table.add("", "各段 by 应相同", "every block must have the same by")
    blocks.sort(key=lambda block: block.window.starts_on)
    kind = min(by)
    _check_no_gap(table, blocks, _needed(kind, kinds, windows))
    return Dated(tuple(blocks), kind)


def read_dated(
    row: Table,
    read: Callable[[Table], int],
    kinds: tuple[str, ...],
    windows: dict[str, Any],
) -> Dated:
    """A cap's limit: its own amount, or `blocks` of dated ones, each with its source."""
    if not row.has("blocks"):
        return dated_of(row, [row], read, kinds, windows)
    row.source()
    blocks = row.rows("blocks")
    found = dated_of(row, blocks, read, kinds, windows) if blocks else Dated((Block(0),))
    for block in blocks:
        block.done()
    if not blocks:
        row.add("blocks", "不能为空", "must not be empty")
    return found
