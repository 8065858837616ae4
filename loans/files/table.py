"""A file as text: one string column per header, and what kind of cell each string came from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl

from loans.files.addresses import column_letter
from loans.files.limits import MAX_COLUMNS
from loans.files.problems import HEADER_ROW, FileError, Problem, file_problem
from loans.values.errors import bilingual

ROW = "row"
CELL_TYPES = pl.Enum(["t", "n", "p", "d", "b", "e", "f"])
"""Text, number, number shown as percent, date, boolean, error value, formula without a value."""


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a file, before any column is understood.

    `frame` holds String columns named by the file's headers, and `row` (Int64): the file's line,
    the header being line 1; blank cells are null or empty. In a CSV record that spans lines it is the line where the record
    starts; in a workbook the sheet's row. `cell_types` (workbooks only) has the same columns with
    CELL_TYPES values, null where the cell is blank.
    """

    frame: pl.DataFrame
    format: Literal["csv", "xlsx"]
    cell_types: pl.DataFrame | None = None

    @property
    def headers(self) -> tuple[str, ...]:
        """The headers in the order of the file."""
        return tuple(name for name in self.frame.columns if name != ROW)


def clean_header(text: str) -> str:
    """Return a header without byte-order mark, line breaks and outer spaces."""
    return " ".join(text.replace("\ufeff", "").split())


def header_problems(headers: Sequence[str]) -> list[Problem]:
    """List what makes headers unusable as names: too many, the same twice."""
    if len(headers) > MAX_COLUMNS:
        return [
            file_problem(
                f"最多 {MAX_COLUMNS} 列，实有 {len(headers)} 列",
                f"at most {MAX_COLUMNS} columns, this has {len(headers)}",
            )
        ]
    places: dict[str, list[str]] = {}
    for position, header in enumerate(headers):
        if header:
            places.setdefault(header, []).append(column_letter(position))
    problems = [
        Problem(HEADER_ROW, header, None, None, _twice(letters))
        for header, letters in places.items()
        if len(letters) > 1
    ]
    if ROW in places:
        problems.append(Problem(HEADER_ROW, ROW, None, None, UNKNOWN_COLUMN))
    return problems


UNKNOWN_COLUMN = bilingual("未知的列", "unknown column")


def _twice(letters: Sequence[str]) -> str:
    where = ", ".join(letters)
    return bilingual(f"列重复出现（{where}）", f"this column appears twice ({where})")


def build_table(
    headers: Sequence[str],
    cells: pl.DataFrame,
    *,
    file_format: Literal["csv", "xlsx"],
    cell_types: pl.DataFrame | None = None,
    allow_empty: bool = False,
) -> Table:
    """Name the columns of `cells` (in header order, then `row`) and refuse unusable headers.

    A column without header is dropped if it is blank throughout, refused otherwise.
    """
    names = [clean_header(header) for header in headers]
    problems = header_problems(names)
    if not problems and not any(names):
        problems = [file_problem("第一行应为表头", "the first row must hold the headers")]
    problems += _headless_problems(names, cells)
    if not problems and cells.is_empty() and not allow_empty:
        problems = [file_problem("没有数据行", "no data rows")]
    if problems:
        raise FileError(problems)
    kept = [position for position, header in enumerate(names) if header]

    def named(frame: pl.DataFrame) -> list[pl.Series]:
        return [frame.to_series(position).alias(names[position]) for position in kept]

    return Table(
        frame=pl.DataFrame([*named(cells), cells[ROW].alias(ROW)]),
        format=file_format,
        cell_types=None if cell_types is None else pl.DataFrame(named(cell_types)),
    )


def _headless_problems(names: Sequence[str], cells: pl.DataFrame) -> list[Problem]:
    problems = []
    for position, header in enumerate(names):
        if header:
            continue
        column = cells.to_series(position)
        filled = cells[ROW].filter(column.is_not_null() & (column.str.strip_chars() != ""))
        if len(filled):
            letter = column_letter(position)
            problems.append(
                file_problem(
                    f"第 {letter} 列有数据但没有表头",
                    f"column {letter} has data but no header",
                    row=filled[0],
                )
            )
    return problems
