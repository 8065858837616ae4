"""Long lists out of the database in frames of a size, and a connection that is free again afterwards."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from django.db import connection, transaction

from config.kernel.services.bulk import closing_frames, read_frame, read_slices

pytestmark = pytest.mark.django_db

QUERY = (
    "SELECT x, CASE WHEN x %% 3 = 0 THEN NULL ELSE E'a,\"\\n' || x END, date '2026-01-01' + x, x = %(one)s "
    "FROM generate_series(1, 7) x ORDER BY x"
)
SCHEMA = {"n": pl.Int64, "text": pl.String, "on": pl.Date, "flag": pl.Boolean}
ROWS = [
    (n, "" if n % 3 == 0 else f'a,"\n{n}', date(2026, 1, 1 + n), n == 1) for n in range(1, 8)
]  # fmt: skip


def one() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return cursor.fetchone()[0]


@pytest.mark.parametrize(("rows", "heights"), [(3, [3, 3, 1]), (7, [7]), (100, [7]), (1, [1] * 7)])
def test_slices_have_the_size_that_is_asked_for(rows: int, heights: list[int]) -> None:
    frames = list(read_slices(QUERY, {"one": 1}, schema=SCHEMA, rows=rows))
    assert [frame.height for frame in frames] == heights
    assert [row for frame in frames for row in frame.rows()] == ROWS
    assert all(frame.schema == SCHEMA for frame in frames)
    assert one() == 1


def test_a_whole_frame_is_the_same_rows_and_an_empty_one_has_its_columns() -> None:
    assert read_frame(QUERY, {"one": 1}, schema=SCHEMA).rows() == ROWS
    empty = read_frame("SELECT 1, '', current_date, true WHERE false", schema=SCHEMA)
    assert (empty.height, empty.schema) == (0, SCHEMA)
    assert list(read_slices("SELECT 1 WHERE false", schema={"n": pl.Int64})) == []


def test_a_reader_that_stops_early_leaves_the_connection_free() -> None:
    query = "SELECT x FROM generate_series(1, 1000000) x"
    with transaction.atomic():
        frames = read_slices(query, schema={"n": pl.Int64}, rows=10)
        with closing_frames(frames):
            assert next(frames).height == 10
        assert list(frames) == []
        transaction.set_rollback(True)
    assert one() == 1
