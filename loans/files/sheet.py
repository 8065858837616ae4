"""One sheet as a stream of rows, with bounded memory. Runs in the child process.

The `<dimension>` tag is not believed, nothing is allocated from a cell's address, and every cell
keeps what it was: text, number, date, boolean, error value, or a formula without a stored value.
"""

import re
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import ClassVar

from loans.files.addresses import column_letter, column_number
from loans.files.limits import MAX_CELL_CHARACTERS, MAX_COLUMNS
from loans.files.package import damaged, refuse
from loans.files.workbook_parts import (
    DATE,
    NUMBER,
    Attributes,
    Workbook,
    local,
    unescaped,
)

_ADDRESS = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")
_LAST_ROW = 1_048_576
_TAGS = frozenset(["row", "c", "v", "f", "t", "is", "rPh", "mergeCell", "sheetData"])
_SECONDS_A_DAY = 86_400
_LOST_DAY = 60
_DAYS_1900 = date(1899, 12, 30)
_DAYS_1900_EARLY = date(1899, 12, 31)
_DAYS_1904 = date(1904, 1, 1)
_LAST_SERIAL = 2_900_000

Row = list[str]
"""Cells from column A on, each a type letter of CELL_TYPES and the text; blank ones are empty."""


def date_text(serial: str, *, epoch_1904: bool) -> str | None:
    """Return a date serial as ISO text, with the time if it has one; None if it is no date.

    Serial 60 of the 1900 system is the day that never was: it comes out as 1900-02-29 and is
    refused by the calendar.
    """
    try:
        days, fraction = divmod(Decimal(serial), 1)
    except (InvalidOperation, ValueError):
        return None
    if not 0 <= days <= _LAST_SERIAL:
        return None
    seconds = round(fraction * _SECONDS_A_DAY)
    if seconds == _SECONDS_A_DAY:
        days, seconds = days + 1, 0
    clock = "" if seconds == 0 else f"T{timedelta(seconds=seconds)!s:0>8}"
    if epoch_1904:
        return f"{_DAYS_1904 + timedelta(days=int(days))}{clock}"
    if days == _LOST_DAY:
        return f"1900-02-29{clock}"
    start = _DAYS_1900 if days > _LOST_DAY else _DAYS_1900_EARLY
    return f"{start + timedelta(days=int(days))}{clock}"


class SheetReader:
    """Expat handlers that turn a sheet's XML into calls of `emit(row number, cells)`."""

    def __init__(self, workbook: Workbook, emit: Callable[[int, Row], None]) -> None:
        self.merged: list[str] = []
        self.hidden: list[tuple[int, int]] = []
        self._book = workbook
        self._emit = emit
        self._tags: dict[str, str] = {}
        self._columns: dict[str, int] = {}
        self._row = 0
        self._hidden = False
        self._cells: dict[int, str] = {}
        self._column = -1
        self._type = "n"
        self._style = 0
        self._formula = False
        self._has_value = False
        self._pieces: list[str] = []
        self._length = 0
        self._listening = False
        self._phonetic = False

    def start(self, name: str, attributes: Attributes) -> None:
        """Note which element opens."""
        tag = self._tags.get(name) or self._tag(name)
        if tag == "c":
            self._open_cell(attributes)
        elif tag == "v":
            self._listening = self._has_value = True
        elif tag == "t":
            self._listening = not self._phonetic
        elif tag == "f":
            self._formula = True
        elif tag == "row":
            self._open_row(attributes)
        elif tag == "rPh":
            self._phonetic = True
        elif tag == "mergeCell":
            self.merged.append(attributes.get("ref", ""))

    def end(self, name: str) -> None:
        """Finish a cell or a row where it closes."""
        tag = self._tags.get(name) or self._tag(name)
        if tag in {"v", "t"}:
            self._listening = False
        elif tag == "c":
            self._close_cell()
        elif tag == "row":
            self._close_row()
        elif tag == "rPh":
            self._phonetic = False

    def text(self, data: str) -> None:
        """Add text to the open cell, up to what one cell may hold."""
        if not self._listening:
            return
        self._length += len(data)
        if self._length > MAX_CELL_CHARACTERS:
            refuse(
                f"单元格超过 {MAX_CELL_CHARACTERS} 个字符",
                f"a cell has more than {MAX_CELL_CHARACTERS} characters",
                row=self._row,
            )
        self._pieces.append(data)

    def _tag(self, name: str) -> str:
        tag = local(name)
        self._tags[name] = tag if tag in _TAGS else "-"
        return self._tags[name]

    def _open_row(self, attributes: Attributes) -> None:
        text = attributes.get("r")
        if text is not None and not (text.isascii() and text.isdigit() and len(text) <= 7):
            damaged()
        number = self._row + 1 if text is None else int(text)
        if not self._row < number <= _LAST_ROW:
            damaged()
        self._row = number
        self._hidden = attributes.get("hidden") in {"1", "true"}
        self._column = -1
        self._cells = {}

    def _open_cell(self, attributes: Attributes) -> None:
        address = attributes.get("r")
        if address is None:
            self._column += 1
        else:
            self._column = self._position(address)
        self._type = attributes.get("t", "n")
        style = attributes.get("s", "0")
        self._style = int(style) if style.isascii() and style.isdigit() else 0
        self._formula = self._has_value = False
        self._pieces = []
        self._length = 0

    def _position(self, address: str) -> int:
        letters = address.rstrip("0123456789")
        position = self._columns.get(letters)
        if position is None:
            if _ADDRESS.fullmatch(address) is None:
                damaged()
            position = self._columns[letters] = column_number(letters)
        return position

    def _close_cell(self) -> None:
        cell = self._cell("".join(self._pieces))
        if not cell:
            return
        if self._column >= MAX_COLUMNS:
            refuse(
                f"单元格在允许范围之外（最多 {MAX_COLUMNS} 列）",
                f"cell outside the allowed area (at most {MAX_COLUMNS} columns)",
                row=self._row,
                value=f"{column_letter(self._column)}{self._row}",
            )
        if self._column in self._cells:
            damaged()
        self._cells[self._column] = cell

    def _cell(self, value: str) -> str:
        """Return type letter and text of the open cell; empty if it is blank."""
        if not value:
            cached = self._has_value and self._type == "str"
            return "f" if self._formula and not cached else ""
        return self._VALUES.get(self._type, SheetReader._error)(self, value)

    def _error(self, value: str) -> str:
        return f"e{value}"

    def _string(self, value: str) -> str:
        return _text_cell(unescaped(value))

    def _boolean(self, value: str) -> str:
        return "bTRUE" if value.strip() in {"1", "true"} else "bFALSE"

    def _day(self, value: str) -> str:
        return f"d{value.strip()}"

    def _shared(self, value: str) -> str:
        try:
            return _text_cell(self._book.strings[int(value)])
        except (ValueError, IndexError):
            damaged()

    def _number(self, value: str) -> str:
        value = value.strip()
        styles = self._book.styles
        shown = styles[self._style] if self._style < len(styles) else NUMBER
        if shown == DATE:
            text = date_text(value, epoch_1904=self._book.epoch_1904)
            return f"n{value}" if text is None else f"d{text}"
        return f"{shown}{value}"

    _VALUES: ClassVar[dict[str, Callable[["SheetReader", str], str]]] = {
        "s": _shared,
        "str": _string,
        "inlineStr": _string,
        "n": _number,
        "b": _boolean,
        "d": _day,
    }

    def _close_row(self) -> None:
        if self._cells:
            cells = [""] * (max(self._cells) + 1)
            for column, cell in self._cells.items():
                cells[column] = cell
            if self._hidden:
                self._note_hidden()
            self._emit(self._row, cells)

    def _note_hidden(self) -> None:
        """Collect hidden rows as ranges (first, last)."""
        first, last = self.hidden.pop() if self.hidden else (self._row, self._row)
        if last < self._row - 1:
            self.hidden.append((first, last))
            first = self._row
        self.hidden.append((first, self._row))


def _text_cell(text: str) -> str:
    return f"t{text}" if text.strip() else ""
