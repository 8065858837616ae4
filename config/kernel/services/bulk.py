"""Whole frames in and out of PostgreSQL, on Django's own connection: same transaction, same role.

`COPY … FROM` a table is refused under row-level security, so rows go into a temporary table first and
from there by `INSERT … SELECT`, where every policy and constraint applies (DECISIONS.md, K3).
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, cast

import polars as pl
from django.db import connection
from psycopg import Cursor, sql

Schema = Mapping[str, pl.DataType | type[pl.DataType]]

SLICE_ROWS = 50_000
FRAME_ROWS = 200_000  # of a whole frame that are text at one time
ANALYZE_SHARE = 10  # a write of a tenth of a table deserves fresh statistics


def driver_cursor() -> Cursor[Any]:
    """A cursor of the driver itself on Django's connection, for COPY."""
    connection.ensure_connection()
    return cast("Cursor[Any]", connection.connection.cursor())


def read_frame(
    query: str, params: Mapping[str, Any] | None = None, *, schema: Schema
) -> pl.DataFrame:
    """Which rows does this query give, as a frame of exactly these columns, in the query's order?

    Columns are Int64, String, Date or Boolean; a null text arrives as the empty string.
    """
    frames = [*read_slices(query, params, schema=schema, rows=FRAME_ROWS)]
    return pl.concat(frames, rechunk=True) if frames else pl.DataFrame(schema=dict(schema))


def read_slices(
    query: str,
    params: Mapping[str, Any] | None = None,
    *,
    schema: Schema,
    rows: int = SLICE_ROWS,
) -> Iterator[pl.DataFrame]:
    """The same in frames of so many rows, none of them empty: a long list in bounded memory.

    The connection is busy until the last frame was taken or the iterator closed.
    """
    buffer, held = io.BytesIO(), 0
    with driver_cursor() as cursor, cursor.copy(_to_csv(query), params) as copy:
        for row in copy:  # the server sends each row as a message of its own
            buffer.write(row)
            held += 1
            if held == rows:
                yield _parsed(buffer, schema)
                buffer, held = io.BytesIO(), 0
    if held:
        yield _parsed(buffer, schema)


@contextmanager
def closing_frames(frames: Iterable[pl.DataFrame]) -> Iterator[None]:
    """Whatever happens to a reader of frames, the connection they come from is free afterwards."""
    try:
        yield
    finally:
        if isinstance(frames, Generator):
            frames.close()


def read_parts(
    query: str,
    params: Mapping[str, Any] | None = None,
    *,
    schema: Schema,
    rows: int = SLICE_ROWS,
) -> Iterator[pl.DataFrame]:
    """The same slices with no query open between them, all from one snapshot.

    The whole result goes to an unnamed file first, so that whoever writes the frames may use the
    connection meanwhile.
    """
    with tempfile.TemporaryFile() as spool:
        sizes = []
        with driver_cursor() as cursor, cursor.copy(_to_csv(query), params) as copy:
            messages = iter(copy)
            while part := list(islice(messages, rows)):
                sizes.append(spool.write(b"".join(part)))
        spool.seek(0)
        for size in sizes:
            yield _parsed(io.BytesIO(spool.read(size)), schema)


def _to_csv(query: str) -> Any:
    return cast("Any", f"COPY ({query}) TO STDOUT (FORMAT csv)")


def _parsed(buffer: io.BytesIO, schema: Schema) -> pl.DataFrame:
    """Rows as the server wrote them, as a frame."""
    buffer.seek(0)
    flags = [name for name, dtype in schema.items() if dtype == pl.Boolean]
    texts = [name for name, dtype in schema.items() if dtype == pl.String]
    wire = {name: (pl.String if name in flags else dtype) for name, dtype in schema.items()}
    frame = pl.read_csv(buffer, has_header=False, schema=wire)
    return frame.with_columns(
        *(pl.col(name) == "t" for name in flags), *(pl.col(name).fill_null("") for name in texts)
    )


def create_stage(name: str, columns: Mapping[str, str]) -> None:
    """Make an empty temporary table with these columns (name → SQL type) for this transaction."""
    spec = ", ".join(f'"{column}" {kind}' for column, kind in columns.items())
    with connection.cursor() as cursor:
        cursor.execute(f'DROP TABLE IF EXISTS "{name}"')
        cursor.execute(f'CREATE TEMP TABLE "{name}" ({spec}) ON COMMIT DROP')


def fill_stage(name: str, frame: pl.DataFrame) -> None:
    """Copy a frame into a temporary table of the same column names, then let the planner see it."""
    columns = sql.SQL(", ").join(map(sql.Identifier, frame.columns))
    texts = [column for column, dtype in frame.schema.items() if dtype == pl.String]
    force = (
        sql.SQL(", FORCE_NOT_NULL ({})").format(sql.SQL(", ").join(map(sql.Identifier, texts)))
        if texts
        else sql.SQL("")
    )
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv{})").format(
        sql.Identifier(name), columns, force
    )
    with driver_cursor() as cursor, cursor.copy(statement) as copy:
        for piece in frame.iter_slices(SLICE_ROWS):
            copy.write(piece.write_csv(include_header=False))
    execute(f'ANALYZE "{name}"')


def rows(
    query: str, params: Sequence[Any] | Mapping[str, Any] | None = None
) -> list[tuple[Any, ...]]:
    """Run one query and give its rows."""
    with connection.cursor() as cursor:
        cursor.execute(query, params)
        return cast("list[tuple[Any, ...]]", cursor.fetchall())


def execute(query: str, params: Sequence[Any] | Mapping[str, Any] | None = None) -> int:
    """Run one statement and give the number of rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(query, params)
        return int(cursor.rowcount)


def analyze(table: str, *, written: int) -> None:
    """Let the planner see a write that changed much of a table.

    Autovacuum would come too late for the next step, and may have counted the table while the rows
    were not yet committed, that is, as empty.
    """
    rows(
        "SELECT kernel_analyze(oid)::text FROM pg_class "
        "WHERE oid = %s::regclass AND reltuples <= %s",
        [table, written * ANALYZE_SHARE],
    )
