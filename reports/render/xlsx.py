"""A report as a workbook: one sheet per table, live formulas, print set-up, heading and signatures.

Amounts stand in the unit of their column (元 or 万元), rates in percent, products in 元·日; so formulas
have to be written for these.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import polars as pl

from config.kernel.services import workbook
from config.kernel.services.bulk import closing_frames
from config.kernel.services.files import whole
from reports.definitions.sheet import Column, Kind, Sheet, Table
from reports.render.words import DECIMALS, FIGURES, heading_lines, signature_line, title, unit, wide

LONG_ROWS = (
    2_000  # where footnotes and signatures move from below the table to a sheet of their own
)
_FORMATS: dict[Kind, str] = {
    "int": "0",
    "yuan": "#,##0.00",
    "wan": "#,##0.000000",
    "rate": "0.0000",
    "exchange": "0.0000####",
    "product": "#,##0.00",
    "date": "yyyy-mm-dd",
}
_WIDTHS: dict[Kind, int] = {
    "int": 8,
    "yuan": 18,
    "wan": 20,
    "rate": 10,
    "exchange": 12,
    "product": 22,
    "date": 12,
    "month": 10,
}
_LOOKED_AT = 1_000
_TEXT_WIDTHS = (8, 48)  # the most: a policy with its document, an enterprise's name
_KEYS_WIDTH = 130  # what columns that say which row it is may take of each printed page


def write(
    sheet: Sheet,
    path: Path,
    *,
    sheet_rows: int = workbook.SHEET_ROWS,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Write a report's workbook, whole or not at all; returns the number of rows of all tables."""
    notes = _notes(sheet)
    with whole(path) as partial, workbook.Book(partial, sheet_rows=sheet_rows) as book:
        rows = 0
        for place, table in enumerate(sheet.tables):
            first, frames = _looked_at(table)
            below = _below(notes) if place == 0 else _nothing
            count = book.add(_table(sheet, table, first), frames, below=below, progress=progress)
            if place == 0 and count > LONG_ROWS:
                book.add(workbook.Table("说明", (), above=(*_above(sheet, table), *notes)), ())
            rows += count
    return rows


def _looked_at(table: Table) -> tuple[list[pl.DataFrame], Iterator[pl.DataFrame]]:
    """The first frames, to see how wide texts are, and all of them."""
    frames, first, rows = table.parts(), [], 0
    for frame in frames:
        first.append(frame)
        rows += frame.height
        if rows >= _LOOKED_AT:
            break

    def everything() -> Iterator[pl.DataFrame]:
        with closing_frames(frames):
            while first:
                yield first.pop(0)  # kept no longer than it is needed
            yield from frames

    return first, everything()


def _table(sheet: Sheet, table: Table, first: list[pl.DataFrame]) -> workbook.Table:
    columns = tuple(_column(column, first) for column in table.columns)
    return workbook.Table(
        name=table.title_zh,
        columns=columns,
        above=_above(sheet, table),
        ruled=True,
        landscape=True,
        grand_total=True,
        keys=_keys(table, [column.width for column in columns]),
    )


def _keys(table: Table, widths: Sequence[int]) -> int:
    """How many of the first columns say which row it is: its number, or the texts before any figure."""
    texts = itertools.takewhile(lambda column: column.kind not in FIGURES, table.columns)
    fitting = itertools.takewhile(lambda width: width <= _KEYS_WIDTH, itertools.accumulate(widths))
    return max(1, sum(1 for _ in zip(texts, fitting, strict=False)))


def _column(column: Column, first: list[pl.DataFrame]) -> workbook.Column:
    form: workbook.Form = "number"
    if column.kind in ("text", "date", "month"):
        form = column.kind
    return workbook.Column(
        key=column.key,
        title=column.title_zh,
        form=form,
        decimals=DECIMALS.get(column.kind, 0),
        number_format=_FORMATS.get(column.kind, ""),
        note=column.article,
        width=_WIDTHS.get(column.kind) or _text_width(column, first),
        total=column.total,
        formula=column.formula,
        formula_if=column.formula_if,
    )


def _text_width(column: Column, first: list[pl.DataFrame]) -> int:
    values = (text for frame in first for text in frame.get_column(column.key))
    texts = itertools.islice(values, _LOOKED_AT)
    least, most = _TEXT_WIDTHS
    return min(most, 2 + max([least, *(wide(text) for text in texts if text)]))


def _above(sheet: Sheet, table: Table) -> tuple[workbook.Line, ...]:
    lines = heading_lines(sheet.heading)
    last_left, last_right = lines[-1]
    if unit_zh := unit(sheet, table):
        said = f"单位：{unit_zh}"
        lines[-1] = (last_left, f"{last_right}　{said}" if last_right else said)
    return (
        workbook.Line(title(sheet, table), "title"),
        *(workbook.Line(left, "meta", right) for left, right in lines),
    )


def _notes(sheet: Sheet) -> tuple[workbook.Line, ...]:
    numbered = (f"注{n}：{note}" for n, note in enumerate(sheet.footnotes, start=1))
    return (*map(workbook.Line, numbered), workbook.Line(signature_line(sheet), "meta"))


def _below(notes: tuple[workbook.Line, ...]) -> Callable[[int], Sequence[workbook.Line]]:
    return lambda rows: notes if rows <= LONG_ROWS else ()


def _nothing(_rows: int) -> Sequence[workbook.Line]:
    return ()
