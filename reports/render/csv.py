"""A report for machines: one CSV file per table, UTF-8, English keys without the frame's unit, amounts in yuan."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from config.kernel.services import workbook
from config.kernel.services.bulk import closing_frames
from config.kernel.services.files import whole
from reports.definitions.sheet import Column, Sheet, Table

# Every amount is in yuan here, also where a summary shows 万元.
_DECIMALS = {"yuan": 2, "wan": 2, "product": 2, "rate": 4, "exchange": 8}


def write(sheet: Sheet, path: Path) -> list[Path]:
    """Write `NAME.csv` with the first table and `NAME.TABLEKEY.csv` with each further one."""
    paths = [
        path if place == 0 else path.with_suffix(f".{table.key}.csv")
        for place, table in enumerate(sheet.tables)
    ]
    for table, target in zip(sheet.tables, paths, strict=True):
        _write_table(table, target)
    return paths


def _write_table(table: Table, path: Path) -> None:
    names = [column.csv_name for column in table.columns]
    assert len(set(names)) == len(names), f"two columns of {table.key} share a name"
    header = ",".join(names) + "\n"
    with whole(path) as partial, partial.open("wb") as out:
        out.write(header.encode())
        frames = table.parts()
        with closing_frames(frames):
            for frame in frames:
                shown = [_texts(column, frame.get_column(column.key)) for column in table.columns]
                pl.DataFrame(shown).write_csv(out, include_header=False)


def _texts(column: Column, values: pl.Series) -> pl.Series:
    if column.kind == "text":
        texts = workbook.guarded_texts(values)
    elif column.kind in ("date", "month"):
        texts = values.dt.to_string("%Y-%m-%d" if column.kind == "date" else "%Y-%m")
    else:
        texts = workbook.decimal_texts(values, _DECIMALS.get(column.kind, 0))
        if column.kind == "exchange":
            texts = texts.str.strip_chars_end("0").str.strip_chars_end(".")
    return texts.fill_null("").alias(column.key)
