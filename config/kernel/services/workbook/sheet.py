"""One worksheet, written from its first line to its last: heading, header, rows, totals, notes."""

from __future__ import annotations

import io
import itertools
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import IO
from xml.sax.saxutils import escape

import polars as pl

from config.kernel.services.workbook.cells import column_xml, decimal_text, inline
from config.kernel.services.workbook.shapes import Column, Line, letters
from config.kernel.services.workbook.styles import Look, Styles

SHEET_ROWS = (
    1_000_000  # below the format's 1,048,576, which heading, totals and notes count towards
)
# A longer stream would need an extension of the archive format that Excel offers to repair.
SHEET_BYTES = 2_000_000_000
TOTAL = "合计 Total"
GRAND_TOTAL = "总计 Grand total"
_LINE_POINTS = 15
_PAGE_WIDTH = 240  # characters that are still readable side by side on a page


@dataclass(frozen=True)
class Table:
    """A list to be written as one sheet, or as several where it is long.

    `ruled` gives every cell borders, as forms have. `above` stands over the header of each sheet.
    `grand_total` adds the sum over all sheets to the last one where there are several. The first `keys`
    columns say which row it is: they are repeated on every page of a sheet too wide for one.
    """

    name: str
    columns: tuple[Column, ...]
    above: tuple[Line, ...] = ()
    ruled: bool = False
    landscape: bool = False
    grand_total: bool = False
    keys: int = 1


class Sheet:
    """The stream of one worksheet."""

    def __init__(
        self, out: IO[bytes], table: Table, name: str, styles: Styles, *, is_first: bool
    ) -> None:
        self.name = name
        self.rows = 0
        self.size = 0
        self.sums = {column.key: 0 for column in table.columns if column.total}
        self.total_row = 0
        self._out = out
        self._table = table
        self._styles = styles
        self._row = 0
        self._merged: list[str] = []
        self._places = {c.key: letters(place) for place, c in enumerate(table.columns)}
        self._last = letters(max(len(table.columns) - 1, 0))
        width = sum(column.width for column in table.columns)
        self._pages_across = max(1, -(-width // _PAGE_WIDTH))
        self._page_width = -(-width // self._pages_across)
        self._begin(is_first=is_first)

    def write(self, frame: pl.DataFrame) -> None:
        """Write rows."""
        first = self._row + 1
        numbers = pl.int_range(first, first + frame.height, eager=True).cast(pl.String)
        body: Look = "body" if self._table.ruled else "plain"
        cells = [
            column_xml(c, frame, self._styles.number(body, c.number_format), numbers, self._places)
            for c in self._table.columns
        ]
        lines = pl.select(
            pl.concat_str(pl.lit('<row r="'), numbers, pl.lit('">'), *cells, pl.lit("</row>"))
        )
        buffer = io.BytesIO()
        lines.write_csv(buffer, include_header=False, quote_style="never")
        self._put(buffer.getbuffer())
        for key in self.sums:
            self.sums[key] += int(frame.get_column(key).cast(pl.Int128).sum())
        self._row += frame.height
        self.rows += frame.height

    def end(self, below: Sequence[Line] = (), earlier: Sequence[Sheet] = ()) -> None:
        """Write totals, then `below`, then what follows the rows; `earlier` are this list's other sheets."""
        last = self._row
        if self.sums:
            self.total_row = self._row + 1
            self._totals(TOTAL, dict(self.sums), self._summed)
            if earlier:
                whole = {k: n + sum(s.sums[k] for s in earlier) for k, n in self.sums.items()}
                parts = [*earlier, self]
                self._totals(GRAND_TOTAL, whole, lambda place: _across(parts, place))
        if below:
            self._row += 1
            self._lines(below)
        self._put(b"</sheetData>")
        self._finish(last)

    def defined_names(self, place: int) -> list[str]:
        """The rows repeated on each printed page and the filtered range, as the workbook lists them."""
        if not self._table.columns:
            return []
        quoted = escape(quoted_name(self.name))
        first = self._title_row
        keys = letters(self._table.keys - 1)
        repeated = f"{quoted}!$A:${keys}," if self._pages_across > 1 else ""
        return [
            f'<definedName name="_xlnm._FilterDatabase" localSheetId="{place}" hidden="1">'
            f"{quoted}!$A${self.header_row}:${self._last}${self._filter_end}</definedName>",
            f'<definedName name="_xlnm.Print_Titles" localSheetId="{place}">'
            f"{repeated}{quoted}!${first}:${self.header_row}</definedName>",
        ]

    def _put(self, data: bytes | memoryview) -> None:
        self.size += len(data)
        self._out.write(data)

    def _begin(self, *, is_first: bool) -> None:
        table = self._table
        notes = any(column.note for column in table.columns)
        self._title_row = len(table.above) + 1
        self.header_row = len(table.above) + (1 + notes if table.columns else 0)
        self._filter_end = self.header_row
        self._put(self._head(is_first=is_first).encode())
        self._lines(table.above)
        if notes:
            tall = max(_lines_of(c.note, c.width + c.width // 3) for c in table.columns) * 11 + 3
            self._line([inline(c.note, self._style("note_row")) for c in table.columns], tall)
        if table.columns:
            tall = max(_lines_of(c.title, c.width) for c in table.columns) * _LINE_POINTS + 3
            self._line([inline(c.title, self._style("header")) for c in table.columns], tall)

    def _head(self, *, is_first: bool) -> str:
        frozen = ""
        if self._table.columns:
            below = self.header_row
            frozen = (
                f'<pane ySplit="{below}" topLeftCell="A{below + 1}" activePane="bottomLeft" state="frozen"/>'
                '<selection pane="bottomLeft"/>'
            )
        selected = ' tabSelected="1"' if is_first else ""
        widths = "".join(
            f'<col min="{n}" max="{n}" width="{c.width}.7109375" customWidth="1"/>'
            for n, c in enumerate(self._table.columns, start=1)
        )
        return (
            '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
            '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
            '<sheetPr><pageSetUpPr fitToPage="1"/></sheetPr>'
            f'<sheetViews><sheetView{selected} workbookViewId="0">{frozen}</sheetView></sheetViews>'
            '<sheetFormatPr defaultRowHeight="15"/>'
            + (
                f"<cols>{widths}</cols>"
                if widths
                else '<cols><col min="1" max="1" width="110"/></cols>'
            )
            + "<sheetData>\n"
        )

    def _style(self, look: Look, number_format: str = "") -> int:
        return self._styles.number(look, number_format)

    def _line(self, cells: Sequence[str], points: int | None = None) -> None:
        self._row += 1
        tall = f' ht="{points}" customHeight="1"' if points else ""
        self._put(f'<row r="{self._row}"{tall}>{"".join(cells)}</row>\n'.encode())

    def _lines(self, lines: Sequence[Line]) -> None:
        for line in lines:
            self._across(line)

    def _across(self, line: Line) -> None:
        """A line over the first page's columns, its right part over the last third of them."""
        sums = itertools.accumulate(column.width for column in self._table.columns)
        columns = max(sum(width <= self._page_width for width in sums), 1)
        widths = [column.width for column in self._table.columns[:columns]] or [110]
        split = columns - columns // 3
        text, right = line.text, line.right
        if right and split == columns:
            text, right = f"{text}　{right}", ""
        cells = [inline(text, self._style(line.role))]
        row = self._row + 1
        left_end = split if right else columns
        if right:
            cells += [f'<c s="{self._style(line.role)}"/>'] * (split - 1)
            cells.append(inline(right, self._style("right")))
            self._merge(split, columns - 1, row)
        self._merge(0, left_end - 1, row)
        tall = _lines_of(text, sum(widths[:left_end])) * _LINE_POINTS + 3
        if right:
            tall = max(tall, _lines_of(right, sum(widths[split:])) * _LINE_POINTS + 3)
        self._line(cells, 30 if line.role == "title" else tall)

    def _merge(self, first: int, last: int, row: int) -> None:
        if last > first:
            self._merged.append(f"{letters(first)}{row}:{letters(last)}{row}")

    def _summed(self, place: str) -> str:
        """The sum of a column's rows; of none, of its header alone, lest it add up its own cell."""
        first = self.header_row + 1 if self.rows else self.header_row
        return f"SUM({place}{first}:{place}{self.total_row - 1})"

    def _totals(self, label: str, sums: dict[str, int], formula: Callable[[str], str]) -> None:
        look: Look = "total"
        cells, is_told = [], False
        for column in self._table.columns:
            style = self._style(look, column.number_format if column.key in sums else "")
            if column.key in sums:
                live = escape(formula(self._places[column.key]))
                value = decimal_text(sums[column.key], column.decimals)
                cells.append(f'<c s="{style}"><f>{live}</f><v>{value}</v></c>')
            else:
                cells.append(inline("" if is_told else label, style))
                is_told = True
        self._line(cells)

    def _finish(self, last: int) -> None:
        parts = []
        if self._table.columns:
            self._filter_end = last
            parts.append(f'<autoFilter ref="A{self.header_row}:{self._last}{last}"/>')
        if self._merged:
            merged = "".join(f'<mergeCell ref="{ref}"/>' for ref in self._merged)
            parts.append(f'<mergeCells count="{len(self._merged)}">{merged}</mergeCells>')
        turned = "landscape" if self._table.landscape else "portrait"
        parts += [
            '<printOptions horizontalCentered="1"/>',
            '<pageMargins left="0.4" right="0.4" top="0.5" bottom="0.6" header="0.3" footer="0.3"/>',
            f'<pageSetup paperSize="9" orientation="{turned}" fitToWidth="{self._pages_across}" fitToHeight="0"/>',
            "<headerFooter><oddFooter>&amp;C第 &amp;P 页 / 共 &amp;N 页</oddFooter></headerFooter>",
            "</worksheet>",
        ]
        self._put("".join(parts).encode())


def quoted_name(name: str) -> str:
    """A sheet's name as formulas write it."""
    doubled = name.replace("'", "''")
    return f"'{doubled}'"


def _across(sheets: Sequence[Sheet], place: str) -> str:
    return "+".join(f"{quoted_name(sheet.name)}!{place}{sheet.total_row}" for sheet in sheets)


def _lines_of(text: str, width: int) -> int:
    """How many lines a text takes in so many characters, Chinese ones counting two."""
    lines = 0
    for part in text.split("\n"):
        taken = sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in part)
        lines += max(1, -(-taken // max(width, 1)))
    return lines
