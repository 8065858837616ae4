"""Registers out of the database: CSV for machines, XLSX for people, a million rows in bounded memory.

A text that a spreadsheet would take for a formula gets a leading apostrophe (our own intake takes
it off again); numbers and dates are typed cells. A file appears whole or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple, cast

import polars as pl
from django.db import connection, transaction

from config.kernel.models import SCOPE_ALL
from config.kernel.services import workbook
from config.kernel.services.bulk import Schema, driver_cursor, read_slices
from config.kernel.services.files import whole

SHEET_ROWS = workbook.SHEET_ROWS
FETCH_ROWS = 20_000
TODAY = "(now() AT TIME ZONE 'Asia/Shanghai')::date"  # for the SQL of a field: sessions run in UTC

Progress = Callable[[int], None]


class _Type(NamedTuple):
    """How a column is written: SQL of its text in CSV, then its form, scale and format in XLSX."""

    text: str
    form: workbook.Form
    decimals: int = 0
    number_format: str = ""


_GUARDED = "CASE WHEN ({0}) ~ '^[=+@＝＋－＠\\t\\r-]' THEN '''' || ({0}) ELSE ({0}) END"
_TYPES = {
    "text": _Type(_GUARDED, "text"),
    "amount": _Type("(({0}) * 0.01)::numeric(22, 2)", "number", 2, "#,##0.00"),
    "rate": _Type("(({0}) * 0.0001)::numeric(12, 4)", "number", 4, "0.0000"),
    "exchange_rate": _Type("trim_scale(({0}) * 0.00000001)", "number", 8, "0.0000####"),
    "int": _Type("{0}", "number", 0, "0"),
    "date": _Type("{0}", "date", 0, "yyyy-mm-dd"),
    "month": _Type("to_char({0}, 'YYYY-MM')", "text"),
    "bool": _Type("CASE WHEN {0} THEN 'yes' ELSE 'no' END", "text"),
}
_DTYPES: dict[str, type[pl.DataType]] = {"text": pl.String, "number": pl.Int64, "date": pl.Date}
_NARROW = frozenset({"date", "int", "bool", "rate"})


@dataclass(frozen=True)
class Field:
    """A column of an export: file key, Chinese header, type and the SQL that fills it."""

    key: str
    header_zh: str
    type: str
    sql: str

    @property
    def expression(self) -> str:
        """The SQL of the value as it is written in CSV."""
        return _TYPES[self.type].text.format(self.sql)

    @property
    def value(self) -> str:
        """The SQL of the value for a typed cell: whole numbers, dates, texts as they are written."""
        return self.expression if _TYPES[self.type].form == "text" else self.sql


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
    progress: Progress | None = None,
) -> int:
    """Write one register to a file; returns the number of rows.

    `progress` is told of rows as they are written.
    """
    is_csv = file_format == "csv"
    values = [field.expression if is_csv else field.value for field in register.fields]
    query, params = _query(register, values, scope=scope, filters=filters)
    write = _write_csv if is_csv else _write_xlsx
    with transaction.atomic(), whole(path) as partial:
        return write(register, query, params, partial, progress or _untold)


def _untold(_rows: int) -> None:
    """Nobody watches."""


def register_rows(
    *, register: Register, scope: tuple[int, int], filters: Mapping[str, Any], limit: int
) -> list[dict[str, Any]]:
    """The first rows of a register as they would be written, by key, for a page."""
    values = [field.expression for field in register.fields]
    query, params = _query(register, values, scope=scope, filters=filters)
    with connection.cursor() as cursor:
        cursor.execute(f"{query} LIMIT {limit:d}", params)
        keys = [field.key for field in register.fields]
        return [dict(zip(keys, row, strict=True)) for row in cursor.fetchall()]


def register_sums(
    *,
    register: Register,
    scope: tuple[int, int] | None,
    filters: Mapping[str, Any],
) -> tuple[int, dict[str, Decimal]]:
    """How many rows a register has, and what each of its totals adds up to, from the database."""
    summed = {f.key: f.expression for f in register.fields if f.key in register.totals}
    sums = "".join(f", coalesce(sum({summed[key]}), 0)" for key in register.totals)
    source, params = _source(register, scope=scope, filters=filters)
    with connection.cursor() as cursor:
        cursor.execute(_escaped(f"SELECT count(*){sums} {source}"), params)
        count, *totals = cursor.fetchone()
    return int(count), dict(zip(register.totals, totals, strict=True))


def _query(
    register: Register,
    values: list[str],
    *,
    scope: tuple[int, int] | None,
    filters: Mapping[str, Any],
) -> tuple[str, dict[str, Any]]:
    columns = ", ".join(
        f'{value} AS "{field.key}"' for value, field in zip(values, register.fields, strict=True)
    )
    source, params = _source(register, scope=scope, filters=filters)
    return _escaped(f"SELECT {columns} {source} ORDER BY {register.order}"), params


def _source(
    register: Register, *, scope: tuple[int, int] | None, filters: Mapping[str, Any]
) -> tuple[str, dict[str, Any]]:
    """FROM … WHERE … with its parameters."""
    conditions = [register.condition, *((register.filters or {})[name] for name in filters)]
    lo, hi = scope or SCOPE_ALL
    params = {**filters, "lo": lo, "hi": hi}  # a source may narrow what stands beside a row, too
    if (lo, hi) != SCOPE_ALL and register.visible:
        conditions.append(register.visible)
    where = " AND ".join(f"({condition})" for condition in conditions)
    return f"FROM {register.source} WHERE {where}", params


def _escaped(query: str) -> str:
    """Signs of percentage are the query's own, but for those of named parameters."""
    return query.replace("%", "%%").replace("%%(", "%(")


def _write_csv(
    register: Register, query: str, params: dict[str, Any], path: Path, progress: Progress
) -> int:
    statement = cast("Any", f"COPY ({query}) TO STDOUT (FORMAT csv)")
    header = ",".join(field.key for field in register.fields) + "\n"
    told = 0
    with path.open("wb") as out, driver_cursor() as cursor:
        out.write(header.encode())
        with cursor.copy(statement, params) as copy:
            for count, row in enumerate(copy, start=1):
                out.write(row)
                if count - told == FETCH_ROWS:
                    progress(FETCH_ROWS)
                    told = count
        rows = int(cursor.rowcount)
    progress(rows - told)
    return rows


def _write_xlsx(
    register: Register, query: str, params: dict[str, Any], path: Path, progress: Progress
) -> int:
    schema: Schema = {f.key: _DTYPES[_TYPES[f.type].form] for f in register.fields}
    frames: Iterator[pl.DataFrame] = read_slices(query, params, schema=schema, rows=FETCH_ROWS)
    table = workbook.Table(register.title_zh, tuple(_column(register, f) for f in register.fields))
    with workbook.Book(path, sheet_rows=SHEET_ROWS) as book:
        return book.add(table, frames, progress=progress)


def _column(register: Register, field: Field) -> workbook.Column:
    kind = _TYPES[field.type]
    return workbook.Column(
        key=field.key,
        title=field.header_zh,
        form=kind.form,
        decimals=kind.decimals,
        number_format=kind.number_format,
        width=12 if field.type in _NARROW else 20,
        total=field.key in register.totals,
    )
