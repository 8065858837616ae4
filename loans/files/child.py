"""The process that opens workbooks, so that a hostile one can only harm this process.

`python -m loans.files.child INPUT OUTPUT [SHEET NAME …]` writes the cells as CSV to OUTPUT (row
number, then one field per column: type letter and text) and one JSON object to standard output:
`{"headers": […]}` or `{"problems": [[row, message, value], …]}`. It knows no database, holds no
credentials, and runs under limits on memory, time and output.
"""

import csv
import json
import resource
import sys
import zipfile
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import IO

from loans.files.addresses import column_letter, column_number
from loans.files.limits import (
    CHILD_CPU_SECONDS,
    CHILD_MEMORY_BYTES,
    CHILD_OUTPUT_BYTES,
    MAX_ROWS,
)
from loans.files.package import feed, new_parser, open_package, refuse
from loans.files.problems import FileError, Problem, file_problem
from loans.files.sheet import Row, SheetReader
from loans.files.workbook_parts import Sheet, Workbook, read_workbook

DATA_SHEET_NAMES = ("数据", "data")


def main(arguments: Sequence[str]) -> int:
    """Read one workbook under limits; problems of the file are answers, not failures."""
    limits = (
        (resource.RLIMIT_AS, CHILD_MEMORY_BYTES),
        (resource.RLIMIT_CPU, CHILD_CPU_SECONDS),
        (resource.RLIMIT_FSIZE, CHILD_OUTPUT_BYTES),
        (resource.RLIMIT_CORE, 0),
    )
    for limit, value in limits:
        resource.setrlimit(limit, (value, value))
    source, target, *names = arguments
    try:
        answer: dict[str, object] = {
            "headers": convert(Path(source), Path(target), sheet_names=names)
        }
    except FileError as refusal:
        answer = {"problems": [[p.row, p.message, p.value] for p in refusal.problems]}
    except (MemoryError, RecursionError):
        message = file_problem("文件展开后所需内存过大", "the file needs too much memory").message
        answer = {"problems": [[1, message, None]]}
    sys.stdout.write(json.dumps(answer))
    return 0


def convert(source: Path, target: Path, *, sheet_names: Collection[str]) -> list[str]:
    """Write the data sheet's cells to `target`; return the headers (row 1)."""
    with open_package(source) as package:
        book = read_workbook(package)
        sheet = _data_sheet(package, book, sheet_names)
        with target.open("w", encoding="utf-8", newline="") as output:
            writer = CellWriter(output)
            reader = SheetReader(book, writer.row)
            _run(package, sheet, reader)
        writer.finish(merged=reader.merged, hidden=reader.hidden)
        return writer.headers


def _run(package: zipfile.ZipFile, sheet: Sheet, reader: SheetReader) -> None:
    parser = new_parser()
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.pieces.append
    try:
        part = package.open(sheet.part)
    except KeyError:
        refuse("文件已损坏：缺少工作表", "the file is damaged: a sheet is missing")
    with part:
        feed(part, parser, reader.check)


class _FilledError(Exception):
    pass


def _is_filled(package: zipfile.ZipFile, book: Workbook, sheet: Sheet) -> bool:
    def stop(*_: object) -> None:
        raise _FilledError

    try:
        _run(package, sheet, SheetReader(book, stop))
    except _FilledError:
        return True
    return False


def _data_sheet(package: zipfile.ZipFile, book: Workbook, names: Collection[str]) -> Sheet:
    """Return the visible sheet of a known name, else the only visible one that is not blank.

    Which sheet was open when the file was saved says nothing.
    """
    wanted = {name.strip().casefold() for name in (*names, *DATA_SHEET_NAMES)}
    named = [sheet for sheet in book.sheets if sheet.name.strip().casefold() in wanted]
    filled = [sheet for sheet in named or book.sheets if _is_filled(package, book, sheet)]
    if not filled:
        refuse("没有可见的非空工作表", "the workbook is empty: no visible sheet with data")
    if len(filled) > 1:
        shown = "、".join(sheet.name for sheet in filled)
        refuse(
            "有多个可见的数据工作表，请只保留一个，或将其命名为“数据”",
            "more than one data sheet; keep one, or name it 数据",
            value=shown,
        )
    return filled[0]


class CellWriter:
    """Writes rows to CSV as they come; knows the headers once row 1 has passed."""

    def __init__(self, output: IO[str]) -> None:
        self.headers: list[str] = []
        self._write = csv.writer(output, lineterminator="\n").writerow
        self._rows = 0
        self._last = 0
        self._problems: list[Problem] = []
        self._stray: set[int] = set()

    def row(self, number: int, cells: Row) -> None:
        """Take one row that is not blank."""
        if not self._last and number == 1:
            self.headers = [cell[1:] for cell in cells]
            self._last = 1
            return
        if not self._last:
            refuse("第一行应为表头", "the first row must hold the headers")
        self._last = number
        self._rows += 1
        if self._rows > MAX_ROWS:
            refuse(f"超过 {MAX_ROWS:,} 行", f"more than {MAX_ROWS:,} rows; split the file")
        width = len(self.headers)
        self._refuse_stray(number, cells, width)
        self._write([number, *cells, *[""] * (width - len(cells))])

    def finish(self, *, merged: Sequence[str], hidden: Sequence[tuple[int, int]]) -> None:
        """Refuse merged cells and hidden rows in the data, all of them named."""
        self._problems += [
            file_problem("数据区内有合并单元格", "merged cells in the data", row=top, value=area)
            for area in merged
            if (top := self._top(area)) is not None
        ]
        self._problems += [
            file_problem(
                f"第 {first}–{last} 行被隐藏或筛选掉了，请取消隐藏或删除",
                f"rows {first} to {last} are hidden or filtered out; show or delete them",
                row=first,
            )
            for first, last in hidden
        ]
        if self._problems:
            raise FileError(self._problems)

    def _refuse_stray(self, number: int, cells: Row, width: int) -> None:
        for column in range(width, len(cells)):
            if cells[column] and column not in self._stray:
                self._stray.add(column)
                self._problems.append(
                    file_problem(
                        f"第 {column_letter(column)} 列有数据但没有表头",
                        f"column {column_letter(column)} has data but no header",
                        row=number,
                    )
                )
        del cells[width:]

    def _top(self, area: str) -> int | None:
        """Return the first row of a merged area that touches the table; None if it lies outside."""
        first, _, _ = area.upper().partition(":")
        letters = first.rstrip("0123456789")
        digits = first[len(letters) :]
        if not (letters.isalpha() and letters.isascii() and digits):
            return 1
        inside = int(digits) <= self._last and column_number(letters) < len(self.headers)
        return int(digits) if inside else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
