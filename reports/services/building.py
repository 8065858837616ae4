"""From a question to files on disk: one snapshot of the database, one sheet, its totals and ties."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
from django.db import connection, transaction

from config.kernel.services import bulk, store
from reports.definitions.cut import held
from reports.definitions.sheet import Parts, Sheet
from reports.selectors.cut import Position, position
from reports.services import formats
from reports.services.catalogue import BUILDERS, Asked
from settlement.services.schemes import terms_in_force

Progress = Callable[[int], object]


def untold(_rows: int) -> None:
    """Nobody wants to know how far it is."""


@dataclass(frozen=True)
class Built:
    """A report as it can be told now: its sheet, the cut, and the files of its figures."""

    sheet: Sheet
    position: Position
    terms_key: str
    content_sha256: str
    totals: list[dict[str, Any]]
    ties: list[dict[str, Any]]
    tables: list[dict[str, Any]]


@contextmanager
def one_snapshot() -> Iterator[None]:
    """Let every query see the database at one moment; within a transaction, as that one does."""
    outermost = not connection.in_atomic_block
    with transaction.atomic():
        if outermost:
            bulk.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield


def build(
    *, code: str, asked: Asked, folder: Path, spool: Path, dated: date, progress: Progress
) -> Built:
    """Build the report and write its CSV into the folder; DomainError if its sums do not tie.

    `spool` holds the rows as they were read, for as long as the sheet is drawn; `progress` is told of
    rows whenever one of its tables is read.
    """
    cut = position(scope=asked.scope, scheme_code=asked.scheme_code)
    sheet = held(BUILDERS[code](asked))
    kept = {one.key: _Kept(one.parts, spool.joinpath(one.key), progress) for one in sheet.tables}
    sheet = replace(
        sheet,
        heading=replace(sheet.heading, cut_zh=cut.words_zh),
        tables=tuple(replace(one, parts=kept[one.key]) for one in sheet.tables),
    )
    name = formats.stem(code, asked)
    written = formats.write(sheet, folder, name, formats=(formats.CSV,), dated=dated)
    return Built(
        sheet=sheet,
        position=cut,
        terms_key=terms_in_force().key,
        content_sha256=_content(written, name),
        totals=totals(sheet, name),
        ties=[{"name": t.name_zh, "fen": t.one_fen} for t in sheet.ties],
        tables=described(sheet, name, {key: one.rows for key, one in kept.items()}),
    )


class _Kept:
    """The parts of a table, read from the database once however many forms the report comes in."""

    def __init__(self, parts: Parts, spool: Path, progress: Progress) -> None:
        self._parts = parts
        self._spool = spool
        self._progress = progress
        self._count: int | None = None
        self.rows = 0  # once it was read to its end

    def __call__(self) -> Iterator[pl.DataFrame]:
        """Its rows again, in the same order."""
        read = self._read() if self._count is None else self._again(self._count)
        for frame in read:
            yield frame
            self._progress(frame.height)

    def _read(self) -> Iterator[pl.DataFrame]:
        self._spool.mkdir(exist_ok=True)
        count, rows = 0, 0
        frames = self._parts()
        with bulk.closing_frames(frames):
            for frame in frames:
                frame.write_ipc(self._spool / f"{count}.arrow", compression="lz4")
                count += 1
                rows += frame.height
                yield frame
        self._count, self.rows = count, rows

    def _again(self, count: int) -> Iterator[pl.DataFrame]:
        for place in range(count):
            yield pl.read_ipc(self._spool / f"{place}.arrow")


def _content(written: list[Path], name: str) -> str:
    """One digest of all tables, each under its own name."""
    told = [(path.name.removeprefix(name), store.digest(path)) for path in written]
    return hashlib.sha256(repr(told).encode()).hexdigest()


def totals(sheet: Sheet, name: str) -> list[dict[str, Any]]:
    """The sums of every summed column, in fen (other whole numbers in their own unit).

    `file` and `key` say where in the report's CSV they are added up from.
    """
    found = []
    for table in sheet.tables:
        columns = [column for column in table.columns if column.total]
        sums = dict.fromkeys((column.key for column in columns), 0)
        for part in table.parts() if columns else ():
            for key in sums:
                sums[key] += int(part[key].sum())
        found += [
            {
                "table": table.title_zh,
                "column": column.title_zh,
                "kind": column.kind,
                "file": formats.csv_name(sheet, name, table.key),
                "key": column.csv_name,
                "value": sums[column.key],
            }
            for column in columns
        ]
    return found


def described(sheet: Sheet, name: str, rows: Mapping[str, int]) -> list[dict[str, Any]]:
    """What the CSV of each table holds, for whoever looks at it later: columns, and how many rows.

    `rows` by the table's key; a column's `key` is its name in the CSV, `shown` False for codes that
    another column says in words.
    """
    return [
        {
            "key": table.key,
            "title": table.title_zh,
            "file": formats.csv_name(sheet, name, table.key),
            "rows": rows[table.key],
            "columns": [
                {
                    "key": one.csv_name,
                    "title": one.title_zh,
                    "kind": one.kind,
                    "shown": one.on_paper,
                }
                for one in table.columns
            ],
        }
        for table in sheet.tables
    ]
