"""Registers out of the database: CSV for machines, XLSX for people, a million rows in bounded memory.

A text that a spreadsheet would take for a formula gets a leading apostrophe (our own intake takes
it off again); numbers and dates are typed cells. A file appears whole or not at all.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import xlsxwriter
from django.db import connection, transaction
from xlsxwriter.utility import xl_col_to_name

from config.kernel.models import SCOPE_ALL
from config.kernel.services.bulk import driver_cursor

SHEET_ROWS = 1_000_000  # below the format's 1,048,576
FETCH_ROWS = 5_000
TODAY = "(now() AT TIME ZONE 'Asia/Shanghai')::date"  # for the SQL of a field: sessions run in UTC

# How a column of each type is written: SQL template, XLSX number format (None: text).
_TYPES: dict[str, tuple[str, str | None]] = {
    "text": ("CASE WHEN ({0}) ~ '^[=+@＝＋－＠\\t\\r-]' THEN '''' || ({0}) ELSE ({0}) END", None),
    "amount": ("(({0}) * 0.01)::numeric(22, 2)", "#,##0.00"),
    "rate": ("(({0}) * 0.0001)::numeric(12, 4)", "0.0000"),
    "exchange_rate": ("trim_scale(({0}) * 0.00000001)", "0.0000####"),
    "int": ("{0}", "0"),
    "date": ("{0}", "yyyy-mm-dd"),
    "month": ("to_char({0}, 'YYYY-MM')", None),
    "bool": ("CASE WHEN {0} THEN 'yes' ELSE 'no' END", None),
}


@dataclass(frozen=True)
class Field:
    """A column of an export: file key, Chinese header, type and the SQL that fills it."""

    key: str
    header_zh: str
    type: str
    sql: str

    @property
    def expression(self) -> str:
        """The SQL of the value as it is written."""
        return _TYPES[self.type][0].format(self.sql)


@dataclass(frozen=True)
class Register:
    """An exportable list: where its rows come from and what its columns are."""

    name: str
    title_zh: str
    fields: tuple[Field, ...]
    source: str  # FROM …
    order: str
    scope: str | None = None  # SQL of the institution whose staff may see the row
    within: str = ""  # or: condition over %(lo)s … %(hi)s, the institutions whose staff see it
    filters: Mapping[str, str] | None = None  # filter name → condition over %(name)s
    condition: str = "true"
    totals: tuple[str, ...] = ()  # keys that get a total in XLSX

    @property
    def visible(self) -> str:
        """The condition under which staff of the institutions lo … hi see a row; "" for all."""
        return self.within or (self.scope and f"{self.scope} BETWEEN %(lo)s AND %(hi)s") or ""


def write_register(
    *,
    register: Register,
    path: Path,
    file_format: str,
    scope: tuple[int, int] | None,
    filters: Mapping[str, Any],
) -> int:
    """Write one register to a file; returns the number of rows."""
    query, params = _query(register, scope=scope, filters=filters)
    with transaction.atomic(), _whole(path) as partial:
        if file_format == "csv":
            return _write_csv(register, query, params, partial)
        return _write_xlsx(register, query, params, partial)


def register_rows(
    *, register: Register, scope: tuple[int, int], filters: Mapping[str, Any], limit: int
) -> list[dict[str, Any]]:
    """The first rows of a register as they would be written, by key, for a page."""
    query, params = _query(register, scope=scope, filters=filters)
    with connection.cursor() as cursor:
        cursor.execute(f"{query} LIMIT {limit:d}", params)
        keys = [field.key for field in register.fields]
        return [dict(zip(keys, row, strict=True)) for row in cursor.fetchall()]


def _query(
    register: Register, *, scope: tuple[int, int] | None, filters: Mapping[str, Any]
) -> tuple[str, dict[str, Any]]:
    columns = ", ".join(f'{f.expression} AS "{f.key}"' for f in register.fields)
    conditions = [register.condition, *((register.filters or {})[name] for name in filters)]
    lo, hi = scope or SCOPE_ALL
    params = {**filters, "lo": lo, "hi": hi}  # a source may narrow what stands beside a row, too
    if (lo, hi) != SCOPE_ALL and register.visible:
        conditions.append(register.visible)
    where = " AND ".join(f"({condition})" for condition in conditions)
    query = f"SELECT {columns} FROM {register.source} WHERE {where} ORDER BY {register.order}"
    return query.replace("%", "%%").replace("%%(", "%("), params


@contextlib.contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """Write beside the place first, so that nobody ever finds half a file."""
    partial = path.with_name(f".{path.name}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _write_csv(register: Register, query: str, params: dict[str, Any], path: Path) -> int:
    statement = cast("Any", f"COPY ({query}) TO STDOUT (FORMAT csv)")
    header = ",".join(field.key for field in register.fields) + "\n"
    with path.open("wb") as out, driver_cursor() as cursor:
        out.write(header.encode())
        with cursor.copy(statement, params) as copy:
            for block in copy:
                out.write(block)
        return int(cursor.rowcount)


def _write_xlsx(register: Register, query: str, params: dict[str, Any], path: Path) -> int:
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    count = 0
    with xlsxwriter.Workbook(str(path), options) as book, connection.chunked_cursor() as cursor:
        cursor.execute(query, params)
        sheets = _Sheets(book, register)
        while rows := cursor.fetchmany(FETCH_ROWS):
            for row in rows:
                sheets.write(row)
            count += len(rows)
        sheets.finish()
    return count


class _Sheets:
    """The sheets of one register: a header on each, a new one when the last is full."""

    def __init__(self, book: Any, register: Register) -> None:
        self._book = book
        self._register = register
        self._header = book.add_format({"bold": True, "bottom": 1, "text_wrap": True})
        self._formats = [
            book.add_format({"num_format": code}) if code else None
            for code in (_TYPES[field.type][1] for field in register.fields)
        ]
        self._number = 0
        self._begin()

    def _begin(self) -> None:
        self._number += 1
        self._row = 0
        self._sums: dict[str, Decimal] = dict.fromkeys(self._register.totals, Decimal(0))
        suffix = f"-{self._number}" if self._number > 1 else ""
        self._sheet = self._book.add_worksheet(f"{self._register.title_zh[:25]}{suffix}")
        self._sheet.freeze_panes(1, 0)
        self._sheet.repeat_rows(0)
        for column, (field, cell_format) in enumerate(
            zip(self._register.fields, self._formats, strict=True)
        ):
            width = 12 if field.type in ("date", "int", "bool", "rate") else 20
            self._sheet.set_column(column, column, width, cell_format)
            self._sheet.write_string(0, column, field.header_zh, self._header)

    def write(self, row: tuple[Any, ...]) -> None:
        """Write one row, on a new sheet if this one is full."""
        if self._row == SHEET_ROWS:
            self._end()
            self._begin()
        self._row += 1
        for column, (field, cell) in enumerate(zip(self._register.fields, row, strict=True)):
            if cell is None:
                continue
            if field.type == "date":
                self._sheet.write_datetime(self._row, column, cell, self._formats[column])
            elif self._formats[column] is None:
                self._sheet.write_string(self._row, column, cell)
            else:
                self._sheet.write_number(self._row, column, cell, self._formats[column])
                if field.key in self._sums:
                    self._sums[field.key] += cell

    def _end(self) -> None:
        last = self._row
        self._sheet.autofilter(0, 0, max(last, 1), len(self._register.fields) - 1)
        if not self._sums:
            return
        self._sheet.write_string(last + 1, 0, "合计 Total", self._header)
        for column, field in enumerate(self._register.fields):
            if field.key in self._sums:
                name = xl_col_to_name(column)
                formula = f"=SUM({name}2:{name}{last + 1})"
                self._sheet.write_formula(
                    last + 1, column, formula, self._formats[column], self._sums[field.key]
                )

    def finish(self) -> None:
        """Close the last sheet."""
        self._end()
