"""The archive around the sheets: parts, relations, names; nothing in it depends on the clock.

Entries opened by name carry the archive format's first day as their date.
"""

from __future__ import annotations

import itertools
import re
import zipfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self
from xml.sax.saxutils import quoteattr

import polars as pl

from config.kernel.services.bulk import closing_frames
from config.kernel.services.workbook.shapes import Line
from config.kernel.services.workbook.sheet import SHEET_BYTES, SHEET_ROWS, Sheet, Table
from config.kernel.services.workbook.styles import Styles

SLICE_ROWS = 10_000
NAME_LENGTH = 25  # of the format's 31; the rest is for a number
_LEVEL = 1  # a third of the time of the default, for files a tenth larger
_FORBIDDEN = re.compile(r"[\[\]:*?/\\\x00-\x1f]")
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'

Below = Callable[[int], Sequence[Line]]


def _nothing(_rows: int) -> Sequence[Line]:
    return ()


class Book:
    """An XLSX file being written; sheets are added one after another, and stay as they are."""

    def __init__(self, path: Path, *, sheet_rows: int = SHEET_ROWS) -> None:
        self._archive = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL)
        self._sheet_rows = sheet_rows
        self._styles = Styles()
        self._sheets: list[Sheet] = []
        self._stream: IO[bytes] | None = None
        # First, so that programs which tell files by their beginning know what it is.
        self._part("_rels/.rels", _relations((f"{_OFFICE}/officeDocument", "xl/workbook.xml")))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._finish()
            self._close_sheet()
        finally:
            self._archive.close()

    def add(
        self,
        table: Table,
        frames: Iterable[pl.DataFrame],
        *,
        below: Below = _nothing,
        progress: Callable[[int], None] | None = None,
    ) -> int:
        """Write one table; returns its number of rows.

        `below` is asked with that number for the lines after the last row; `progress` is told of rows
        as they are written.
        """
        writing = _Writing(self, table)
        with closing_frames(frames):
            for frame in frames:
                for piece in frame.iter_slices(SLICE_ROWS):
                    writing.write(piece)
                    if progress is not None:
                        progress(piece.height)
        return writing.end(below)

    def open_sheet(self, table: Table, part: int) -> Sheet:
        """End the last worksheet's stream and begin the next."""
        self._close_sheet()
        number = len(self._sheets) + 1
        self._stream = self._archive.open(f"xl/worksheets/sheet{number}.xml", "w")
        sheet = Sheet(
            self._stream, table, self._name(table.name, part), self._styles, is_first=number == 1
        )
        self._sheets.append(sheet)
        return sheet

    def room(self, sheet: Sheet) -> int:
        """How many rows a sheet can still take."""
        return 0 if sheet.size > SHEET_BYTES else self._sheet_rows - sheet.rows

    def _name(self, title: str, part: int) -> str:
        """A name that the format allows and no other sheet has."""
        taken = {sheet.name.casefold() for sheet in self._sheets}
        stem = _FORBIDDEN.sub(" ", title).strip("' ") or "Sheet"
        names = (f"{stem[:NAME_LENGTH]}{f'-{n}' if n > 1 else ''}" for n in itertools.count(part))
        return next(name for name in names if name.casefold() not in taken)

    def _close_sheet(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _finish(self) -> None:
        if not self._sheets:
            self.add(Table("Sheet", ()), ())
        self._close_sheet()
        self._part("xl/styles.xml", self._styles.xml())
        self._part("xl/workbook.xml", self._workbook())
        sheets = range(1, len(self._sheets) + 1)
        self._part(
            "xl/_rels/workbook.xml.rels",
            _relations(
                *((f"{_OFFICE}/worksheet", f"worksheets/sheet{n}.xml") for n in sheets),
                (f"{_OFFICE}/styles", "styles.xml"),
            ),
        )
        self._part("[Content_Types].xml", _content_types(len(self._sheets)))

    def _part(self, name: str, text: str) -> None:
        with self._archive.open(name, "w") as out:
            out.write(text.encode())

    def _workbook(self) -> str:
        sheets = "".join(
            f'<sheet name={quoteattr(sheet.name)} sheetId="{n}" r:id="rId{n}"/>'
            for n, sheet in enumerate(self._sheets, start=1)
        )
        named = [name for n, s in enumerate(self._sheets) for name in s.defined_names(n)]
        names = (
            f"<definedNames>{''.join(sorted(named, key=_name_key))}</definedNames>" if named else ""
        )
        return (
            f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><bookViews><workbookView/></bookViews>'
            f'<sheets>{sheets}</sheets>{names}<calcPr calcId="191029" fullCalcOnLoad="1"/></workbook>'
        )


class _Writing:
    """One table on its way into as many sheets as it needs."""

    def __init__(self, book: Book, table: Table) -> None:
        self._book = book
        self._table = table
        self._done: list[Sheet] = []
        self._sheet = book.open_sheet(table, 1)

    def write(self, frame: pl.DataFrame) -> None:
        """Write rows, on a new sheet once the last is full."""
        while frame.height:
            if room := self._book.room(self._sheet):
                self._sheet.write(frame.head(room))
                frame = frame.slice(room)
            else:
                self._sheet.end()
                self._done.append(self._sheet)
                self._sheet = self._book.open_sheet(self._table, len(self._done) + 1)

    def end(self, below: Below) -> int:
        """Finish the last sheet; returns the rows of all."""
        rows = sum(sheet.rows for sheet in (*self._done, self._sheet))
        self._sheet.end(below(rows), self._done if self._table.grand_total else ())
        return rows


def _name_key(xml: str) -> tuple[str, int]:
    found = re.match(r'<definedName name="([^"]+)" localSheetId="(\d+)"', xml)
    assert found is not None
    return found[1], int(found[2])


def _relations(*relations: tuple[str, str]) -> str:
    listed = "".join(
        f'<Relationship Id="rId{n}" Type="{kind}" Target="{target}"/>'
        for n, (kind, target) in enumerate(relations, start=1)
    )
    return f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">{listed}</Relationships>'


def _content_types(sheets: int) -> str:
    listed = "".join(
        f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{_TYPE}.worksheet+xml"/>'
        for n in range(1, sheets + 1)
    )
    return (
        f'{_XML}<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>{listed}'
        f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/></Types>'
    )
