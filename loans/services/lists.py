"""Lists that go with an import, as CSV files that a spreadsheet opens: errors, differences, rows."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from config.kernel.services import bulk, store
from loans.files.problems import Problem

BYTE_ORDER_MARK = "\ufeff".encode()  # so that Excel takes the file for UTF-8
# A text that a spreadsheet would run as a formula (L8); whole negative numbers are none.
_FORMULA = r"^[=+@＝＋＠\t\r－-]"
_NUMBER = r"^-[0-9,]*(?:\.[0-9]*)?$"
PROBLEM_HEADERS = ("行", "列", "表头", "值", "说明", "in English")
DIFFERENCE_HEADERS = ("行", "键", "列", "表头", "原值", "新值")


def keep_problems(problems: Sequence[Problem]) -> str:
    """Keep every problem as a file; returns its sha256, empty where there is none."""
    rows = [
        (p.row, p.column or "", p.header or "", p.value or "", *_languages(p.message))
        for p in problems
    ]
    texts = PROBLEM_HEADERS[1:]
    schema = {PROBLEM_HEADERS[0]: pl.Int64, **dict.fromkeys(texts, pl.String)}
    return keep(pl.DataFrame(rows, schema=schema, orient="row"))


def keep_differences(differences: pl.DataFrame) -> str:
    """The same for differences."""
    return keep(differences.rename(dict(zip(differences.columns, DIFFERENCE_HEADERS, strict=True))))


def keep(frame: pl.DataFrame) -> str:
    """Keep a frame as a CSV file, formulas guarded; returns its sha256, empty for an empty frame."""
    if frame.is_empty():
        return ""
    texts = pl.col(pl.String)
    guarded = (
        pl.when(texts.str.contains(_FORMULA) & ~texts.str.contains(_NUMBER))
        .then("'" + texts)
        .otherwise(texts)
    )
    with tempfile.TemporaryDirectory() as place:
        path = Path(place).joinpath("list.csv")
        with path.open("wb") as out:
            out.write(BYTE_ORDER_MARK)
            frame.with_columns(guarded.name.keep()).write_csv(out)
        return store.keep(path)


def keep_rows(*, table: str, batch_id: int) -> str:
    """Keep the rows of an accepted file as they are stored, one JSON object a line."""
    query = f"SELECT to_jsonb(t)::text FROM {table} t WHERE t.batch_id = {batch_id:d} ORDER BY t.id"
    rows = bulk.read_frame(query, schema={"row": pl.String})
    return keep(rows)


def _languages(message: str) -> tuple[str, str]:
    chinese, _, english = message.partition(" / ")
    return chinese, english
