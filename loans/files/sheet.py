"""One sheet as a stream of rows, with bounded memory. Runs in the child process.

The `<dimension>` tag is not believed, nothing is allocated from a cell's address, and every cell
keeps what it was: text, number, date, boolean, error value, or a formula without a stored value.
"""

import re
from collections.abc import Callable

from loans.files.addresses import column_letter, column_number
from loans.files.cell_values import CellValues
from loans.files.limits import MAX_CELL_CHARACTERS, MAX_COLUMNS
from loans.files.package import damaged, refuse
from loans.files.workbook_parts import Attributes, Workbook, local

_ADDRESS = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")
_LAST_ROW = 1_048_576
_TAGS = frozenset(["row", "c", "v", "f", "t", "rPh", "mergeCell"])

Row = list[str]
"""Cells from column A on, each a type letter of CELL_TYPES and the text; blank ones are empty."""


class SheetReader:
    """Expat handlers that turn a sheet's XML into calls of `emit(row number, cells)`.

    Character data goes straight into `pieces` (`parser.CharacterDataHandler = reader.pieces.append`,
    the handlers are called for every cell of a million rows); what belongs to no value is dropped.
    """

    def __init__(self, workbook: Workbook, emit: Callable[[int, Row], None]) -> None:
        self.merged: list[str] = []
        self.hidden: list[tuple[int, int]] = []
        self.pieces: list[str] = []
        self._values = CellValues(workbook)
        self._emit = emit
        self._tags: dict[str, str] = {}
        self._columns: dict[str, int] = {}
        self._row = 0
        self._hidden = False
        self._cells: Row = []
        self._column = -1
        self._cell: Attributes = {}
        self._value: str | None = None
        self._formula = False
        self._phonetic = False
        self._inside = False

    def start(self, name: str, attributes: Attributes) -> None:
        """Note which element opens."""
        tag = self._tags.get(name) or self._tag(name)
        if tag == "c":
            self._cell = attributes
            self._value = None
            self._formula = False
        elif tag in {"v", "t"}:
            self.pieces.clear()
            self._inside = True
        elif tag == "f":
            self._formula = True
        elif tag == "row":
            self._open_row(attributes)
        elif tag == "rPh":
            self._phonetic = True
        elif tag == "mergeCell":
            self.merged.append(attributes.get("ref", ""))

    def end(self, name: str) -> None:
        """Take a value, a cell or a row where it closes."""
        tag = self._tags.get(name) or self._tag(name)
        if tag == "c":
            self._close_cell()
        elif tag == "v":
            self._value = "".join(self.pieces)
            self._inside = False
        elif tag == "t":
            self._inside = False
            if not self._phonetic:
                self._value = (self._value or "") + "".join(self.pieces)
        elif tag == "row":
            self._close_row()
        else:
            self._phonetic = self._phonetic and tag != "rPh"
            self.pieces.clear()

    def check(self) -> None:
        """Refuse text longer than a cell may hold; called after every chunk of the part."""
        if not self._inside:
            self.pieces.clear()
        elif sum(map(len, self.pieces)) + len(self._value or "") > MAX_CELL_CHARACTERS:
            self._refuse_long()

    def _refuse_long(self) -> None:
        refuse(
            f"单元格超过 {MAX_CELL_CHARACTERS} 个字符",
            f"a cell has more than {MAX_CELL_CHARACTERS} characters",
            row=self._row,
        )

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
        self._cells = []
        self.pieces.clear()

    def _close_cell(self) -> None:
        attributes = self._cell
        address = attributes.get("r")
        if address is None:
            self._column += 1
        else:
            letters = address.rstrip("0123456789")
            position = self._columns.get(letters)
            self._column = self._position(address, letters) if position is None else position
        value = self._value
        kind = attributes.get("t", "n")
        if value:
            if len(value) > MAX_CELL_CHARACTERS:
                self._refuse_long()
            self._put(self._values.cell(kind, attributes.get("s", "0"), value))
        elif self._formula and not (value == "" and kind == "str"):
            self._put("f")

    def _position(self, address: str, letters: str) -> int:
        if _ADDRESS.fullmatch(address) is None:
            damaged()
        position = self._columns[letters] = column_number(letters)
        return position

    def _put(self, cell: str) -> None:
        """Put a cell into its row; cells mostly come in order."""
        cells, column = self._cells, self._column
        if not cell:
            return
        if column == len(cells) < MAX_COLUMNS:
            cells.append(cell)
            return
        if column >= MAX_COLUMNS:
            refuse(
                f"单元格在允许范围之外（最多 {MAX_COLUMNS} 列）",
                f"cell outside the allowed area (at most {MAX_COLUMNS} columns)",
                row=self._row,
                value=f"{column_letter(column)}{self._row}",
            )
        cells.extend([""] * (column + 1 - len(cells)))
        if cells[column]:
            damaged()
        cells[column] = cell

    def _close_row(self) -> None:
        if self._cells:
            if self._hidden:
                self._note_hidden()
            self._emit(self._row, self._cells)

    def _note_hidden(self) -> None:
        """Collect hidden rows as ranges (first, last)."""
        first, last = self.hidden.pop() if self.hidden else (self._row, self._row)
        if last < self._row - 1:
            self.hidden.append((first, last))
            first = self._row
        self.hidden.append((first, self._row))
