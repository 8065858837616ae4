"""A report as a paper to sign: A4, ruled tables with repeated headers, totals, footnotes, places to sign.

A long list stays in the spreadsheet: its totals and its number of rows are told here. A wide table
is cut into groups of columns, each beginning with the columns that say which row it is, or with a
number of the row where these do not tell one row from another.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from config.kernel.services.bulk import closing_frames
from config.kernel.services.typeset import write_pdf
from reports.definitions.sheet import Column, Sheet, Table
from reports.render.words import FIGURES, heading_lines, shown, unit, wide

LIST_ROWS = 2_000
TEMPLATE = Path(__file__).with_name("sheet.typ")

# Widths in tenths of a character's size, at the size of table text.
_PORTRAIT, _LANDSCAPE = 620, 920
_PADDING = 14
_WIDE, _NARROW = 10, 6
_TEXT_MOST = 150  # Chinese text wraps from here on
_LINES_OF_TITLE = 3
_UNBROKEN = re.compile(r"[!-~]+")
_BREAK_AFTER = 40
_KEYS_MOST = 2
_NUMBER = Column("number", "序号", "int")
_TOTAL = "合计"


@dataclass(frozen=True)
class _Listed:
    """A table read through: its rows as texts (none if it is long), how many there are, its sums."""

    table: Table
    rows: list[list[str]]
    count: int
    sums: dict[str, int]


def write(sheet: Sheet, path: Path, *, dated: date) -> None:
    """Write a report as PDF; `dated` is the day its figures were cut at."""
    listed = [_read(table) for table in sheet.tables]
    widths = [_widths(one) for one in listed]
    is_landscape = any(sum(of_table) > _PORTRAIT for of_table in widths)
    page = _LANDSCAPE if is_landscape else _PORTRAIT
    data = {
        "title": sheet.heading.title_zh,
        "landscape": is_landscape,
        "heading": _heading(sheet),
        "running": f"{sheet.heading.title_zh}　{sheet.heading.institution_name}　{sheet.heading.period_zh}",
        "tables": [
            _table(sheet, one, of_table, page) for one, of_table in zip(listed, widths, strict=True)
        ],
        "footnotes": list(sheet.footnotes),
        "signatures": list(sheet.signatures),
    }
    write_pdf(template=TEMPLATE, data=data, path=path, dated=dated)


def _heading(sheet: Sheet) -> list[tuple[str, str]]:
    lines = heading_lines(sheet.heading)
    if len(sheet.tables) == 1 and (unit_zh := unit(sheet, sheet.tables[0])):
        left, right = lines[-1]
        said = f"单位：{unit_zh}"
        if right:
            return [*lines, ("", said)]
        lines[-1] = (left, said)
    return lines


def _read(table: Table) -> _Listed:
    """Go through a table's rows once, in the columns that paper has."""
    table = replace(table, columns=tuple(column for column in table.columns if column.on_paper))
    rows: list[list[str]] = []
    count, sums = 0, {column.key: 0 for column in table.columns if column.total}
    frames = table.parts()
    with closing_frames(frames):
        for frame in frames:
            count += frame.height
            for key in sums:
                sums[key] += sum(frame.get_column(key).drop_nulls().to_list())
            if count <= LIST_ROWS:
                rows += _shown_rows(table, frame)
    return _Listed(table, rows if count <= LIST_ROWS else [], count, sums)


def _shown_rows(table: Table, frame: pl.DataFrame) -> list[list[str]]:
    keys = [column.key for column in table.columns]
    return [
        [shown(column, value) for column, value in zip(table.columns, row, strict=True)]
        for row in frame.select(keys).iter_rows()
    ]


def _table(sheet: Sheet, one: _Listed, widths: Sequence[int], page: int) -> dict[str, Any]:
    table = one.table
    groups = _groups(table.columns, widths, page)
    if len(groups) > 1 and not _told_apart(one):
        one = _numbered(one)
        widths = [max(_needed(str(one.count)), 2 * _WIDE) + _PADDING, *widths]
        groups = _groups(one.table.columns, widths, page)
    several = len(sheet.tables) > 1
    return {
        "title": table.title_zh if several else "",
        "unit": unit(sheet, table) if several else "",
        "note": "" if one.count == len(one.rows) else _long_note(one),
        "groups": [_group(one, places, widths) for places in groups],
    }


def _long_note(one: _Listed) -> str:
    return f"明细共 {one.count:,} 行，见同名电子表格（XLSX、CSV）；此处仅列合计。"


def _group(one: _Listed, places: Sequence[int], widths: Sequence[int]) -> dict[str, Any]:
    columns = [one.table.columns[place] for place in places]
    return {
        "columns": [
            {
                "title": column.title_zh,
                "article": column.article,
                "width": widths[place],
                "right": column.kind in FIGURES,
            }
            for place, column in zip(places, columns, strict=True)
        ],
        "rows": [[_breakable(row[place]) for place in places] for row in one.rows],
        "empty": "本期无数据" if not one.count else "",
        "total": _total(one, columns),
    }


def _total(one: _Listed, columns: Sequence[Column]) -> list[str]:
    """The totals below a group's rows, the word where the first column has none."""
    if not one.sums:
        return []
    cells = [shown(c, one.sums[c.key]) if c.key in one.sums else "" for c in columns]
    for place, column in enumerate(columns):
        if column.key not in one.sums:
            cells[place] = _TOTAL
            break
    return cells


def _groups(columns: Sequence[Column], widths: Sequence[int], page: int) -> list[list[int]]:
    """Which columns stand side by side, as places: as few groups as a page needs, about as wide each."""
    keys = _keys(columns)
    fewest = len(_filled(keys, widths, page))
    return next(
        groups
        for room in range(page // fewest, page + 1)
        if len(groups := _filled(keys, widths, room)) == fewest
    )


def _filled(keys: list[int], widths: Sequence[int], room: int) -> list[list[int]]:
    """Columns in groups of at most this width; each begins with the keys."""
    free = room - sum(widths[key] for key in keys)
    groups, left = [list(keys)], free
    for place in range(len(keys), len(widths)):
        if widths[place] > left and len(groups[-1]) > len(keys):
            groups.append(list(keys))
            left = free
        groups[-1].append(place)
        left -= widths[place]
    return groups


def _keys(columns: Sequence[Column]) -> list[int]:
    """The leading columns that say which row it is: its number, or the texts before any figure."""
    if len(columns) > 1 and columns[0].kind == "int" and not columns[0].total:
        return [0]
    keys: list[int] = []
    for place, column in enumerate(columns[:_KEYS_MOST]):
        if column.kind in FIGURES:
            break
        keys.append(place)
    return keys[: len(columns) - 1]


def _told_apart(one: _Listed) -> bool:
    """Do the columns that every group begins with differ from row to row?"""
    keys = _keys(one.table.columns)
    return len({tuple(row[key] for key in keys) for row in one.rows}) == len(one.rows)


def _numbered(one: _Listed) -> _Listed:
    """The same table with its rows numbered."""
    table = replace(one.table, columns=(_NUMBER, *one.table.columns))
    rows = [[str(number), *row] for number, row in enumerate(one.rows, start=1)]
    return replace(one, table=table, rows=rows)


def _widths(one: _Listed) -> list[int]:
    """How wide each column has to be for its values, total and title."""
    natural = []
    for place, column in enumerate(one.table.columns):
        cells = [row[place] for row in one.rows]
        if column.key in one.sums:
            cells.append(shown(column, one.sums[column.key]))
        needed = max(map(_needed, cells), default=0)
        title_needed = max(
            _longest_word(column.title_zh),
            -(-_size(column.title_zh) // _LINES_OF_TITLE),
            -(-_size(column.article) // 4),
        )
        natural.append(max(needed, title_needed, 2 * _WIDE) + _PADDING)
    return natural


def _needed(text: str) -> int:
    return max(min(_size(text), _TEXT_MOST), _longest_word(_breakable(text)))


def _size(text: str) -> int:
    narrow = 2 * len(text) - wide(text)
    return (len(text) - narrow) * _WIDE + narrow * _NARROW


def _longest_word(text: str) -> int:
    return max((len(word) * _NARROW for word in _UNBROKEN.findall(text)), default=0)


def _breakable(text: str) -> str:
    """A word longer than any column gets places where a line may end."""
    return _UNBROKEN.sub(
        lambda word: "\u200b".join(
            word[0][start : start + _BREAK_AFTER] for start in range(0, len(word[0]), _BREAK_AFTER)
        ),
        text,
    )
